"""Drivers out of a Windows: its own caches, a donor's, and what was exported from one by hand."""
