"""How a command holds its images: which they are, how they are opened, where it writes, and how that reaches them."""
