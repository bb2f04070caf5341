"""Registry hives (regf) and .reg text. Knows no disks and no file systems."""
