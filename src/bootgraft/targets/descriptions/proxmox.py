"""Proxmox VE's ``/etc/pve/qemu-server/VMID.conf``: lines of ``key: value``, snapshots in sections behind them.

Sources: pve-docs, ``qm.conf.5`` (keys, the order of boot devices); qemu-server, ``PVE/QemuServer.pm`` and
``PVE/QemuServer/Drive.pm`` (defaults, drive names), ``pve-q35*.cfg`` (virtio devices sit behind a conventional bridge,
so they are transitional on q35 too).
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from bootgraft.targets.descriptions import proxmox_hardware
from bootgraft.targets.descriptions.proxmox_lines import ConfLine, options_of, read_settings, value_of
from bootgraft.targets.descriptions.vmdescription import (
    NetworkCard,
    VmDescription,
    VmDisk,
    VmFormat,
    VmLock,
    in_order,
    malformed,
    passed_through,
)

_DRIVE = re.compile(r"(ide|sata|scsi|virtio)(\d{1,2})")
_CARD = re.compile(r"net(\d{1,2})")
_UNUSED = re.compile(r"unused\d{1,3}")
_LINK_DOWN = re.compile(r"(?<=,)link_down=[^,]*|^link_down=[^,]*")
CONTROLLERS: dict[tuple[str, ...], str | None] = {
    ("ide", ""): "kvm:ide",
    ("sata", ""): "kvm:ahci",
    ("virtio", ""): "kvm:virtio-blk",
    ("scsi", "lsi"): "kvm:lsi",
    ("scsi", "megasas"): "kvm:megasas",
    ("scsi", "virtio-scsi-pci"): "kvm:virtio-scsi",
    ("scsi", "virtio-scsi-single"): "kvm:virtio-scsi",
    ("scsi", "pvscsi"): "kvm:pvscsi",
    ("scsi", "lsi53c810"): None,
}
"""By Proxmox' names of drives and, for SCSI, its ``scsihw``."""
_LOCKS = {
    "backup": "it is being backed up",
    "clone": "it is being cloned",
    "create": "it is being created or restored",
    "migrate": "it is being moved to another node",
    "rollback": "it is being put back to a snapshot",
    "snapshot": "a snapshot of it is being taken",
    "snapshot-delete": "a snapshot of it is being deleted",
    "suspending": "its memory is being saved to disk",
    "suspended": "its memory is saved to disk, with what Windows has not written yet",
}
"""What the words of ``lock`` mean (qemu-server, ``PVE/QemuServer.pm``)."""
_BUSES = ("ide", "sata", "scsi", "virtio")


def parse(data: bytes, path: Path) -> VmDescription:
    """Read a ``.conf``: the machine as it is now, without what its snapshots say.

    Raises:
        VmDescriptionError: a line is none, a key is given twice, or a controller is unknown.
    """
    settings = read_settings(data, path)
    disks = sorted(_disks(settings, path), key=_natural)
    first = list(dict.fromkeys(proxmox_hardware.disk_order(settings)))
    rest = {disk.place.rstrip("0123456789") for disk in disks if disk.place not in first}
    doubt = ""
    if len(rest) > 1:
        doubt = f"it has disks on {' and '.join(sorted(rest, key=_BUSES.index))}, and no boot order names them"
    return VmDescription(
        path,
        FORMAT,
        in_order(disks, first),
        proxmox_hardware.firmware(settings),
        tuple(_cards(settings)),
        doubt,
        passed_through([key for key in settings if re.fullmatch(r"hostpci\d{1,2}", key)]),
        _lock(settings, path),
        # Without a disk for its variables OVMF has no keys, and by default none are enrolled there (qm.conf(5)).
        "pre-enrolled-keys=1" in value_of(settings, "efidisk0").split(","),
        proxmox_hardware.boot_order(settings, [disk.place for disk in disks]),
        proxmox_hardware.processor(settings),
        tuple(_unattached(settings)),
        spare_processors=proxmox_hardware.spare_processors(settings),
    )


