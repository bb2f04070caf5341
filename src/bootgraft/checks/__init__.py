"""One module per family of boot killer: finds, explains, proposes."""
