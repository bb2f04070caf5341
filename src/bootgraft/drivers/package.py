"""What a driver source yields: files for the Windows directory and keys for every control set.

Paths of keys are relative to a control set (``Services\\symmpi``), paths of files relative to the Windows directory
(``system32\\drivers\\symmpi.sys``), so that a package fits any installation.
"""

from dataclasses import dataclass

from bootgraft.changes import RegistryData


@dataclass(frozen=True, slots=True)
class PackageValue:
    """One value to set; ``data`` None means that the value is to be deleted."""

    name: str
    data: RegistryData | None


@dataclass(frozen=True, slots=True)
class PackageKey:
    """One key to create, with its values."""

    path: str
    values: tuple[PackageValue, ...]


@dataclass(frozen=True, slots=True)
class PackageFile:
    """One file to put into the Windows directory."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class DriverPackage:
    """A driver with all that the registry must say about it. ``origin`` names the source for people."""

    origin: str
    service: str
    keys: tuple[PackageKey, ...]
    files: tuple[PackageFile, ...]
    notes: tuple[str, ...] = ()
