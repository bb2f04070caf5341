"""What a hive's logs hold, in both of their formats, and the hive as it is with that replayed over it."""
