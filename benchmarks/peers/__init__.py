"""Other people's programs that answer some of the same questions: how each is found and asked."""
