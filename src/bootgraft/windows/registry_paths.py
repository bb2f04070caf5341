r"""Where the keys of a running Windows lie in the hive files of one that does not run.

``HKEY_LOCAL_MACHINE\SYSTEM\…`` is the file ``config\SYSTEM``; ``CurrentControlSet`` is no key of it but a link that
the kernel makes to one of its control sets (https://learn.microsoft.com/windows/win32/sysinfo/registry-hives).
"""

import re
from collections.abc import Sequence

from msgspec import Struct

from bootgraft.errors import UsageError
from bootgraft.windows.installation import control_set_name

BCD = "BCD"
CONFIG_HIVES = ("SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT", "DRIVERS", "COMPONENTS")
r"""Hives in ``system32\config``, by the names of their files."""

_MACHINE = ("HKEY_LOCAL_MACHINE", "HKLM")
_USERS = ("HKEY_USERS", "HKU")
_CLASSES = ("HKEY_CLASSES_ROOT", "HKCR")
_CONFIG = ("HKEY_CURRENT_CONFIG", "HKCC")
_USER = ("HKEY_CURRENT_USER", "HKCU")
_ROOTS = (*_MACHINE, *_USERS, *_CLASSES, *_CONFIG, *_USER)
_IN_MACHINE = {name: name for name in CONFIG_HIVES if name != "DEFAULT"} | {"BCD00000000": BCD, BCD: BCD}
_SYSTEM_USERS = (".DEFAULT", "S-1-5-18")
_CONTROL_SET = re.compile(r"ControlSet(\d{3})", re.IGNORECASE | re.ASCII)
_CURRENT = "CURRENTCONTROLSET"
_PROFILE = re.compile(r"Hardware Profiles\\Current(?=\\|$)", re.IGNORECASE)
_USER_ADVICE = r"Name the user's hive: --hive \Users\NAME\NTUSER.DAT, and the key from its root on"


class HiveKey(Struct, frozen=True):
    r"""A key of a hive: ``hive`` is SYSTEM, SOFTWARE, … or BCD; ``path`` counts from its root.

    ``prefix`` is how the hive's root is called in full (``HKEY_LOCAL_MACHINE\SYSTEM``). The path may begin with
    ``CurrentControlSet``.
    """

    hive: str
    path: str
    prefix: str


def parse_key(text: str) -> HiveKey:
    r"""Read the name of a key, as ``HKLM\SYSTEM\Select`` or ``SYSTEM\Select``.

    Raises UsageError for one that lies in no hive of the machine: volatile ones, and those of a user.
    """
    names = [name for name in text.split("\\") if name]
    if not names:
        raise _refused(text, "no key is named", r"Name one, as HKLM\SYSTEM\Select")
    root = names[0].upper()
    if root in _MACHINE:
        return _in_machine(text, names[1:])
    if root in _CLASSES:
        return _hive_key("SOFTWARE", ["Classes", *names[1:]])
    if root in _CONFIG:
        return _hive_key("SYSTEM", ["CurrentControlSet", "Hardware Profiles", "Current", *names[1:]])
    if root in _USERS and len(names) > 1 and names[1].upper() in _SYSTEM_USERS:
        return _hive_key("DEFAULT", names[2:])
    if root in _USERS or root in _USER:
        raise _refused(text, "a user's keys lie in a hive of that user", _USER_ADVICE)
    return _in_machine(text, names)


def below_mount_point(text: str) -> str:
    r"""The path inside a hive that was named by itself: ``HKLM\OFFLINE\Select`` and ``Select`` are the same key.

    A hive may be loaded under any name, so what comes before the path tells nothing.
    """
    names = [name for name in text.split("\\") if name]
    if names and names[0].upper() in _ROOTS:
        names = names[2:]
    return "\\".join(names)


def set_number(path: str) -> int | None:
    """The number of the control set that a SYSTEM path lies in; None where it names none or the current one."""
    match = _CONTROL_SET.fullmatch(path.partition("\\")[0])
    return None if match is None else int(match[1])


def is_current(path: str) -> bool:
    """Whether a SYSTEM path begins with ``CurrentControlSet``."""
    return path.partition("\\")[0].upper() == _CURRENT


def in_sets(path: str, numbers: Sequence[int]) -> tuple[str, ...]:
    """A path that lies in some control set, in each of these sets; the current hardware profile is the first one."""
    rest = _PROFILE.sub(lambda _: r"Hardware Profiles\0001", path.partition("\\")[2], count=1)
    names = (control_set_name(number) for number in numbers)
    return tuple(f"{name}\\{rest}" if rest else name for name in names)


def _in_machine(text: str, names: Sequence[str]) -> HiveKey:
    hive = _IN_MACHINE.get(names[0].upper()) if names else None
    if hive is None and names and names[0].upper() == "DEFAULT":
        hive = "DEFAULT"
    if hive is not None:
        return _hive_key(hive, names[1:])
    if names and names[0].upper() == "HARDWARE":
        raise _refused(text, "Windows makes HARDWARE anew at each start; it is in no file", "Leave these keys out")
    known = ", ".join(_IN_MACHINE)
    raise _refused(text, "this key lies in no hive of the installation", rf"HKLM holds {known}; or give --hive PATH")


def _hive_key(hive: str, names: Sequence[str]) -> HiveKey:
    prefix = {"DEFAULT": r"HKEY_USERS\.DEFAULT", BCD: r"HKEY_LOCAL_MACHINE\BCD00000000"}
    return HiveKey(hive, "\\".join(names), prefix.get(hive, f"HKEY_LOCAL_MACHINE\\{hive}"))


def _refused(text: str, what: str, advice: str) -> UsageError:
    return UsageError(what, where=text or "KEY", advice=advice)
