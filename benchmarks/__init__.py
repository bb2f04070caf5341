"""How long the commands take and how much memory they use, whatever the size of the disk."""
