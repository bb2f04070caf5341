"""Bootgraft makes a Windows disk image boot again after it was moved: offline, proven before written, undoable."""

__version__ = "0.2.0"
