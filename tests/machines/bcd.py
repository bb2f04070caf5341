r"""BCD stores as Windows Vista and later write them, filled by hivexregedit.

Numbers: Microsoft, "BCD Reference"; the bytes of device elements as the stores of real machines have them.
"""

import struct
import uuid

from msgspec import Struct

from tests.machines.registry_text import Keys, Multi, RegistryValue, reg_text
from tests.machines.spec import Hive

BOOTMGR = "9dea862c-5cdd-4e70-acc1-f32b344d4795"
LOADER_SETTINGS = "6efb52bf-1766-41db-a6b3-0ee5eff72bd7"
GLOBAL_SETTINGS = "7ea2e1ac-2e61-4728-aaa3-896d9d0a9f0e"
OS_LOADER, RESUME, BOOT_MANAGER, NTLDR, SETTINGS = 0x10200003, 0x10200004, 0x10100002, 0x10300006, 0x20200003
_OPTIONS_SIZE, _PARTITION_LENGTH = 16, 0x48


def boot_device() -> bytes:
    """The volume that bootmgr came from."""
    return bytes(_OPTIONS_SIZE) + struct.pack("<IIII", 5, 0, _PARTITION_LENGTH, 0) + bytes(0x38)


def mbr_device(signature: int, offset: int) -> bytes:
    """A partition by its disk's signature and its offset in bytes."""
    return bytes(_OPTIONS_SIZE) + _partition(struct.pack("<QQ", offset, 0), 1, struct.pack("<IIII", signature, 0, 0, 0))


def gpt_device(disk: str, partition: str) -> bytes:
    """A partition by the GUIDs of its disk and itself."""
    return bytes(_OPTIONS_SIZE) + _partition(uuid.UUID(partition).bytes_le, 0, uuid.UUID(disk).bytes_le)


def locate_device(element: int) -> bytes:
    """The volume that has what this element names."""
    return bytes(_OPTIONS_SIZE) + struct.pack("<IIIIIIIH", 8, 0, 0x1E, 0, 0, element, 0, 0)


def ramdisk_device(partition: bytes, path: str, options: str) -> bytes:
    """A RAM disk from a file on a partition, which is given as a device of its own."""
    name = (path + "\0").encode("utf-16-le")
    inner = partition[_OPTIONS_SIZE:] + name
    file = struct.pack("<III", 1, 12 + len(inner), 5) + inner
    body = struct.pack("<I", 3) + bytes(20) + file
    return uuid.UUID(options).bytes_le + struct.pack("<IIII", 0, 1, 16 + len(body), 0) + body


def virtual_disk_device(partition: bytes, path: str) -> bytes:
    """The volume with the Windows inside a virtual disk whose file lies on a partition (a device of its own)."""
    name = (path + "\0").encode("utf-16-le")
    inner = partition[_OPTIONS_SIZE:] + name
    file = struct.pack("<III", 1, 12 + len(inner), 5) + inner
    image = struct.pack("<IIII", 0, 0, 16 + 4 + len(file), 0) + struct.pack("<I", 5) + file
    disk = struct.pack("<IIII", 0, 0, 16 + 4 + 20 + len(image), 0) + struct.pack("<I", 6) + bytes(20) + image
    head = struct.pack("<IIIIIIIH", 8, 0, 0x1E + len(disk), 0, 0, 0x22000002, 0x1E, 0)
    return bytes(_OPTIONS_SIZE) + head + disk


def _partition(own: bytes, style: int, disk: bytes) -> bytes:
    return struct.pack("<IIII", 6, 0, _PARTITION_LENGTH, 0) + own + struct.pack("<II", 0, style) + disk + bytes(16)


class Entry(Struct, frozen=True):
    """One object: its elements by number; text stands for a string or a GUID in braces, a tuple for a list of GUIDs."""

    guid: str
    elements: dict[int, str | bytes | tuple[str, ...]]
    type: int = OS_LOADER


def loader(
    guid: str,
    device: bytes,
    *,
    path: str = r"\Windows\system32\winload.exe",
    root: str = r"\Windows",
    osdevice: bytes | None = None,
    title: str = "Windows 7",
) -> Entry:
    """An entry that starts an installed Windows."""
    elements: dict[int, str | bytes | tuple[str, ...]] = {
        0x11000001: device,
        0x12000002: path,
        0x12000004: title,
        0x14000006: (LOADER_SETTINGS,),
        0x21000001: device if osdevice is None else osdevice,
        0x22000002: root,
        0x25000020: bytes(8),
    }
    return Entry(guid, elements)


def bootmgr(
    device: bytes, default: str | None, order: tuple[str, ...], *, resumes: bool = False, **more: tuple[str, ...]
) -> Entry:
    """The boot manager's own object; ``sequence`` is what it starts once, ``resumes`` that a session was saved."""
    elements: dict[int, str | bytes | tuple[str, ...]] = {
        0x11000001: device,
        0x12000004: "Windows Boot Manager",
        0x14000006: (GLOBAL_SETTINGS,),
        0x24000001: order,
        0x25000004: struct.pack("<Q", 30),
    }
    if default is not None:
        elements[0x23000003] = "{" + default + "}"
    if resumes:
        elements[0x26000005] = b"\x01"
    if "sequence" in more:
        elements[0x24000002] = more["sequence"]
    return Entry(BOOTMGR, elements, BOOT_MANAGER)


def store(*entries: Entry) -> Hive:
    """A store with these objects and the sets of settings that they inherit from."""
    settings = (
        Entry(LOADER_SETTINGS, {0x14000006: (GLOBAL_SETTINGS,)}, SETTINGS),
        Entry(GLOBAL_SETTINGS, {0x16000048: b"\x00"}, 0x20100000),
    )
    keys: dict[str, dict[str, RegistryValue]] = {
        "Description": {"KeyName": "BCD00000000", "System": 1, "TreatAsSystem": 1},
        "Objects": {},
    }
    for entry in (*entries, *settings):
        root = rf"Objects\{{{entry.guid}}}"
        keys[rf"{root}\Description"] = {"Type": entry.type}
        keys[rf"{root}\Elements"] = {}
        for number, value in entry.elements.items():
            keys[rf"{root}\Elements\{number:08x}"] = {"Element": _stored(value)}
    return Hive(_text(keys), 3)


def _stored(value: str | bytes | tuple[str, ...]) -> RegistryValue:
    return Multi(tuple("{" + each + "}" for each in value)) if isinstance(value, tuple) else value


def _text(keys: Keys) -> str:
    return reg_text(keys)
