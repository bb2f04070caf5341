"""NTFS through libntfs-3g over any block device; files that Compact OS compressed are read through libwim."""
