"""The changes that give an element of a BCD store another value."""

from collections.abc import Iterator

from bootgraft.boot.bootmgr.bcd import BcdObject
from bootgraft.boot.bootmgr.bcd_menu import Menu
from bootgraft.changes import CreateKey, RegistryData, SetValue


def set_element(menu: Menu, owner: BcdObject, kind: int, value: RegistryData) -> Iterator[CreateKey | SetValue]:
    """Set the element of that number of an object, which is made where the object has none."""
    key = f"Objects\\{{{owner.guid}}}\\Elements\\{kind:08x}"
    present = owner.element(kind)
    if present is None:
        yield CreateKey(menu.hive, key)
    before = None if present is None else RegistryData(present.kind, present.data)
    yield SetValue(menu.hive, key, "Element", value, before)
