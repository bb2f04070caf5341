"""Bytes: block devices, image formats, partition tables, the overlay and the journal. Knows no file systems."""
