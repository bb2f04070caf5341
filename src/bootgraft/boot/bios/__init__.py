"""What a BIOS reads before it reads a file: the loader that boot code starts, and where sound boot code lies."""
