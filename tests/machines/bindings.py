r"""What binds a device to its driver: the CriticalDeviceDatabase of Windows 2000 to 7, the DriverDatabase since 8."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from struct import pack

from msgspec import Struct

from tests.machines.registry_text import Multi, RegistryValue
from tests.machines.spec import Architecture

Keys = dict[str, dict[str, RegistryValue]]
COMPUTER, CDROM, DISK_DRIVE, HDC, KEYBOARD, MOUSE, SCSI_ADAPTER, SYSTEM_DEVICE = (
    f"{{4D36E9{number}-E325-11CE-BFC1-08002BE10318}}" for number in ("66", "65", "67", "6A", "6B", "6F", "7B", "7D")
)
VOLUME = "{71A27CDD-812A-11D0-BEC7-08002BE2092F}"

_DATE = 0x01C694C5A38C8000  # 21 June 2006, which Microsoft gives all its in-box drivers
_LABELS: Mapping[Architecture, tuple[int, str]] = {Architecture.X86: (0, "x86"), Architecture.X64: (9, "amd64")}


class Binding(Struct, frozen=True):
    """Device ids, and what the INF of a package installs for them; no service: the device needs no driver."""

    ids: tuple[str, ...]
    class_guid: str
    service: str = ""
    inf: str = ""
    configuration: str = ""
    filters: tuple[str, ...] = ()


def critical_keys(bindings: Iterable[Binding], arch: Architecture) -> Keys:
    """The CriticalDeviceDatabase, below a control set; an INF's name makes the DriverPackageId of Vista and 7."""
    keys: Keys = {}
    for each in bindings:
        for device in each.ids:
            values: dict[str, RegistryValue] = {"ClassGUID": each.class_guid}
            if each.service:
                values["Service"] = each.service
            if each.inf:
                values["DriverPackageId"] = f"{each.inf}_{_LABELS[arch][1]}_neutral_{hash_of(each.inf):016x}"
            keys[rf"Control\CriticalDeviceDatabase\{device.replace(chr(92), '#')}"] = values
    return keys


def database_keys(bindings: Iterable[Binding], version: tuple[int, int], arch: Architecture) -> Keys:
    """The DriverDatabase of Windows 8 or later, from the root of the SYSTEM hive."""
    number, label = _LABELS[arch]
    schema = {(6, 2): 0x06020000, (6, 3): 0x06030000}.get(version, 0x0A000000)
    keys: Keys = {"DriverDatabase": {"Version": schema, "Architecture": number, "OemInfMap": b"\xff\x80"}}
    for inf, entries in _by_inf(bindings):
        package = f"{inf}_{label}_{hash_of(inf):016x}"
        configurations = tuple(dict.fromkeys(each.configuration for each in entries))
        keys[rf"DriverDatabase\DriverInfFiles\{inf}"] = {
            "": Multi((package,)), "Active": package, "Configurations": Multi(configurations),
        }  # fmt: skip
        top = rf"DriverDatabase\DriverPackages\{package}"
        blob = version_blob(entries[0].class_guid, number, _DATE, (version[0], version[1], 9200, 16384))
        keys[top] = {"": inf, "Version": blob, "Provider": "Microsoft", "SignerScore": 0x0D000003}
        for each in entries:
            keys[rf"{top}\Configurations\{each.configuration}"] = _configuration(each)
            for device in each.ids:
                keys.setdefault(rf"DriverDatabase\DeviceIds\{device}", {})[inf] = b"\x01\xff\0\0"
                keys[rf"{top}\Descriptors\{device}"] = {"Configuration": each.configuration, "Manufacturer": "%ms%"}
    return keys


def version_blob(
    class_guid: str, architecture: int, date: int, version: tuple[int, int, int, int], *, inbox: bool = True
) -> bytes:
    """A package's Version value, as the hives of Windows 8.1 and 10 have it."""
    head = (b"\xff\xff" if inbox else b"\0\xff") + pack("<HI", architecture, 0)
    return head + uuid.UUID(class_guid).bytes_le + pack("<Q4HQ", date, *reversed(version), 0)


def hash_of(text: str) -> int:
    """Some number for a label."""
    return int.from_bytes(text.encode().ljust(8)[:8], "big")


def _configuration(binding: Binding) -> dict[str, RegistryValue]:
    values: dict[str, RegistryValue] = {"Service": binding.service} if binding.service else {}
    values["ConfigFlags"] = 0
    if binding.filters:
        values["LowerFilters"] = Multi(binding.filters)
    return values


def _by_inf(bindings: Iterable[Binding]) -> Iterator[tuple[str, tuple[Binding, ...]]]:
    everything = tuple(bindings)
    for inf in dict.fromkeys(each.inf for each in everything):
        yield inf, tuple(each for each in everything if each.inf == inf)
