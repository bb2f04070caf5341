"""Text from disks, made fit for a terminal."""


def printable(text: str) -> str:
    """Return a name from the disk without control characters: evidence is shown in terminals."""
    return "".join(each if each.isprintable() else "?" for each in text)
