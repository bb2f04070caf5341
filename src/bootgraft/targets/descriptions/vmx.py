"""VMware's ``.vmx``: lines of ``key = "value"``, keys without regard to case.

Sources: libvirt, ``src/vmx/vmx.c`` (device names, escapes ``|XX``, device types); virt-v2v,
``input/parse_domain_from_vmx.ml`` (a device that is there has ``present = "TRUE"``); Broadcom knowledge base 326326
(``bios.hddOrder``, ``bios.bootOrder``: an order, which leaves nothing out); vSphere Virtual Machine Administration,
"Change CPU Identification Mask Settings".
"""

import codecs
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from msgspec import Struct

from bootgraft.targets.descriptions.hardware import BootOrder, Processor, quoted
from bootgraft.targets.descriptions.vmdescription import (
    Firmware,
    NetworkCard,
    VmDescription,
    VmDisk,
    VmFormat,
    counted,
    in_order,
    malformed,
    passed_through,
)

_LINE = re.compile(rb'[ \t]*([^\s="#]+)[ \t]*=[ \t]*(?:"([^"]*)"|([^"\s]*))[ \t]*')
_BLANK = re.compile(rb"[ \t]*(#.*)?")
_DEVICE = re.compile(r"(scsi|ide|sata|nvme)(\d{1,4}):(\d{1,4})")
_PASSED = re.compile(r"pcipassthru\d{1,3}\.present")
_CARD = re.compile(r"ethernet(\d{1,4})")
_ESCAPE = re.compile(r"\|([0-9A-Fa-f]{2})")
CONTROLLERS: dict[tuple[str, ...], str] = {
    ("ide", ""): "vmware:ide",
    ("sata", ""): "vmware:ahci",
    ("nvme", ""): "vmware:nvme",
    ("scsi", "lsilogic"): "vmware:lsilogic",
    ("scsi", "lsisas1068"): "vmware:lsisas1068",
    ("scsi", "pvscsi"): "vmware:pvscsi",
    ("scsi", "buslogic"): "vmware:buslogic",
}
"""By VMware's bus and, for SCSI, its ``virtualDev``."""
_DISK_TYPES = {"disk", "scsi-harddisk", "ata-harddisk", "sata-harddisk", "nvme-harddisk", "plaindisk", "rawdisk"}
_OTHER_TYPES = {"cdrom-image", "cdrom-raw", "atapi-cdrom", "scsi-passthru", "clientdevice"}
_CPUID_BITS = {
    ("cpuid.1.ecx", 13): "cx16",
    ("cpuid.1.ecx", 20): "sse4.2",
    ("cpuid.1.ecx", 23): "popcnt",
    ("cpuid.1.edx", 6): "pae",
    ("cpuid.1.edx", 26): "sse2",
    ("cpuid.80000001.edx", 20): "nx",
    ("cpuid.80000001.edx", 29): "lm",
}
"""Where CPUID says that a processor has what a Windows needs (Intel SDM volume 2A, CPUID), by mask and bit."""


class _Setting(Struct, frozen=True):
    """One line's value; ``start`` and ``end`` are bytes of the value with its quotes, ``line_end`` the line's."""

    value: str
    line: int
    start: int
    end: int
    line_end: int


def parse(data: bytes, path: Path) -> VmDescription:
    """Read a ``.vmx``.

    Raises:
        VmDescriptionError: a line is none, a key is given twice, or a device is of an unknown type.
    """
    settings = _settings(data, path)
    disks = sorted(counted(_disks(settings, path), path), key=_natural)
    places = {disk.place for disk in disks}
    names = (each.strip().casefold() for each in _value(settings, "bios.hddorder").split(","))
    listed = tuple(dict.fromkeys(name for name in names if name in places))
    return VmDescription(
        path,
        FORMAT,
        in_order(disks, listed),
        Firmware.UEFI if _value(settings, "firmware").casefold() == "efi" else Firmware.BIOS,
        tuple(_cards(settings)),
        _doubt([disk for disk in disks if disk.place not in listed]),
        passed_through(
            [key.rpartition(".")[0] for key in settings if _PASSED.fullmatch(key) and _is_true(settings, key)]
        ),
        secure_boot=_is_true(settings, "uefi.secureboot.enabled"),
        boot_order=_boot_order(settings, listed),
        processor=_processor(settings),
        unattached=tuple(sorted(_unattached(settings), key=_natural)),
    )


