"""Does the boot order in the machine's description reach the disk that Windows starts from?"""

from collections.abc import Iterator

from bootgraft.boot.chain import BootChain
from bootgraft.checks.check import Check
from bootgraft.checks.finding import FaultPlace, Finding, FindingDoc, Need, Severity, Stage
from bootgraft.checks.guest import DescribedVm
from bootgraft.checks.symptom import Symptom
from bootgraft.machine import Disk, Firmware, Machine
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.targets.descriptions.hardware import BootOrder, quoted

ID = "vm-boot-order"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows, where --vm gives a description that says from which devices the machine starts",
    cause="The boot order names only a network adapter or CD-ROM, or another disk. Proxmox and libvirt start qemu so "
    "that it tries nothing but what is named, and SeaBIOS tries one disk only, the first. A converter or an API that "
    "attaches a disk does not always put it into the boot order. A generation 1 machine of Hyper-V starts from IDE "
    "alone.",
    evidence="The line with the boot order, and where the description has the disk with the loader.",
    fix="None: the disk is right. Change the description as the finding says: `boot: order=` in Proxmox's .conf, "
    "`<boot order='1'/>` in the disk or `<boot dev='hd'/>` in libvirt's XML, `bios.hddOrder` in a .vmx.",
    limits="What UEFI firmware keeps in its variables is not read. OVMF follows the order only where it finds one of "
    "the devices in it, so the verdict is then unknown, not blocked.",
    symptoms=(Symptom.NO_BOOTABLE_DEVICE, Symptom.MISSING_SYSTEM),
    references=(
        "https://pve.proxmox.com/pve-docs/qm.conf.5.html",
        "https://libvirt.org/formatdomain.html#bios-bootloader",
        "https://www.qemu.org/docs/master/system/bootindex.html",
        "https://knowledge.broadcom.com/external/article/326326",
    ),
    fault_in=FaultPlace.OUTSIDE,
)


def check(machine: Machine, chain: BootChain, described: DescribedVm | None) -> tuple[Finding, ...]:
    """Compare the boot order with disk 0, which has the loader."""
    if described is None or described.boot_order is None or not described.places or not machine.disks:
        return ()
    order, place = described.boot_order, described.places[0]
    firmware = described.firmware or chain.firmware or Firmware.BIOS
    tried = order.tried if firmware is Firmware.UEFI or not order.first_only else order.tried[:1]
    if place not in tried and order.exclusive:
        return (_not_tried(order, place, described, sure=firmware is Firmware.BIOS),)
    before = tried[: tried.index(place)] if place in tried else tried
    starting = tuple(_that_start(machine, described, before, firmware))
    return (_tried_after(order, place, described, starting),) if starting else ()


def _that_start(machine: Machine, described: DescribedVm, tried: tuple[str, ...], firmware: Firmware) -> Iterator[str]:
    """The places from which the firmware starts something, so that it does not come to the next."""
    starts = _has_system_partition if firmware is Firmware.UEFI else _has_boot_mark
    for place, disk in zip(described.places, machine.disks, strict=False):
        if place in tried and starts(disk):
            yield place


def _has_boot_mark(disk: Disk) -> bool:
    """Whether a BIOS runs what stands in sector 0."""
    return disk.device.size >= SECTOR and disk.device.read(SECTOR - 2, 2) == b"\x55\xaa"


def _has_system_partition(disk: Disk) -> bool:
    from bootgraft.boot.bootmgr.uefi import SYSTEM_PARTITION  # most machines have a BIOS

    return any(partition.type == SYSTEM_PARTITION for partition in disk.table.partitions)


def _not_tried(order: BootOrder, place: str, described: DescribedVm, *, sure: bool) -> Finding:
    instead = f"; it starts from {quoted(order.tried[0])}" if order.tried else ""
    what = "The firmware does not try this disk, whatever is on it."
    if not sure:
        what = "UEFI firmware tries only what the order names, if it finds any of that; else it tries this disk too."
    return Finding(
        ID,
        Severity.BLOCKER if sure else Severity.WARNING,
        f"the machine's boot order does not reach disk 0 ({quoted(place)}){instead}",
        f"{what} Change the description: {_remedy(order, place)}.",
        _evidence(order, place, described),
        leaves_open=not sure,
        fault_in=FaultPlace.OUTSIDE,
    )


def _tried_after(order: BootOrder, place: str, described: DescribedVm, starting: tuple[str, ...]) -> Finding:
    names = quoted(", ".join(starting))
    return Finding(
        ID,
        Severity.WARNING,
        f"the machine's boot order has {names} before disk 0 ({quoted(place)})",
        f"The firmware finds something to start on {names} and may never come to disk 0. Give the disks in the order "
        f"of the description, or change that: {_remedy(order, place)}.",
        _evidence(order, place, described),
        leaves_open=True,
        fault_in=FaultPlace.OUTSIDE,
    )


def _remedy(order: BootOrder, place: str) -> str:
    return order.remedy.replace("{place}", quoted(place))


def _evidence(order: BootOrder, place: str, described: DescribedVm) -> tuple[str, ...]:
    return (f"{described.line(order.line)}: {order.said}", f"disk 0 is {quoted(place)}")


CHECK = Check(
    Stage.CHAIN,
    12,
    (DOC,),
    lambda guest: check(guest.machine, guest.chain, guest.described),
    needs=Need.DESCRIPTION,
)
