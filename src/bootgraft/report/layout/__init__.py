"""How a text is laid out: its lines with what each of them is, in plain text and on a terminal."""
