"""The integrity check of a whole hive: before an edit, in the proof, and for ``reg verify``."""
