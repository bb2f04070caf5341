"""How a disk is divided: MBR and EBR, GPT, the database of dynamic disks."""
