"""What ``inspect --vm`` adds to its report: the machine's description as bootgraft understands it."""

import msgspec

from bootgraft.report.documents.machine import CardDocument, UnattachedDocument, VmDiskDocument, VmDocument
from bootgraft.report.layout.lines import Text, rows
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


def vm_text(vm: VmDocument) -> Text:
    """What is printed of a description, after the report on the disks."""
    firmware = f", {vm.firmware.upper()}" if vm.firmware else ""
    disks = [(each.place, f"{each.name}  {each.controller or 'controller not specified'}") for each in vm.disks]
    disks += [(each.place, f"{each.name}  not attached") for each in vm.unattached]
    cards = (f"  {card.name}: {'connected' if card.plugged else 'disconnected'}" for card in vm.cards)
    shown = [(printable(place), printable(what)) for place, what in disks]
    head = f"machine  {vm.path}  {vm.format}{firmware}"
    return ("", printable(head), *rows(shown, indent=2), *map(printable, cards))
