"""``reg`` in the child: the hives that are meant, what is read of them, and edits that are planned and proven."""