def plug(data: bytes, path: Path, names: Collection[str], *, plugged: bool) -> bytes:
    """Return the file with these adapters connected or not, and every other byte as it was."""
    settings = read_settings(data, path)
    text = data.decode("latin-1")
    for name in sorted(names, key=lambda each: settings[each].start, reverse=True):
        setting = settings[name]
        end = setting.start + len(setting.value)
        option = f"link_down={0 if plugged else 1}"
        new = _LINK_DOWN.sub(option, setting.value)
        if new == setting.value and option not in setting.value.split(","):
            new = f"{setting.value},{option}"
        text = text[: setting.start] + new + text[end:]
    return text.encode("latin-1")


def _disks(settings: dict[str, ConfLine], path: Path) -> Iterator[VmDisk]:
    for key, setting in settings.items():
        found = _DRIVE.fullmatch(key)
        if found is None:
            continue
        volume, options = options_of(setting.value)
        if options.get("media") == "cdrom" or volume in ("none", "cdrom", ""):
            continue
        size = proxmox_hardware.sector_size(settings)
        yield VmDisk(_text(volume), key, _controller(settings, found[1], path), setting.line, size)


def _unattached(settings: dict[str, ConfLine]) -> Iterator[VmDisk]:
    for key, setting in settings.items():
        if _UNUSED.fullmatch(key):
            yield VmDisk(_text(setting.value), key, None, setting.line)


def _text(volume: str) -> str:
    """The name of a disk, text for people from here on: of the storage's name and path inside it."""
    return volume.encode("latin-1").decode("utf-8", "surrogateescape")


def _controller(settings: dict[str, ConfLine], bus: str, path: Path) -> str | None:
    if bus == "ide" and "q35" in value_of(settings, "machine"):
        bus = "sata"  # q35 has no IDE: the disk is attached to the chipset's AHCI
    if bus != "scsi":
        return CONTROLLERS[bus, ""]
    hardware = settings.get("scsihw")
    model = "lsi" if hardware is None else hardware.value
    if hardware is not None and (bus, model) not in CONTROLLERS:
        raise malformed(path, hardware.line, f"scsihw is a controller that bootgraft does not know: {model!r}")
    return CONTROLLERS[bus, model]


def _natural(disk: VmDisk) -> tuple[int, int]:
    bus = disk.place.rstrip("0123456789")
    return _BUSES.index(bus), int(disk.place.removeprefix(bus))


def _lock(settings: dict[str, ConfLine], path: Path) -> VmLock | None:
    setting = settings.get("lock")
    if setting is None or not setting.value:
        return None
    number = path.stem if path.stem.isdecimal() else "VMID"
    meaning = _LOCKS.get(setting.value, "a task is at work on it")
    if setting.value == "suspended":  # an unlocked machine would start without its saved memory
        advice = f"Resume it (`qm resume {number}`) and shut Windows down, then try again"
    else:
        advice = (
            "Wait until that task has ended. If the node's task list shows none at work, it was cut off: "
            f"`qm unlock {number}`, then try again"
        )
    return VmLock(f"Proxmox has locked the machine ({setting.value}): {meaning}", advice, setting.line)


def _cards(settings: dict[str, ConfLine]) -> Iterator[NetworkCard]:
    cards = [key for key in settings if _CARD.fullmatch(key)]
    for key in sorted(cards, key=lambda each: int(each.removeprefix("net"))):
        _, options = options_of(settings[key].value)
        yield NetworkCard(key, options.get("link_down", "0") in ("0", ""), settings[key].line)


FORMAT = VmFormat(
    name="proxmox",
    title="Proxmox's .conf",
    parse=parse,
    line=re.compile(rb"^[a-z][a-z0-9]*:[ \t]", re.MULTILINE),
    plug=plug,
    read_again="Proxmox reads the file at the next start.",
)
