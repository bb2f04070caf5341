"""A power loss in the middle of a commit, an undo or a resume: what the disk may then hold, and the way back."""
