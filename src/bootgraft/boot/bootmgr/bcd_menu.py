"""Which entry of a BCD store bootmgr starts, and which objects of the store anything leads to.

bootmgr shows the entries of its display order that are in the store, and starts the default one among them; where there
is only one, that one, whatever is called the default. Without a display order it has the default entry alone, and
without either it stops (ReactOS, ``boot/environ/app/bootmgr/bootmgr.c``: BmEnumerateBootEntries,
BmpGetDefaultBootEntry).
"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.boot.bootmgr.bcd import BcdObject, BcdStore, ElementFormat, ElementType, ObjectType
from bootgraft.boot.bootmgr.bcd_device import FileDevice, options_of
from bootgraft.changes import FileId
from bootgraft.machine import Firmware, Volume
from bootgraft.text import printable

STORES = {Firmware.BIOS: "\\Boot\\BCD", Firmware.UEFI: "\\EFI\\Microsoft\\Boot\\BCD"}
"""Where bootmgr's store lies on the system partition."""

_LEADS_TO = (
    ElementType.DEFAULT,
    ElementType.RESUME_OBJECT,
    ElementType.DISPLAY_ORDER,
    ElementType.TOOLS_ORDER,
    ElementType.BOOT_SEQUENCE,
    ElementType.STARTUP_SEQUENCE,
    ElementType.RECOVERY_SEQUENCE,
    ElementType.INHERIT,
)


class Menu(Struct, frozen=True):
    """The store of a machine, and the system partition that it lies on."""

    store: BcdStore
    system: Volume
    firmware: Firmware

    @property
    def where(self) -> str:
        """What evidence calls the store."""
        return f"{self.system.name}: {STORES[self.firmware]}"

    @property
    def hive(self) -> FileId:
        """The store's file, as changes name it."""
        return self.system.file(STORES[self.firmware])

    @property
    def default_entry(self) -> BcdObject | None:
        """The entry that bootmgr starts if nobody presses a key, of whatever kind it is; None where it has none."""
        manager = self.store.bootmgr
        return None if manager is None else choose(self.store, manager).entry

    def title(self, entry: BcdObject) -> str:
        """How a person knows an object: ``{guid} Windows 10``."""
        description = self.store.text(entry, ElementType.DESCRIPTION) or ""
        return printable(f"{{{entry.guid}}} {description}".rstrip())

    def place(self, entry: BcdObject, kind: int) -> str:
        """What evidence calls an element of an object."""
        return f"{self.where}, {{{entry.guid}}}, element {kind:08x}"


class Choice(Struct, frozen=True):
    """What bootmgr starts: ``default`` as it is written down, the display order that exists, and what it comes to.

    ``entry`` is None where nothing is in the store that it could start, or where several are shown and none of them is
    the default one.
    """

    default: str | None
    shown: tuple[str, ...]
    missing: tuple[str, ...]  # what the display order names and is not in the store
    entry: BcdObject | None


def choose(store: BcdStore, manager: BcdObject) -> Choice:
    """Which entry starts if nobody presses a key."""
    order = tuple(dict.fromkeys(store.guids(manager, ElementType.DISPLAY_ORDER)))
    there = {each.guid for each in store.objects}
    shown = tuple(guid for guid in order if guid in there)
    default = store.text(manager, ElementType.DEFAULT)
    entry = None if default is None else store.object(default)
    if entry is None and len(shown) == 1:
        entry = store.object(shown[0])
    return Choice(default, shown, tuple(guid for guid in order if guid not in there), entry)


def installed(store: BcdStore) -> tuple[BcdObject, ...]:
    """The entries that start an installed Windows: no Windows PE, and none from a RAM disk."""
    return tuple(each for each in store.objects if _starts_installed(store, each))


def reachable(store: BcdStore) -> frozenset[str]:
    """The GUIDs of the objects that the boot manager leads to, over however many others; itself among them."""
    manager = store.bootmgr
    objects = {each.guid: each for each in store.objects}
    found: set[str] = set()
    pending = [] if manager is None else [manager.guid]
    while pending:
        guid = pending.pop()
        each = objects.get(guid)
        if guid not in found and each is not None:
            found.add(guid)
            pending += _named_by(each)
    return frozenset(found)


def _starts_installed(store: BcdStore, entry: BcdObject) -> bool:
    if entry.type != ObjectType.OS_LOADER or store.number(entry, ElementType.WINPE):
        return False
    return not isinstance(store.device(entry, ElementType.OS_DEVICE), FileDevice)


def _named_by(each: BcdObject) -> Iterator[str]:
    for element in each.elements:
        if element.type in _LEADS_TO and isinstance(element.value, str):
            yield element.value
        elif element.type in _LEADS_TO and isinstance(element.value, tuple):
            yield from (name for name in element.value if isinstance(name, str))
        elif element.format == ElementFormat.DEVICE:
            options = options_of(element.data)
            if options is not None:
                yield options
