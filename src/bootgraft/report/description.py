"""What ``inspect --vm`` adds to its report: the machine's description as bootgraft understands it."""

import json
from typing import TypedDict

from bootgraft.targets.vmdescription import VmDescription
from bootgraft.text import printable


class VmDiskDocument(TypedDict):
    """One disk, in the order in which the firmware numbers them as far as that is told."""

    place: str
    name: str
    controller: str | None


class CardDocument(TypedDict):
    """One network card."""

    name: str
    plugged: bool


class VmDocument(TypedDict):
    """One machine's description."""

    path: str
    format: str
    firmware: str | None
    disks: list[VmDiskDocument]
    cards: list[CardDocument]


def vm_document(description: VmDescription) -> VmDocument:
    """Build the document of a description."""
    return {
        "path": str(description.path),
        "format": description.format.name,
        "firmware": None if description.firmware is None else description.firmware.value.casefold(),
        "disks": [
            {"place": disk.place, "name": disk.name, "controller": disk.controller} for disk in description.disks
        ],
        "cards": [{"name": card.name, "plugged": card.plugged} for card in description.cards],
    }


def with_description(document: str, text: str, description: VmDescription) -> tuple[str, str]:
    """The JSON document and the text of ``inspect``, with the description in them."""
    fields = json.loads(document)
    vm = fields["vm"] = vm_document(description)
    firmware = f", {vm['firmware'].upper()}" if vm["firmware"] else ""
    lines = ["", f"machine  {vm['path']}  {vm['format']}{firmware}"]
    width = max((len(each["place"]) for each in vm["disks"]), default=0)
    lines += [
        f"  {each['place']:<{width}}  {each['name']}  {each['controller'] or 'controller not told'}"
        for each in vm["disks"]
    ]
    lines += [f"  {card['name']}: {'plugged in' if card['plugged'] else 'unplugged'}" for card in vm["cards"]]
    return json.dumps(fields), text + "".join(f"{printable(line)}\n" for line in lines)
