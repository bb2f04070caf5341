"""The Open Virtualization Format: an ``.ovf``, alone or as the first file of an ``.ova``, which is a tar archive.

Source: DMTF DSP0243 (OVF 1.1 and 2.1) and the CIM classes it builds on: resource types 5 IDE, 6 SCSI, 10 Ethernet, 17
disk, 20 other storage. The sub-types are VMware's and VirtualBox's own, as are the settings of the firmware (VirtualBox
``MachineConfigFile::buildHardwareXML``: ``<vbox:Machine>`` with ``<Firmware>``). It has no order of boot devices.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

from bootgraft.errors import VmDescriptionError
from bootgraft.targets.descriptions.vmdescription import (
    Firmware,
    NetworkCard,
    VmDescription,
    VmDisk,
    VmFormat,
    counted,
    malformed,
)
from bootgraft.targets.descriptions.xmltree import XmlElement, parse_xml

MAX_MEMBERS = 64
"""Files that are looked through for an archive's description; it has to be the first (DSP0243, 4.2)."""
MAX_HEADS = 2**20
"""Bytes of their heads together."""
_IDE, _SCSI, _CARD, _DISK, _STORAGE = "5", "6", "10", "17", "20"
_SUBTYPES = {
    "lsilogic": "lsilogic",
    "lsilogicsas": "lsisas1068",
    "virtualscsi": "pvscsi",
    "buslogic": "buslogic",
    "vmware.sata.ahci": "ahci",
    "vmware.nvme.controller": "nvme",
    "ahci": "ahci",
    "piix3": "piix3",
    "piix4": "piix4",
}
_HOST_RESOURCE = re.compile(r"(?:ovf:)?/(disk|file)/(.+)")


def parse(data: bytes, path: Path) -> VmDescription:
    """Read an ``.ovf``.

    Raises:
        VmDescriptionError: it is no sound XML, holds several machines, or a disk references an undefined controller.
    """
    envelope = parse_xml(data, path)
    systems = [*envelope.all("VirtualSystem"), *envelope.all("VirtualSystemCollection", "VirtualSystem")]
    if len(systems) != 1:
        raise malformed(path, envelope.line, f"it describes {len(systems)} machines, and bootgraft takes one at a time")
    hardware = systems[0].first("VirtualHardwareSection")
    if hardware is None:
        raise malformed(path, systems[0].line, "it has no VirtualHardwareSection")
    items = [*hardware.all("Item"), *hardware.all("StorageItem"), *hardware.all("EthernetPortItem")]
    hypervisor = "virtualbox" if "virtualbox" in hardware.value("System", "VirtualSystemType").casefold() else "vmware"
    found = sorted(counted(_disks(envelope, items, hypervisor, path), path), key=lambda each: each[0])
    buses = list(dict.fromkeys(_IDE if key[0] == _IDE else key[:2] for key, _ in found))
    return VmDescription(
        path,
        FORMAT,
        tuple(disk for _, disk in found),
        _firmware(systems[0], hardware),
        tuple(_cards(items)),
        "its disks are attached to several controllers, and the format gives no order" if len(buses) > 1 else "",
        secure_boot=_secure_boot(hardware),
    )


def name_in_archive(path: Path) -> str:
    """Return the name of the description in an ``.ova``; nothing is unpacked.

    Raises:
        VmDescriptionError: it is no sound archive, or there is no description among its first files.
    """
    import tarfile

    class _Heads(io.FileIO):
        """The archive, out of which only so much is read: a head can say that what belongs to it is of any length."""

        left = MAX_HEADS

        def read(self, size: int | None = -1, /) -> bytes:
            self.left -= MAX_HEADS if size is None or size < 0 else size
            if self.left < 0:
                raise tarfile.ReadError("its heads are larger than any")
            return super().read(size) or b""

    try:
        with _Heads(path) as heads, tarfile.open(fileobj=heads, mode="r:") as archive:
            for _ in range(MAX_MEMBERS):
                member = archive.next()
                if member is None:
                    break
                if member.isfile() and member.name.casefold().endswith(".ovf"):
                    return member.name
    except (tarfile.TarError, OSError, ValueError, OverflowError, RecursionError) as error:
        raise VmDescriptionError(
            "this archive is damaged", where=str(path), advice="Copy the .ova again from where it came from"
        ) from error
    raise malformed(path, None, "it is a tar archive without an .ovf at its start")


