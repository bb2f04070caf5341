"""What loader and kernel need of Windows itself, whatever the controller: files, boot drivers, devices on the way."""
