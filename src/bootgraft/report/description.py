"""What ``inspect --vm`` adds to its report: the machine's description as bootgraft understands it."""

import msgspec

from bootgraft.report.documents.machine import CardDocument, UnattachedDocument, VmDiskDocument, VmDocument
from bootgraft.targets.descriptions.vmdescription import VmDescription
from bootgraft.text import printable


def vm_document(description: VmDescription) -> VmDocument:
    """Build the document of a description."""
    return VmDocument(
        path=str(description.path),
        format=description.format.name,
        firmware=None if description.firmware is None else description.firmware.value.casefold(),
        disks=msgspec.convert(description.disks, tuple[VmDiskDocument, ...], from_attributes=True),
        cards=msgspec.convert(description.cards, tuple[CardDocument, ...], from_attributes=True),
        unattached=msgspec.convert(description.unattached, tuple[UnattachedDocument, ...], from_attributes=True),
    )


def vm_text(vm: VmDocument) -> str:
    """What is printed of a description, after the report on the disks."""
    firmware = f", {vm.firmware.upper()}" if vm.firmware else ""
    lines = ["", f"machine  {vm.path}  {vm.format}{firmware}"]
    width = max((len(each.place) for each in vm.disks), default=0)
    lines += [f"  {each.place:<{width}}  {each.name}  {each.controller or 'controller not told'}" for each in vm.disks]
    lines += [f"  {each.place:<{width}}  {each.name}  not attached" for each in vm.unattached]
    lines += [f"  {card.name}: {'plugged in' if card.plugged else 'unplugged'}" for card in vm.cards]
    return "".join(f"{printable(line)}\n" for line in lines)
