"""Cages for processes that meet hostile bytes: what the kernel keeps them from, whatever is made of them."""
