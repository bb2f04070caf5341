"""The transaction: what a repair writes, under a journal that can finish it and revert it."""
