"""From UEFI firmware or a BIOS through bootmgr and its BCD store to Windows Vista and later."""
