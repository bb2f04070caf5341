r"""The drive letter that a Windows was installed under, by its own word.

``SOFTWARE\Microsoft\Windows NT\CurrentVersion`` has it twice: ``SystemRoot`` and ``PathName`` (``C:\WINDOWS``). Every
path in the registry counts on it.
"""

import re
from collections.abc import Iterable

from bootgraft.registry.hive import Hive
from bootgraft.windows.hives import CURRENT_VERSION

_ROOT = re.compile(r"([A-Z]:)\\[^:]*", re.IGNORECASE | re.ASCII)


def own_letters(software: Hive) -> tuple[tuple[str, str], ...]:
    """What each of the two values says, as (name, ``C:``); a value that is missing or no such path is left out.

    Raises:
        HiveError: the SOFTWARE hive is damaged there.
    """
    key = software.key(CURRENT_VERSION)
    found = []
    for name in ("SystemRoot", "PathName"):
        value = None if key is None else key.value(name)
        match = None if value is None else _ROOT.fullmatch((value.text() or "").strip())
        if match:
            found.append((name, match[1].upper()))
    return tuple(found)


def agreed(letters: Iterable[tuple[str, str]]) -> str | None:
    """The letter of :func:`own_letters`; None where there is none, or two."""
    found = {letter for _, letter in letters}
    return found.pop() if len(found) == 1 else None
