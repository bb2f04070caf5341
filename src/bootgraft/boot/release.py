r"""Which release of NT lies in a directory, as far as its loader cares.

It says so itself, in its SOFTWARE hive below ``Microsoft\Windows NT\CurrentVersion``.
ntldr starts NT 3.1 to 5.2. ReactOS says 5.2 of itself and has a loader of its own.
"""

import re
from dataclasses import dataclass

from bootgraft.errors import FileMissingError, FileSystemError, HiveError
from bootgraft.machine import Volume

_KEY = "Microsoft\\Windows NT\\CurrentVersion"
_REACTOS = "reactos"
FIRST_WITH_WINDOWS = (5, 1)
"""Up to 2000, Setup calls the directory WINNT, and so does the ntldr of that release; XP and 2003 call it WINDOWS."""


@dataclass(frozen=True, slots=True)
class Release:
    """NT version and product name; the name is empty where the hive has none."""

    version: tuple[int, int]
    name: str

    @property
    def starts_by_ntldr(self) -> bool:
        """Whether ntldr is the loader of this release."""
        return (3, 1) <= self.version < (6, 0) and _REACTOS not in self.name.casefold()


def read_release(volume: Volume, directory: str) -> Release | None:
    """The release of the Windows in ``directory``; None where its SOFTWARE hive does not tell."""
    try:
        key = volume.hive(f"{directory}\\system32\\config\\SOFTWARE").key(_KEY)
        values = [None if key is None else key.value(name) for name in ("CurrentVersion", "ProductName")]
        version, name = (None if value is None else value.text() for value in values)
    except (HiveError, FileMissingError, FileSystemError):  # what cannot be read proves nothing
        return None
    match = re.fullmatch(r"(\d{1,3})\.(\d{1,3})", (version or "").strip(), re.ASCII)
    return Release((int(match[1]), int(match[2])), (name or "").strip()) if match else None
