r"""What a storage miniport's own INF writes to ``Services\<name>\Parameters\BusType``, as a STORAGE_BUS_TYPE.

Read in the INFs of virtio-win 0.1.240 and of every older signed virtio-win (all agree), and of SUSE VMDP; those of
Windows' own drivers in hives of 7, 8.1 and 10. Numbers and names: Microsoft, ``ntddstor.h``.
"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.registry.hive import Hive
from bootgraft.windows.installation import control_set_name

NAMES = {1: "SCSI", 3: "ATA", 8: "RAID", 10: "SAS", 11: "SATA", 17: "NVMe"}
_OF_INF = {
    "viostor": 1,
    "vioscsi": 10,
    "pvvxblk": 1,
    "pvvxscsi": 1,
    "lsi_sas": 10,
    "storahci": 11,
    "stornvme": 17,
    "storvsc": 10,
}


class BusType(Struct, frozen=True):
    """The value of a service where it is another than the driver's INF has."""

    key_path: str  # of the key Parameters
    found: int
    expected: int


def wrong_bus_types(hive: Hive, control_set: int, services: Iterator[str]) -> Iterator[BusType]:
    """Those of the services of a control set that are known and differ. Raises HiveError for damage."""
    for name in services:
        expected = _OF_INF.get(name.casefold())
        key = hive.key(f"{control_set_name(control_set)}\\Services\\{name}\\Parameters") if expected else None
        value = None if key is None else key.value("BusType")
        number = None if value is None else value.dword()
        if key is not None and expected is not None and number not in (None, expected):
            yield BusType(key.path, number or 0, expected)


def bus_name(number: int) -> str:
    """``0x0A (SAS)``."""
    name = NAMES.get(number)
    return f"0x{number:02X} ({name})" if name else f"0x{number:02X}"
