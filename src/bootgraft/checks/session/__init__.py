"""What the kernel needs once it has its volume: the first programs and the other hives."""
