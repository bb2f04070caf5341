"""Firmware, boot order and processor of a machine of Proxmox VE's.

Sources: pve-docs, ``qm.conf.5``; qemu-server, ``PVE/QemuServer.pm`` (``device_bootorder``, ``bootorder_from_legacy``,
``-boot strict=on``), ``PVE/QemuServer/Drive.pm`` (``drive_is_cloudinit``) and ``PVE/QemuServer/CPUConfig.pm`` (kvm64
where no ``cpu`` is set, built-in models).
"""

import re
from collections.abc import Collection, Iterator, Mapping

from bootgraft.targets.descriptions.hardware import BootOrder, Processor, quoted
from bootgraft.targets.descriptions.proxmox_lines import ConfLine, options_of, value_of
from bootgraft.targets.descriptions.vmdescription import Firmware

_DRIVE = re.compile(r"(ide|sata|scsi|virtio)\d{1,2}")
_SECTOR_SIZE = 512
_CARD = re.compile(r"net\d{1,2}")
_CLOUD_INIT = re.compile(r"[:/](?:vm-\d+-)?cloudinit\b", re.ASCII)


def disk_order(settings: Mapping[str, ConfLine]) -> list[str]:
    """The places in ``boot: order=scsi0;ide2;net0``, or the ``bootdisk`` of older versions."""
    _, options = options_of(value_of(settings, "boot"))
    if "order" in options:
        return options["order"].split(";")
    return [value_of(settings, "bootdisk")] if "bootdisk" in settings else []


def firmware(settings: Mapping[str, ConfLine]) -> Firmware | None:
    """SeaBIOS unless it is told otherwise; qemu's own arguments may say anything."""
    if re.search(r"-bios|pflash", value_of(settings, "args")):
        return None
    return Firmware.UEFI if value_of(settings, "bios") == "ovmf" else Firmware.BIOS


def boot_order(settings: Mapping[str, ConfLine], disks: Collection[str]) -> BootOrder | None:
    """What is tried; None where no device that is there is named, as then all are tried."""
    setting = settings.get("boot")
    plain, options = options_of("" if setting is None else setting.value)
    order = options.get("order")
    named = _legacy(settings, options.get("legacy") or plain or "cdn") if order is None else re.split(r"[;\s]+", order)
    present = [each for each in dict.fromkeys(named) if each in settings]
    if not present or "bootindex" in value_of(settings, "args"):
        return None
    said = "it has no `boot` line" if setting is None else f"boot: {quoted(setting.value)}"
    if order is None:
        said += f", bootdisk: {quoted(value_of(settings, 'bootdisk') or 'none')}"
    others = quoted(";".join(each for each in present if each not in disks))
    return BootOrder(
        tuple(each for each in present if each in disks),
        exclusive=True,
        first_only=True,
        said=said,
        line=None if setting is None else setting.line,
        remedy=f"boot: order={{place}}{';' if others else ''}{others}",
    )


def _legacy(settings: Mapping[str, ConfLine], letters: str) -> Iterator[str]:
    """The devices that an order of letters names: of the disks only the one that ``bootdisk`` does."""
    for letter in dict.fromkeys(letters):
        match letter:
            case "c":
                yield value_of(settings, "bootdisk")
            case "d":
                yield from (key for key in settings if _DRIVE.fullmatch(key) and _is_cdrom(settings[key].value))
            case "n":
                yield from (key for key in settings if _CARD.fullmatch(key))
            case _:
                pass


def _is_cdrom(value: str) -> bool:
    """Whether it is a drive that is started from: one with the settings of cloud-init is none."""
    volume, options = options_of(value)
    return options.get("media") == "cdrom" and not _CLOUD_INIT.search(volume)


def processor(settings: Mapping[str, ConfLine]) -> Processor | None:
    """The model that ``cpu`` names; without it qemu-server takes kvm64, or qemu64 without KVM."""
    if "-cpu" in value_of(settings, "args") or value_of(settings, "arch") not in ("", "x86_64"):
        return None
    setting = settings.get("cpu")
    plain, options = options_of("" if setting is None else setting.value)
    default = "qemu64" if value_of(settings, "kvm") == "0" else "kvm64"
    model = plain or options.get("cputype") or default
    if model.startswith("custom-"):  # defined in another file, cpu-models.conf
        return None
    flags = [each.strip() for each in options.get("flags", "").split(";")]
    return Processor(
        "" if model in ("host", "max") else model,
        f"it has no `cpu` line, which means {default}" if setting is None else f"cpu: {quoted(setting.value)}",
        None if setting is None else setting.line,
        "cpu: x86-64-v2-AES",
        tuple(each[1:] for each in flags if each.startswith("+")),
        tuple(each[1:] for each in flags if each.startswith("-")),
    )


def sector_size(settings: Mapping[str, ConfLine]) -> int | None:
    """Of every disk, in bytes: qemu's default, which no key of Proxmox' changes, but qemu's own arguments may."""
    return None if "block_size" in value_of(settings, "args") else _SECTOR_SIZE


def spare_processors(settings: Mapping[str, ConfLine]) -> str:
    """What it says of processors that may be added: ``hotplug`` with cpu (qm.conf(5)); empty where none may."""
    setting = settings.get("hotplug")
    kinds = () if setting is None else tuple(each.strip() for each in setting.value.split(","))
    return f"hotplug: {quoted(setting.value)}" if setting is not None and "cpu" in kinds else ""
