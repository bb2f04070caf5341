"""Files: NTFS and FAT over any block device. Knows no Windows."""
