"""What the virtual machine will offer: hypervisors, their controllers and device ids."""