def _disks(
    envelope: XmlElement, items: list[XmlElement], hypervisor: str, path: Path
) -> Iterator[tuple[tuple[str, int, int], VmDisk]]:
    """Every disk with what sorts it: the kind of its controller, the controller's number, its place on that."""
    controllers = {item.value("InstanceID"): item for item in items}
    listed = {each.attributes.get("diskId", ""): each for each in reversed(list(envelope.all("DiskSection", "Disk")))}
    named = [each for each in envelope.all("References", "File") if each.attributes.get("href")]
    files = {each.attributes["id"]: each for each in reversed(named) if each.attributes.get("id")}
    for item in items:
        if item.value("ResourceType") != _DISK:
            continue
        parent = controllers.get(item.value("Parent"))
        if parent is None:
            raise malformed(path, item.line, "this disk references an undefined controller")
        number, unit = _number(parent, "Address", path), _number(item, "AddressOnParent", path)
        target = _controller(parent, hypervisor)
        place = f"{parent.value('ElementName') or 'controller'}, place {unit}"
        disk = VmDisk(_file(listed, files, item, path), place, target, item.line)
        yield (parent.value("ResourceType"), number, unit), disk


def _number(item: XmlElement, name: str, path: Path) -> int:
    text = item.value(name) or "0"
    if not re.fullmatch("[0-9]{1,9}", text):
        raise malformed(path, item.line, f"{name} is no number: {text!r}")
    return int(text)


def _controller(item: XmlElement, hypervisor: str) -> str | None:
    name = _SUBTYPES.get(item.value("ResourceSubType").casefold())
    if item.value("ResourceType") == _IDE:
        name = (name or "piix4") if hypervisor == "virtualbox" else "ide"
    return None if name is None else f"{hypervisor}:{name}"


def _file(listed: dict[str, XmlElement], files: dict[str, XmlElement], item: XmlElement, path: Path) -> str:
    """The file of a disk: from the disk's resource to its disk, from that to the file, both by their ids."""
    found = _HOST_RESOURCE.fullmatch(item.value("HostResource"))
    if found is None:
        raise malformed(path, item.line, "this disk names no file")
    reference = found[2]
    if found[1] == "disk":
        if reference not in listed:
            raise malformed(path, item.line, f"this disk names a disk that is not listed: {reference!r}")
        reference = listed[reference].attributes.get("fileRef", "")
    file = files.get(reference)
    if file is None:
        raise malformed(path, item.line, f"this disk names a file that is not listed: {reference!r}")
    if file.attributes.get("compression", "") not in ("", "identity") or "chunkSize" in file.attributes:
        raise malformed(path, file.line, f"the disk {file.attributes['href']!r} is packed: unpack it first")
    return file.attributes["href"]


def _firmware(system: XmlElement, hardware: XmlElement) -> Firmware | None:
    """VMware's setting of the hardware, or VirtualBox's own machine, which has an element for what is no BIOS."""
    machine = system.first("Machine")
    if machine is not None:
        is_efi = machine.attribute(("Hardware", "Firmware"), "type").casefold().startswith("efi")
        return Firmware.UEFI if is_efi else Firmware.BIOS
    for setting in hardware.all("Config"):
        if setting.attributes.get("key") == "firmware":
            return Firmware.UEFI if setting.attributes.get("value", "").casefold() == "efi" else Firmware.BIOS
    return None


def _secure_boot(hardware: XmlElement) -> bool | None:
    for setting in hardware.all("Config"):
        if setting.attributes.get("key") == "bootOptions.efiSecureBootEnabled":
            return setting.attributes.get("value", "").casefold() == "true"
    return None


def _cards(items: list[XmlElement]) -> Iterator[NetworkCard]:
    for item in items:
        if item.value("ResourceType") == _CARD:
            name = item.value("ElementName") or item.value("Caption") or "network adapter"
            yield NetworkCard(name, item.value("AutomaticAllocation").casefold() != "false", item.line)


FORMAT = VmFormat(name="ovf", title="an .ovf", parse=parse, root="Envelope")
