"""``drivers`` and ``kit`` in the child, and the packages that a repair takes from the sources it was given."""
