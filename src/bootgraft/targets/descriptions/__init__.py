"""Machines' descriptions: the table of their formats, one module for each, and the disks that they name."""
