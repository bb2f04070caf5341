"""Logs of other people's converters: read as streams, understood line by line, explained."""
