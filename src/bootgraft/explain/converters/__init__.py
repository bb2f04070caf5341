"""The converters, each a grammar of its lines and the rules for its messages; ``catalogue`` has the table of them."""
