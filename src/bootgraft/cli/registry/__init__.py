"""``bootgraft reg``: its command line, what reads, what writes, and a hive file by itself with its backups."""