def plug(data: bytes, path: Path, names: Collection[str], *, plugged: bool) -> bytes:
    """Return the file with these adapters connected or not, and every other byte as it was."""
    settings = _settings(data, path)
    word = b'"TRUE"' if plugged else b'"FALSE"'
    edits = []
    for name in names:
        present = settings[f"{name}.present"]
        own = settings.get(f"{name}.startconnected")
        if own is not None:
            edits.append((own.start, own.end, word))
        else:
            line_end = b"\r\n" if b"\r\n" in data else b"\n"
            edits.append((present.line_end, present.line_end, line_end + f"{name}.startConnected = ".encode() + word))
    for start, end, new in sorted(edits, reverse=True):
        data = data[:start] + new + data[end:]
    return data


def _settings(data: bytes, path: Path) -> dict[str, _Setting]:
    settings: dict[str, _Setting] = {}
    encoding = "utf-8"
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    for number, line in enumerate(data[start:].split(b"\n"), 1):
        content = line.rstrip(b"\r")
        found = _LINE.fullmatch(content)
        if found is None:
            if _BLANK.fullmatch(content):
                start += len(line) + 1
                continue
            raise malformed(path, number, 'this line is not of the form key = "value"')
        key = found[1].decode("latin-1").casefold()
        value = _decoded(found[2] if found[2] is not None else found[3], encoding)
        if key in settings:
            raise malformed(path, number, f"{key!r} is given twice, first in line {settings[key].line}")
        if key == ".encoding":
            encoding = value
        quote = found[2] is not None
        at = start + found.start(2 if quote else 3) - quote
        end = start + found.end(2 if quote else 3) + quote
        settings[key] = _Setting(value, number, at, end, start + len(content))
        start += len(line) + 1
    return settings


def _decoded(value: bytes, encoding: str) -> str:
    try:
        text = value.decode(encoding, "surrogateescape")
    except (LookupError, ValueError):  # of an encoding that nobody knows, or none that could have a name
        text = value.decode("utf-8", "surrogateescape")
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def _value(settings: dict[str, _Setting], key: str) -> str:
    found = settings.get(key)
    return "" if found is None else found.value


def _is_true(settings: dict[str, _Setting], key: str) -> bool:
    return _value(settings, key).casefold() in ("true", "yes", "1")


def _disks(settings: dict[str, _Setting], path: Path) -> Iterator[VmDisk]:
    for key, setting in settings.items():
        device, _, member = key.rpartition(".")
        found = _DEVICE.fullmatch(device)
        if member != "filename" or found is None or not _is_true(settings, f"{device}.present"):
            continue
        bus = found[1] + found[2]
        # An IDE channel needs no line of its own: both belong to the chipset.
        if found[1] != "ide" and not _is_true(settings, f"{bus}.present"):
            continue
        if _is_disk(settings, device, path):
            yield VmDisk(setting.value, device, _controller(settings, found[1], bus, path), setting.line)


def _is_disk(settings: dict[str, _Setting], device: str, path: Path) -> bool:
    kind = settings.get(f"{device}.devicetype")
    name = _value(settings, f"{device}.filename").casefold()
    if kind is None:
        return name.endswith(".vmdk")
    word = kind.value.casefold()
    if word in _DISK_TYPES:
        return True
    if word in _OTHER_TYPES:
        return False
    raise malformed(path, kind.line, f"{device} is of a type that bootgraft does not know: {kind.value!r}")


