"""What of a Windows lies on other volumes than its own, and whether it brings their disks online by itself."""
