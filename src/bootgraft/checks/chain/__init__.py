"""Does the chain from the firmware arrive at a Windows?"""
