"""What a kit brings to one Windows: pure data, before it becomes scripts."""

import re
from collections.abc import Iterator

from msgspec import Struct

from bootgraft.drivers.inf.target_windows import TargetWindows
from bootgraft.drivers.package import PackageFile, PackageKey
from bootgraft.errors import DriverSourceError
from bootgraft.windows.versions import XP

_SAFE_FILE = re.compile(r"[A-Za-z0-9_.\-]+(?:\\[A-Za-z0-9_.\-]+)*", re.ASCII)
_SAFE_KEY = re.compile(r"[A-Za-z0-9_.\-\\#&{}()=@*+, ]+", re.ASCII)
_MAX_KEYS = 512
_MAX_PATH = 240
"""Characters of a path in a script: a line must stay far below the 2047 that cmd.exe of NT 4 and 2000 takes."""
_FIRST_WITH_REG_EXE = XP


class Kit(Struct, frozen=True):
    """One driver for one target in one Windows.

    ``keys`` are relative to the control set, ``files`` to the Windows directory; ``further`` bind devices other than
    the target's, and are left as they are where they exist; ``gone`` are keys that must not be there. ``staged`` is the
    package for pnputil by its INF's own paths, ``inf`` the INF in it. ``required`` are the services that this Windows
    must have already, ``present`` says what a given machine needed not, ``notes`` what people should know.
    """

    target_windows: TargetWindows
    target: str
    service: str
    origin: str
    files: tuple[PackageFile, ...] = ()
    keys: tuple[PackageKey, ...] = ()
    further: tuple[PackageKey, ...] = ()
    gone: tuple[str, ...] = ()
    inf: str = ""
    staged: tuple[tuple[str, bytes], ...] = ()
    required: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.files or self.keys or self.further or self.gone or self.staged)

    @property
    def has_reg_exe(self) -> bool:
        """Whether this Windows has ``reg.exe``: NT 4 and 2000 have only ``regedit``."""
        return self.target_windows.version >= _FIRST_WITH_REG_EXE

    @property
    def entries(self) -> tuple[str, ...]:
        """Every key that is written or removed, in the order in which it is numbered."""
        return (*(key.path for key in (*self.keys, *self.further)), *self.gone)


def require_sayable(kit: Kit) -> Kit:
    """The kit, where each of its names can stand in a script: a name comes from somebody else's file.

    Raises:
        DriverSourceError: a name has characters that cmd.exe would take for its own, or there are too many.
    """
    for what, name, pattern in _names(kit):
        if (
            len(name) > _MAX_PATH
            or not pattern.fullmatch(name)
            or any(part in ("", ".", "..") for part in _parts(name))
        ):
            raise DriverSourceError(
                f"the {what} {name!r} cannot be written in a script for cmd.exe",
                where=kit.origin,
                advice="Give the driver from another source, or repair the image after the conversion",
            )
    if len(kit.entries) > _MAX_KEYS:
        raise DriverSourceError(
            f"it comes to {len(kit.entries)} registry keys, more than {_MAX_KEYS}",
            where=kit.origin,
            advice="Repair the image after the conversion",
        )
    return kit


def _names(kit: Kit) -> Iterator[tuple[str, str, re.Pattern[str]]]:
    yield from (("file name", file.path, _SAFE_FILE) for file in kit.files)
    yield from (("file name", path, _SAFE_FILE) for path, _ in kit.staged)
    yield from (("key", path, _SAFE_KEY) for path in kit.entries)
    yield from (("service", name, _SAFE_FILE) for name in (kit.service, *kit.required) if name)


def _parts(name: str) -> list[str]:
    return name.split("\\")
