"""Hyper-V's XML exports, as Windows Server 2008 to 2012 R2 write them (``Virtual Machines\\GUID.xml``).

Each device of the machine has an element ``_GUID_`` of its own; the manifest says what the GUIDs are. Since Server 2016
the description is a binary ``.vmcx``; no library that may be used here reads it (dissect.hypervisor is AGPL), so it is
refused in ``vmfile``.
"""

from collections.abc import Iterator
from pathlib import Path

from bootgraft.targets.descriptions.hardware import BootOrder
from bootgraft.targets.descriptions.vmdescription import (
    Firmware,
    NetworkCard,
    VmDescription,
    VmDisk,
    VmFormat,
    counted,
)
from bootgraft.targets.descriptions.xmltree import XmlElement, parse_xml

_IDE = "_83f8638b-8dca-4152-9eda-2ca8b33039b4_"
_GENERATION_2 = "1"  # configuration/properties/subtype


def parse(data: bytes, path: Path) -> VmDescription:
    """Read an export.

    Raises:
        VmDescriptionError: it is no sound XML.
    """
    machine = parse_xml(data, path)
    second = machine.value("properties", "subtype") == _GENERATION_2
    devices = _devices(machine, second=second)
    disks = counted((disk for name, controllers in devices for disk in _disks(name, controllers)), path)
    names = list(dict.fromkeys(disk.place.rpartition(" ")[0].rpartition(" ")[0] for disk in disks))
    return VmDescription(
        path,
        FORMAT,
        tuple(disks),
        Firmware.UEFI if second else Firmware.BIOS,
        tuple(_cards(machine)),
        # Generation 1 starts from IDE alone (Microsoft, "Generation 1 virtual machine: boot from IDE").
        "it has several SCSI controllers, and nothing says which the firmware takes first"
        if len([name for name in names if name != "IDE"]) > 1
        else "",
        boot_order=None if second else _boot_order(disks),
    )


def _boot_order(disks: list[VmDisk]) -> BootOrder:
    """Generation 1 starts from IDE alone, whatever order of devices its BIOS has."""
    return BootOrder(
        tuple(disk.place for disk in disks if disk.controller == "hyperv:gen1"),
        exclusive=True,
        first_only=False,
        said="it is a generation 1 machine, which starts from IDE disks only",
        line=None,
        remedy="the disk on its IDE controller 0, at place 0",
    )


def _devices(machine: XmlElement, *, second: bool) -> Iterator[tuple[str, XmlElement]]:
    """The machine's disk controllers, IDE first: generation 1 starts from nothing else."""
    for element in machine.children:
        if element.name.casefold() == _IDE and not second:
            yield "IDE", element
    scsi = [name for name, kind in _manifest(machine) if "scsi controller" in kind]
    for number, name in enumerate(scsi):
        device = machine.first(name)
        if device is not None:
            yield f"SCSI {number}", device


def _manifest(machine: XmlElement) -> Iterator[tuple[str, str]]:
    manifest = machine.first("manifest")
    for device in manifest.children if manifest is not None else ():
        yield f"_{device.value('instance').casefold()}_", device.value("name").casefold()


def _disks(name: str, device: XmlElement) -> Iterator[VmDisk]:
    """Every hard disk of one controller device, by channel and place on it."""
    # Only IDE starts generation 1, and that is what gen1 means; a disk that it has on SCSI is synthetic, as in gen2.
    target = "hyperv:gen1" if name == "IDE" else "hyperv:gen2"
    for controller in device.children:
        for drive in controller.children:
            is_place = controller.name.startswith("controller") and drive.name.startswith("drive")
            if is_place and drive.value("pathname") and drive.value("type").upper() in ("VHD", "PHYSICAL"):
                yield VmDisk(drive.value("pathname"), f"{name} {controller.name} {drive.name}", target, drive.line)


def _cards(machine: XmlElement) -> Iterator[NetworkCard]:
    for name, kind in _manifest(machine):
        element = machine.first(name)
        if "ethernet port" in kind and element is not None:
            number = element.value("FriendlyName") or kind
            yield NetworkCard(number, element.value("IsConnected").casefold() != "false", element.line)


FORMAT = VmFormat(name="hyperv", title="an XML export of Hyper-V's", parse=parse, root="configuration")
