"""What users call findings: their ids, and what the screen shows of them."""
