"""Text from disks, made fit for a terminal."""


def printable(text: str) -> str:
    """Return a name from the disk without control characters: evidence is shown in terminals."""
    return "".join(each if each.isprintable() else "?" for each in text)


def excerpt(text: str, most: int = 200) -> str:
    """The beginning of a text from the disk, as evidence may show it: printable, and no longer than ``most``."""
    return printable(text if len(text) <= most else f"{text[:most]}…")


def one_line(text: str) -> str:
    """The text without line ends: a name on a hostile volume must not look like a line of ours."""
    return text.replace("\r", "\N{REPLACEMENT CHARACTER}").replace("\n", "\N{REPLACEMENT CHARACTER}")
