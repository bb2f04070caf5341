"""What an administrator runs on the physical machine before the conversion: a repair for a Windows that is alive."""
