"""What every start of a Windows takes: its core services, the filters of devices, the heads of binaries."""
