"""What images are read and written through: raw and flat files, NBD, qemu-nbd, and the overlay over them."""
