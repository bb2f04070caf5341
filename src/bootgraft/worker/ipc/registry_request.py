"""What ``reg`` asks of the child."""

from enum import StrEnum

from msgspec import Struct

ANSI = "cp1252"
"""The code page of REGEDIT4 files: Windows' own in Western Europe and America."""


class RegistryAction(StrEnum):
    """The sub-commands of ``reg``."""

    QUERY = "query"
    EXPORT = "export"
    IMPORT = "import"
    SET = "set"
    DELETE = "delete"
    RECOVER = "recover"
    VERIFY = "verify"

    @property
    def writes(self) -> bool:
        """Whether it changes hives."""
        return self in (RegistryAction.IMPORT, RegistryAction.SET, RegistryAction.DELETE, RegistryAction.RECOVER)


class RegistryRequest(Struct, frozen=True):
    r"""One ``reg`` command.

    ``key`` is as the user named it. ``hive`` is what ``--hive`` gave: SYSTEM, SOFTWARE, …, or a path on the volume of
    the installation; the key then counts from its root. ``value`` is a value's name, empty for the default one, None
    where the command is about the key. ``type`` and ``data`` (hex) are what ``set`` gives it. ``all_sets`` says which
    control sets are written: None for all where the key says ``CurrentControlSet`` and only the named one elsewhere,
    True for all in both cases, False for the default one. ``ansi`` asks export for REGEDIT4, ``as_json`` query for
    JSON. ``bare_size`` is the size of the hive where the first device is a hive file itself, followed by its logs;
    the device then reaches further, for growth.
    """

    action: RegistryAction
    key: str = ""
    hive: str | None = None
    value: str | None = None
    recursive: bool = False
    ansi: bool = False
    as_json: bool = False
    type: int = 1
    data: str = ""
    all_sets: bool | None = None
    bare_size: int | None = None
