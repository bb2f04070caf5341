r"""BCD stores: the boot menu of bootmgr, Windows Vista and later. A registry hive of objects that have elements.

``Objects\{guid}\Description`` has the object's type, ``Objects\{guid}\Elements\XXXXXXXX`` one element each. Its number
says which class of object the element belongs to (4 bits), in which form it is stored (4), and what it is (24).
Numbers and names: Microsoft, "BCD Reference" (https://learn.microsoft.com/previous-versions/windows/desktop/bcd); how
they are stored: ReactOS, ``boot/environ/include/bcd.h``, held against the stores of real machines.
"""

import re
from collections.abc import Iterator
from enum import IntEnum

from msgspec import Struct

from bootgraft.boot.bootmgr.bcd_device import DamagedDevice, Device, parse_device
from bootgraft.errors import BootConfigError
from bootgraft.registry.hive import Hive, Key
from bootgraft.registry.values import Value, ValueType

__all__ = ["BOOTMGR", "BcdObject", "BcdStore", "Element", "ElementFormat", "ElementType", "ObjectType", "read_store"]

BOOTMGR = "9dea862c-5cdd-4e70-acc1-f32b344d4795"
"""The object of the boot manager itself."""

MAX_OBJECTS = 1000
MAX_INHERITED = 32
"""Objects that one inherits from: real ones have one to three."""
MAX_ELEMENTS = 500
"""Elements of one object. Real stores have some fifty objects of some twenty elements."""

_GUID = re.compile(r"\{([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}", re.IGNORECASE | re.ASCII)
_ELEMENT = re.compile(r"[0-9a-f]{8}", re.IGNORECASE | re.ASCII)


class ElementFormat(IntEnum):
    """The second digit of an element's number: how its value is stored."""

    DEVICE = 1
    STRING = 2
    OBJECT = 3
    OBJECT_LIST = 4
    INTEGER = 5
    BOOLEAN = 6
    INTEGER_LIST = 7


class ObjectType(IntEnum):
    """Types of objects that the boot chain meets."""

    FIRMWARE_MANAGER = 0x10100001
    BOOT_MANAGER = 0x10100002
    OS_LOADER = 0x10200003
    RESUME = 0x10200004
    MEMORY_TESTER = 0x10200005
    NTLDR = 0x10300006
    BOOT_SECTOR = 0x10400008
    FIRMWARE_APPLICATION = 0x101FFFFF
    DEVICE_OPTIONS = 0x30000000


class ElementType(IntEnum):
    """Elements that the boot chain reads, by Microsoft's names; the same number can mean another thing elsewhere."""

    DEVICE = 0x11000001
    PATH = 0x12000002
    DESCRIPTION = 0x12000004
    INHERIT = 0x14000006
    RECOVERY_SEQUENCE = 0x14000008
    OS_DEVICE = 0x21000001
    SYSTEM_ROOT = 0x22000002
    KERNEL = 0x22000011
    DEFAULT = 0x23000003  # of the boot manager; of a loader, its resume object
    RESUME_OBJECT = 0x23000006  # of the boot manager
    DISPLAY_ORDER = 0x24000001
    BOOT_SEQUENCE = 0x24000002  # once, at the next start
    STARTUP_SEQUENCE = 0x24000007
    TOOLS_ORDER = 0x24000010
    ATTEMPT_RESUME = 0x26000005  # of the boot manager
    WINPE = 0x26000022
    ALLOW_PRERELEASE_SIGNATURES = 0x16000049  # testsigning
    AUTO_RECOVERY = 0x16000009  # recoveryenabled
    SAFE_BOOT = 0x25000080
    SAFE_BOOT_SHELL = 0x26000081  # safebootalternateshell
    BOOT_STATUS_POLICY = 0x250000E0
    HYPERVISOR_LAUNCH = 0x250000F0  # hypervisorlaunchtype
    SDI_DEVICE = 0x31000003  # of the options of a RAM disk
    SDI_PATH = 0x32000004


ElementValue = Device | str | tuple[str, ...] | int | bool | tuple[int, ...] | bytes


class Element(Struct, frozen=True):
    """One element: a device, a text, a GUID (lower case, without braces), GUIDs, a number, a truth, numbers.

    Bytes are what does not go together with the form that its number promises.
    """

    type: int
    value: ElementValue
    data: bytes  # as stored
    kind: int = ValueType.REG_BINARY  # the type of the registry value that it is stored in

    @property
    def format(self) -> int:
        """The form it should be stored in: an ElementFormat, or a number that has no name."""
        return self.type >> 24 & 0xF


class BcdObject(Struct, frozen=True):
    """One object; ``guid`` is in lower case, without braces."""

    guid: str
    type: int
    elements: tuple[Element, ...]

    def element(self, kind: int) -> Element | None:
        """Its own element of this number."""
        return next((each for each in self.elements if each.type == kind), None)


