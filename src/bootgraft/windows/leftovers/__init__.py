"""What other tools, updates and the old machine left in a Windows, each read from where it is written down."""
