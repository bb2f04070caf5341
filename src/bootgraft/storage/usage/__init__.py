"""Whether anybody else uses an image, and who: locks, leases, loop devices, mounts, processes."""
