"""What other programs put around a converter's lines, and how it is taken off."""
