"""What programs are told of a finding besides what people read: the command that fixes it, and where it was found."""
