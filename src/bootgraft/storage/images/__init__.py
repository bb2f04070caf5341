"""Disk images of every format: what one is, which files it names, how it is opened, what is built on it."""
