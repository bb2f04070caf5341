"""What the two processes say to each other: the job, its outcome, the frames between them, and the parent's side."""