class BcdStore(Struct, frozen=True):
    """What a store says, and what in it cannot be understood."""

    objects: tuple[BcdObject, ...]
    problems: tuple[str, ...]

    def object(self, guid: str) -> BcdObject | None:
        """The object of this GUID, in any case and without braces."""
        return next((each for each in self.objects if each.guid == guid.lower()), None)

    @property
    def bootmgr(self) -> BcdObject | None:
        """The boot manager's own object."""
        return self.object(BOOTMGR)

    def find(self, owner: BcdObject, kind: int) -> Element | None:
        """The element that counts for an object: its own, or else the first one among the objects it inherits from."""
        for each in self._lineage(owner):
            element = each.element(kind)
            if element is not None:
                return element
        return None

    def device(self, owner: BcdObject, kind: int) -> Device | None:
        """A device element, None where there is none; a damaged one is a DamagedDevice."""
        element = self.find(owner, kind)
        if element is None or element.format != ElementFormat.DEVICE:
            return None
        return DamagedDevice() if isinstance(element.value, bytes) else _as_device(element.value)

    def text(self, owner: BcdObject, kind: int) -> str | None:
        """A text, or a GUID; None where there is none."""
        element = self.find(owner, kind)
        return element.value if element is not None and isinstance(element.value, str) else None

    def guids(self, owner: BcdObject, kind: int) -> tuple[str, ...]:
        """A list of GUIDs; empty where there is none."""
        element = self.find(owner, kind)
        if element is None or element.format != ElementFormat.OBJECT_LIST or not isinstance(element.value, tuple):
            return ()
        return tuple(each for each in element.value if isinstance(each, str))

    def number(self, owner: BcdObject, kind: int) -> int | None:
        """A number or a truth (as 0 or 1); None where there is none."""
        element = self.find(owner, kind)
        return int(element.value) if element is not None and isinstance(element.value, int) else None

    def _lineage(self, owner: BcdObject) -> Iterator[BcdObject]:
        """The object and those that it inherits from, each once, in the order in which they are asked."""
        known = {each.guid: each for each in self.objects}
        pending, seen = [owner], set()
        while pending:
            each = pending.pop()
            if each.guid in seen:
                continue
            seen.add(each.guid)
            yield each
            inherit = each.element(ElementType.INHERIT)
            names = inherit.value if inherit is not None and isinstance(inherit.value, tuple) else ()
            pending += reversed([known[name] for name in names[:MAX_INHERITED] if name in known])


def read_store(hive: Hive) -> BcdStore:
    """Read the store in a hive.

    Raises:
        BootConfigError: the hive is no BCD store, or has more objects or elements than any store needs.
        HiveError: the hive is damaged.
    """
    objects = hive.key("Objects")
    if objects is None:
        raise _refused(hive, "it is a registry hive without the key Objects, and so no BCD store")
    found: list[BcdObject] = []
    problems: list[str] = []
    for count, key in enumerate(objects.keys()):
        if count >= MAX_OBJECTS:
            raise _refused(hive, f"it has more than {MAX_OBJECTS} objects")
        guid = _guid(key.name)
        if guid is None:
            problems.append(f"{key.path}: the name is no GUID")
            continue
        found.append(BcdObject(guid, _object_type(key), tuple(_elements(hive, key, problems))))
    return BcdStore(tuple(found), tuple(problems))


def _object_type(key: Key) -> int:
    description = key.key("Description")
    value = None if description is None else description.value("Type")
    return 0 if value is None else value.dword() or 0


def _elements(hive: Hive, owner: Key, problems: list[str]) -> Iterator[Element]:
    elements = owner.key("Elements")
    if elements is None:
        return
    for count, key in enumerate(elements.keys()):
        if count >= MAX_ELEMENTS:
            raise _refused(hive, f"{owner.path} has more than {MAX_ELEMENTS} elements")
        value = key.value("Element")
        if _ELEMENT.fullmatch(key.name) is None or value is None:
            problems.append(f"{key.path}: it has no element's number, or no value Element")
            continue
        kind = int(key.name, 16)
        try:
            yield Element(kind, _decode(kind >> 24 & 0xF, value, f"{hive.name}: {key.path}"), value.data, value.type)
        except BootConfigError as error:
            problems.append(f"{key.path}: {error.what}")
            yield Element(kind, value.data, value.data, value.type)


def _decode(form: int, value: Value, name: str) -> ElementValue:
    """Give the value its meaning; its bytes where form and value do not go together."""
    data = value.data
    match form:
        case ElementFormat.DEVICE:
            return parse_device(data, name=name)
        case ElementFormat.STRING:
            text = value.text()
            return data if text is None else text
        case ElementFormat.OBJECT:
            return _guid(value.text() or "") or data
        case ElementFormat.OBJECT_LIST:
            return tuple(filter(None, map(_guid, value.multi() or ())))
        case ElementFormat.INTEGER if 0 < len(data) <= 8:  # stores of real machines have numbers of 1 and 3 bytes too
            return int.from_bytes(data, "little")
        case ElementFormat.BOOLEAN if data:
            return bool(data[0])
        case ElementFormat.INTEGER_LIST:
            return tuple(int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data) & ~7, 8))
    return data


def _as_device(value: ElementValue) -> Device | None:
    return None if isinstance(value, str | int | tuple | bytes) else value


def _guid(text: str) -> str | None:
    match = _GUID.fullmatch(text.strip())
    return match[1].lower() if match else None


def _refused(hive: Hive, what: str) -> BootConfigError:
    return BootConfigError(
        what,
        where=hive.name,
        advice="Make a new store from the recovery environment of the same Windows: `bcdboot C:\\Windows`",
    )