def _controller(settings: dict[str, _Setting], kind: str, bus: str, path: Path) -> str | None:
    if kind != "scsi":
        return CONTROLLERS[kind, ""]
    model = settings.get(f"{bus}.virtualdev")
    if model is None:
        return None  # VMware then chooses by the guest and the version of the virtual hardware
    found = CONTROLLERS.get(("scsi", model.value.casefold()))
    if found is None:
        raise malformed(path, model.line, f"{bus} is a controller that bootgraft does not know: {model.value!r}")
    return found


def _natural(disk: VmDisk) -> tuple[str, int, int]:
    found = _DEVICE.fullmatch(disk.place)
    assert found is not None
    return found[1], int(found[2]), int(found[3])


def _doubt(disks: list[VmDisk]) -> str:
    """One controller's disks are numbered by their place on it; of several the file tells no order."""
    buses = list(dict.fromkeys("ide" if d.place.startswith("ide") else d.place.partition(":")[0] for d in disks))
    if len(buses) < 2:
        return ""
    return f"it has disks on {quoted(' and '.join(buses))}, and no bios.hddOrder says which the BIOS takes first"


def _boot_order(settings: dict[str, _Setting], listed: tuple[str, ...]) -> BootOrder | None:
    """The disks that the BIOS takes first; the others come after them. EFI firmware keeps its order elsewhere."""
    if not listed or _value(settings, "firmware").casefold() == "efi":
        return None
    order = settings["bios.hddorder"]
    said = f"bios.hddOrder = {quoted(order.value)}"
    return BootOrder(
        listed, exclusive=False, first_only=False, said=said, line=order.line, remedy='bios.hddOrder = "{place}"'
    )


def _processor(settings: dict[str, _Setting]) -> Processor | None:
    """The host's own, without the features that masks hide: a ``0`` at a bit's place (the leftmost is bit 31)."""
    hidden = [(key, name) for (key, bit), name in _CPUID_BITS.items() if _bit(settings, key, bit) == "0"]
    if not hidden:
        return None
    line = settings[hidden[0][0]].line
    said = f"{hidden[0][0]} = {quoted(settings[hidden[0][0]].value)}"
    return Processor("", said, line, "no mask, or `-` instead of `0`", removed=tuple(name for _, name in hidden))


def _bit(settings: dict[str, _Setting], key: str, bit: int) -> str:
    mask = re.sub(r"[:\s]", "", _value(settings, key))
    return mask[31 - bit] if len(mask) == 32 else ""


def _unattached(settings: dict[str, _Setting]) -> Iterator[VmDisk]:
    """Disks whose line was kept when they were taken out."""
    for key, setting in settings.items():
        device, _, member = key.rpartition(".")
        is_out = member == "filename" and _DEVICE.fullmatch(device) and f"{device}.present" in settings
        if is_out and not _is_true(settings, f"{device}.present") and setting.value.casefold().endswith(".vmdk"):
            yield VmDisk(setting.value, device, None, setting.line)


def _cards(settings: dict[str, _Setting]) -> Iterator[NetworkCard]:
    cards = []
    for key in settings:
        device, _, member = key.rpartition(".")
        if member == "present" and _CARD.fullmatch(device) and _is_true(settings, key):
            own = settings.get(f"{device}.startconnected")
            plugged = own is None or _is_true(settings, f"{device}.startconnected")
            cards.append(NetworkCard(device, plugged, (own or settings[key]).line))
    yield from sorted(cards, key=lambda card: int(card.name.removeprefix("ethernet")))


FORMAT = VmFormat(
    name="vmx",
    title="a .vmx",
    parse=parse,
    line=re.compile(rb'^[ \t]*[^\s="#]+[ \t]*=', re.MULTILINE),
    plug=plug,
    read_again="VMware reads the file when the machine is opened: close it and open it again, or on ESXi "
    "`vim-cmd vmsvc/reload VMID`.",
)
