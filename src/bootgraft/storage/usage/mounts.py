"""What is mounted: ``/proc/self/mountinfo`` (proc_pid_mountinfo(5))."""

import re
from pathlib import Path
from typing import NamedTuple

_MOUNTINFO = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """One mount: its device as ``MAJOR:MINOR``, where it is mounted, its file system's type, and what is mounted there.

    ``writable`` says whether its file system may write to the device, which it may under a mount that is read-only too.
    """

    device: str
    point: str
    type: str
    source: str
    writable: bool


def read_mounts() -> tuple[Mount, ...]:
    """Return every mount that this process can see; none where there is no /proc."""
    try:
        text = _MOUNTINFO.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ()
    return tuple(_parse(line) for line in text.split("\n") if line)


def _parse(line: str) -> Mount:
    place, _, what = line.partition(" - ")
    fields, (kind, source, options) = place.split(" "), what.split(" ")[:3]
    return Mount(fields[2], _unescape(fields[4]), kind, _unescape(source), "rw" in options.split(","))


def _unescape(text: str) -> str:
    """Return a name without the octal escapes that stand for blanks, tabs, line ends and backslashes."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)
