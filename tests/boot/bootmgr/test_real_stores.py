"""What the stores of real machines start, resume and recover with: as we read it and as hivexregedit has it.

``real_stores.txt`` keeps it for people, without what tells one machine from another.
To take over what was changed on purpose: ``WRITE_GOLDENS=1 pytest tests/boot/test_real_stores.py``, then read the diff.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.boot.bootmgr.test_bcd import Exported, device_facts, export, facts_of, store_of
from tests.registry.support import real_bcds, real_file

from bootgraft.boot.bootmgr.bcd import BOOTMGR, BcdObject, BcdStore, ElementType
from bootgraft.boot.bootmgr.bcd_device import on_partition, parse_device, retargeted
from bootgraft.boot.bootmgr.bcd_references import references
from bootgraft.machine import GptPartition, MbrPartition

GOLDEN = Path(__file__).with_name("real_stores.txt")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def told(store: BcdStore) -> Iterator[str]:
    """What a store starts, resumes and recovers with, as we read it."""
    manager = store.bootmgr
    if manager is None:
        yield "no boot manager"
        return
    shown = len(store.guids(manager, ElementType.DISPLAY_ORDER))
    yield f"boot manager on {place(store, manager, ElementType.DEVICE)}, {shown} shown"
    guid = store.text(manager, ElementType.DEFAULT)
    default = None if guid is None else store.object(guid)
    if default is None:
        yield "no default"
        return
    yield f"default {entry(store, default)}"
    resume = store.object(store.text(default, ElementType.DEFAULT) or "")
    if resume is not None:
        yield f"resume {entry(store, resume)}"
    for each in map(store.object, store.guids(default, ElementType.RECOVERY_SEQUENCE)):
        if each is not None:
            yield f"recovery {entry(store, each)}"


def entry(store: BcdStore, each: BcdObject) -> str:
    path = store.text(each, ElementType.PATH)
    first, second = place(store, each, ElementType.DEVICE), place(store, each, ElementType.OS_DEVICE)
    return f"{path} on {first}, {store.text(each, ElementType.SYSTEM_ROOT)} on {second}"


def place(store: BcdStore, each: BcdObject, kind: int) -> str:
    device = store.device(each, kind)
    return "nothing" if device is None else words(facts_of(device))


def words(facts: tuple[object, ...]) -> str:
    """Facts without what tells one machine from another."""
    kind = str(facts[0])
    if kind == "ram":
        inner = facts[1]
        assert isinstance(inner, tuple)
        return f"ram disk {_GUID.sub('{GUID}', str(facts[2]))} on {words(inner)}"
    return kind


class SecondReader:
    """The same out of what hivexregedit says, read a second time."""

    def __init__(self, keys: Exported) -> None:
        self.elements: dict[str, dict[int, bytes]] = {}
        for key, found in keys.items():
            match = re.fullmatch(r"Objects\\\{([^\\]*)\}\\Elements\\([0-9a-f]{8})", key, re.IGNORECASE)
            if match:
                self.elements.setdefault(match[1].lower(), {})[int(match[2], 16)] = found["Element"][1]

    def of(self, guid: str, number: int) -> bytes:
        """An element's data, its own or an inherited one; empty where there is none."""
        own = self.elements.get(guid, {})
        if number in own:
            return own[number]
        parents = (each.strip("{}").lower() for each in texts(own.get(0x14000006, b"")))
        return next(filter(None, (self.of(parent, number) for parent in parents)), b"")

    def device(self, guid: str, number: int) -> str:
        data = self.of(guid, number)
        return words(device_facts(data)) if data else "nothing"

    def guids(self, guid: str, number: int) -> list[str]:
        return [each.strip("{}").lower() for each in texts(self.of(guid, number))]

    def line(self, guid: str) -> str:
        path, root = ("".join(texts(self.of(guid, number))[:1]) or None for number in (0x12000002, 0x22000002))
        return f"{path} on {self.device(guid, 0x11000001)}, {root} on {self.device(guid, 0x21000001)}"

    def told(self) -> Iterator[str]:
        if BOOTMGR not in self.elements:
            yield "no boot manager"
            return
        yield f"boot manager on {self.device(BOOTMGR, 0x11000001)}, {len(self.guids(BOOTMGR, 0x24000001))} shown"
        default = self.guids(BOOTMGR, 0x23000003)
        if not default or default[0] not in self.elements:
            yield "no default"
            return
        yield f"default {self.line(default[0])}"
        for word, number in (("resume", 0x23000003), ("recovery", 0x14000008)):
            yield from (f"{word} {self.line(each)}" for each in self.guids(default[0], number) if each in self.elements)


def texts(data: bytes) -> list[str]:
    return [each for each in data.decode("utf-16-le").split("\0") if each]


KNOWN = [name for name in real_bcds() if "ntloader-vhd" not in name]
"""All but a template for virtual disks, whose devices the second reader does not know."""


def test_what_they_start_is_what_hivexregedit_has() -> None:
    lines: list[str] = []
    for name in KNOWN:
        found = list(told(store_of(real_file(name).read_bytes())))
        assert found == list(SecondReader(export(real_file(name))).told()), name
        lines += [name, *(f"  {line}" for line in found)]
    if not lines:
        pytest.skip("the test data is not at hand")
    text = "\n".join(lines) + "\n"
    if "WRITE_GOLDENS" in os.environ:
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


@pytest.mark.parametrize("name", real_bcds())
def test_every_partition_of_a_real_store_can_be_pointed_elsewhere(name: str) -> None:
    """Exactly 40 bytes of each element become others, the rest is as it was, and back again gives the old bytes."""
    store = store_of(real_file(name).read_bytes())
    for each in references(store, None):
        old, data = each.identity, each.element.data
        new = (
            MbrPartition(0x3B7A19C4, 1 << 40)
            if isinstance(old, MbrPartition)
            else GptPartition("6F1C1B64-3E21-4A1F-9A3C-0B7C5D0E8A11", "0D2B7E51-8C40-4B67-8F00-51E2A0C3D003")
        )
        changed = retargeted(data, old, new, name=name)
        named = on_partition(parse_device(changed, name=name))
        before = on_partition(parse_device(data, name=name))
        assert named is not None
        assert before is not None
        assert (named[0], named[1]) == (new, before[1])
        differing = [at for at, (one, other) in enumerate(zip(data, changed, strict=True)) if one != other]
        assert differing[-1] - differing[0] < 40
        assert retargeted(changed, new, old, name=name) == data
