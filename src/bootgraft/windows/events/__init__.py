"""What a Windows recorded of its own starts: event logs, crash dumps, and the logs of its loader, setup and repair."""
