r"""Where a Windows keeps what it needs beside its own directory: a directory's database, page files, programs.

A domain controller has the places of its directory in ``Services\NTDS\Parameters`` (``DSA Database file``, ``DSA
Working Directory``, ``Database log files path``; Microsoft, "How to move the Active Directory database") and that of
the policies that it serves in ``Services\Netlogon\Parameters`` (``SysVol``). Page files are those of ``Session
Manager\Memory Management``, each with its sizes after it; ``?:`` and a name without a letter leave the drive to
Windows.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice

from msgspec import Struct

from bootgraft.registry.hive import Hive, Key
from bootgraft.windows.hives import CURRENT_VERSION
from bootgraft.windows.installation import control_set_name

MAX_PROFILES, MAX_PAGE_FILES = 64, 16
"""Of each as many are looked at: real servers have some ten profiles and up to four page files."""
MAX_PATH = 1024
"""Characters; Windows itself takes 260."""

_DOMAIN_CONTROLLER, _WORKSTATION = "lanmannt", "winnt"
_DRIVE_PATH = re.compile(r"([A-Z]:)(\\[^:]*)", re.IGNORECASE | re.ASCII)
_SIZES = re.compile(r"(?:\s+\d+){0,2}\s*$")
_CURRENT = "Microsoft\\Windows\\CurrentVersion"


class ProductRole(StrEnum):
    """What kind of Windows it says that it is (``Control\\ProductOptions``)."""

    WORKSTATION = "workstation"
    SERVER = "server"
    DOMAIN_CONTROLLER = "domain controller"
    UNKNOWN = "unknown"


class DataUse(StrEnum):
    """What lies at a path, as a message names it."""

    DATABASE = "the Active Directory database"
    LOGS = "the logs of the Active Directory database"
    WORKING = "the working directory of the Active Directory database"
    SYSVOL = "SYSVOL"
    PAGE_FILE = "a page file"
    PROGRAMS = "installed programs"
    PROFILES = "user profiles"

    @property
    def is_directory_service(self) -> bool:
        """Whether a domain controller stops without it."""
        return self in (DataUse.DATABASE, DataUse.LOGS, DataUse.WORKING)


class DataPath(Struct, frozen=True):
    r"""One path with a letter: ``rest`` is what follows it (``\NTDS\ntds.dit``), ``where`` the key and value."""

    use: DataUse
    letter: str
    rest: str
    where: str

    def __str__(self) -> str:
        return f"{self.letter}{self.rest}"


def role(system: Hive, control_set: int) -> ProductRole:
    """What the Windows of this SYSTEM hive is. Raises HiveError where the hive is damaged there."""
    text = (_text(system.key(f"{control_set_name(control_set)}\\Control\\ProductOptions"), "ProductType") or "").lower()
    if not text:
        return ProductRole.UNKNOWN
    if text == _DOMAIN_CONTROLLER:
        return ProductRole.DOMAIN_CONTROLLER
    return ProductRole.WORKSTATION if text == _WORKSTATION else ProductRole.SERVER


def system_paths(system: Hive, control_set: int) -> Iterator[DataPath]:
    """The paths that a control set of a SYSTEM hive names. Raises HiveError where the hive is damaged there."""
    name = control_set_name(control_set)
    if role(system, control_set) is ProductRole.DOMAIN_CONTROLLER:
        yield from _values(system, f"{name}\\Services\\NTDS\\Parameters", {
            "DSA Database file": DataUse.DATABASE,
            "Database log files path": DataUse.LOGS,
            "DSA Working Directory": DataUse.WORKING,
        })  # fmt: skip
        yield from _values(system, f"{name}\\Services\\Netlogon\\Parameters", {"SysVol": DataUse.SYSVOL})
    key = system.key(f"{name}\\Control\\Session Manager\\Memory Management")
    files = None if key is None else key.value("PagingFiles")
    if key is None or files is None:
        return
    for entry in islice(files.multi() or (), MAX_PAGE_FILES):
        yield from _path(DataUse.PAGE_FILE, page_file_path(entry), f"{key.path}: PagingFiles")


def software_paths(software: Hive) -> Iterator[DataPath]:
    """The paths that a SOFTWARE hive names. Raises HiveError where the hive is damaged there."""
    programs = dict.fromkeys(("ProgramFilesDir", "ProgramFilesDir (x86)", "CommonFilesDir"), DataUse.PROGRAMS)
    yield from _values(software, _CURRENT, programs)
    profiles = f"{CURRENT_VERSION}\\ProfileList"
    yield from _values(software, profiles, {"ProfilesDirectory": DataUse.PROFILES})
    key = software.key(profiles)
    for profile in islice(key.keys(), MAX_PROFILES) if key is not None else ():
        yield from _path(DataUse.PROFILES, _text(profile, "ProfileImagePath"), f"{profile.path}: ProfileImagePath")


def page_file_path(entry: str) -> str:
    r"""The path of an entry of ``PagingFiles`` without the sizes after it: ``C:\pagefile.sys 384 768``."""
    return _SIZES.sub("", entry).strip()


def _values(hive: Hive, path: str, uses: dict[str, DataUse]) -> Iterator[DataPath]:
    key = hive.key(path)
    for name, use in uses.items():
        yield from _path(use, _text(key, name), f"{path}: {name}")


def _path(use: DataUse, text: str | None, where: str) -> Iterator[DataPath]:
    """The path, where it is one with a letter: others lie on Windows' own volume, or leave the choice to it."""
    text = (text or "").strip().removeprefix("\\??\\")
    match = _DRIVE_PATH.fullmatch(text if len(text) > 2 else f"{text}\\")
    if match and len(text) <= MAX_PATH and not {".", ".."} & set(match[2].split("\\")):
        yield DataPath(use, match[1].upper(), match[2].rstrip("\\"), where)


def _text(key: Key | None, name: str) -> str | None:
    value = None if key is None else key.value(name)
    return None if value is None else value.text()
