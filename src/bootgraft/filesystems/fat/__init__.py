"""FAT12, FAT16 and FAT32, read and written by bootgraft itself."""
