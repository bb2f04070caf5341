"""Is the machine in a state in which it can be started, and written to?"""
