r"""The last device installations: ``INF\setupapi.dev.log`` from Vista on, ``setupapi.log`` before.

Both are texts in sections. The newer one has ``>>>  [Device Install … - ID]`` and ``>>>  Section start TIME`` at the
begin of one, ``<<<  [Exit status: …]`` at its end, ``!!!`` before errors (Microsoft, "SetupAPI Text Logs", "Format of a
Text Log Section"). The older one has ``[TIME PID.NUMBER Driver Install]``, ``#I121`` for an installation that succeeded
and ``#E`` before errors (Microsoft, "SetupAPI Logging (Windows Server 2003, Windows XP, Windows 2000)"). Times are
those of the guest's own clock.

Told of are installations that failed, and those of storage controllers: by their class, or by PCI's class code 01.
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from bootgraft.text import printable

_NEW = re.compile(r">>>  \[(.*)\]$")
_NEW_TIME = re.compile(r">>>  Section start (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)", re.ASCII)
_NEW_END = re.compile(r"<<<  \[Exit status: (.*)\]$")
_OLD = re.compile(r"\[(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \d+\.\d+(?: Driver Install)?\]$", re.ASCII)
_OLD_DEVICE = re.compile(r'#(?:-|I)(?:121|123|124)\b.*? of "([^"]+)"')
_ERROR = re.compile(r"(?:!!!|#E\d+) +(?:\w{3}: +)?(.*)")
_STORAGE = re.compile(r"\{4d36e9(?:7b|6a)-e325-11ce-bfc1-08002be10318\}|\bcc_01|\bscsiadapter\b", re.IGNORECASE)
_TOLD = 4


class DeviceInstall(Struct, frozen=True):
    """One installation: ``time`` by the guest's clock, what was installed, and the error, None where there was none."""

    time: str
    what: str
    error: str | None
    storage: bool


class _Section(Struct):
    time: str = ""
    what: str = ""
    errors: str | None = None
    failed: bool = False
    storage: bool = False

    def finished(self) -> DeviceInstall:
        error = (self.errors or "it failed") if self.failed else None
        return DeviceInstall(self.time, printable(self.what), error and printable(error), self.storage)


def last_installs(lines: Iterable[str]) -> tuple[DeviceInstall, ...]:
    """The last few installations that failed or were of storage controllers, the oldest first."""
    told = [each for each in map(_Section.finished, _sections(lines)) if each.error or each.storage]
    return tuple(told[-_TOLD:])


def _sections(lines: Iterable[str]) -> Iterator[_Section]:
    section = _Section()
    for line in lines:
        new, old = _NEW.match(line), _OLD.match(line)
        if new is not None or old is not None:
            yield from _told(section)
            section = _Section(what=new[1]) if new is not None else _Section(time=old[1] if old is not None else "")
        else:
            _read(section, line)
    yield from _told(section)


def _told(section: _Section) -> Iterator[_Section]:
    if section.what and section.time:
        yield section


def _read(section: _Section, line: str) -> None:
    time, end, device, error = (each.match(line) for each in (_NEW_TIME, _NEW_END, _OLD_DEVICE, _ERROR))
    if time is not None:
        section.time = time[1]
    elif end is not None:
        section.failed = not end[1].startswith("SUCCESS")
        section.errors = section.errors or end[1]
    elif device is not None:
        section.what = device[1]
        section.failed = section.failed and "#I121" not in line
    elif error is not None:
        section.errors = error[1]
        section.failed = section.failed or line.startswith("#E")
    section.storage = section.storage or _STORAGE.search(line) is not None
