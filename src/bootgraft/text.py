"""Text from disks, made fit for a terminal; and numbers with their nouns."""

from collections.abc import Sequence


def printable(text: str) -> str:
    """Return a name from the disk without control characters: evidence is shown in terminals."""
    return "".join(each if each.isprintable() else "?" for each in text)


def excerpt(text: str, most: int = 200) -> str:
    """The beginning of a text from the disk, as evidence may show it: printable, and no longer than ``most``."""
    return printable(text if len(text) <= most else f"{text[:most]}…")


def one_line(text: str) -> str:
    """The text without line ends: a name on a hostile volume must not look like a line of ours."""
    return text.replace("\r", "\N{REPLACEMENT CHARACTER}").replace("\n", "\N{REPLACEMENT CHARACTER}")


def counted(count: int, one: str, many: str = "") -> str:
    """``1 file``, ``2 files``: a number with its noun; ``many`` is the plural where it is not just an s more."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def listed(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
