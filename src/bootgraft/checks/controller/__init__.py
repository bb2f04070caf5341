"""Does the Windows start from the controller of the new machine?"""
