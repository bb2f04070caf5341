"""What the tests of descriptions share: a summary that people can compare, and whether an edit kept all else."""

import difflib
from pathlib import Path

from bootgraft.targets.descriptions.vmdescription import VmDescription
from bootgraft.targets.descriptions.vmfile import parse_description, plug


def summary(description: VmDescription) -> str:
    """A description in a few lines."""
    firmware = "?" if description.firmware is None else description.firmware.value.casefold()
    lines = [f"{description.path.name}: {description.format.name}, {firmware}"]
    lines += [f"  {disk.place} {disk.controller} {disk.name} (line {disk.line})" for disk in description.disks]
    lines += [f"  {card.name} {'in' if card.plugged else 'out'} (line {card.line})" for card in description.cards]
    if description.order_doubt:
        lines.append(f"  ? {description.order_doubt}")
    order, processor = description.boot_order, description.processor
    if order is not None:
        words = [word for word in ("exclusive", "first_only") if getattr(order, word)]
        lines.append(f"  boot {', '.join(order.tried) or '-'} ({' '.join(words)}) {order.said} (line {order.line})")
        lines.append(f"    else {order.remedy}")
    if processor is not None:
        features = [*(f"+{each}" for each in processor.added), *(f"-{each}" for each in processor.removed)]
        model = " ".join((processor.model or "host", *features))
        lines.append(f"  processor {model}: {processor.said} (line {processor.line})")
    lines += [f"  not attached: {disk.place} {disk.name} (line {disk.line})" for disk in description.unattached]
    return "\n".join(lines) + "\n"


def plugged(data: bytes, path: Path) -> dict[str, bool]:
    """The network adapters by name, and whether they are connected."""
    return {card.name: card.plugged for card in parse_description(data, path).cards}


def disconnect_all(data: bytes, path: Path) -> bytes:
    """The description with every adapter disconnected; asserts that it says so, and that once more changes nothing."""
    description = parse_description(data, path)
    names = [card.name for card in description.cards]
    edited = plug(data, description, names, plugged=False)
    assert plugged(edited, path) == dict.fromkeys(names, False)
    assert plug(edited, parse_description(edited, path), names, plugged=False) == edited
    return edited


def changed_lines(before: bytes, after: bytes) -> list[str]:
    """The lines that went (``-``) and came (``+``), with their ends."""
    old, new = (data.decode("latin-1").splitlines(keepends=True) for data in (before, after))
    return [line for line in difflib.ndiff(old, new) if line[0] in "+-"]
