r"""A BCD store as bcdboot makes it: the objects that every store has, and for each Windows its loader and its resume.

Which objects and elements these are is read off the stores that Setup and bcdboot wrote on real machines (Windows 7 to
11, BIOS and UEFI); their names: Microsoft, "BCD Reference", "BcdBootMgrElementTypes", "BcdOSLoaderElementTypes". What a
Windows has in ``\Windows\system32\config\BCD-Template`` goes before what stands here, as with bcdboot. Objects whose
GUID is a Windows' own are named after its partition, so that a store that is made twice is the same one.
"""

import struct
import uuid
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from bootgraft.boot.bootmgr import uefi
from bootgraft.boot.bootmgr.bcd import BOOTMGR, BcdObject, BcdStore, Element, ElementFormat, ElementType, ObjectType
from bootgraft.changes import RegistryData
from bootgraft.machine import Firmware
from bootgraft.registry.hive import Hive
from bootgraft.registry.values import ValueType, dword_data, multi_data, text_data
from bootgraft.windows.versions import WINDOWS_8

MEMORY_TESTER = "b2721d73-1db4-4c62-bf78-c548a880142d"
_GLOBAL, _LOADERS = "7ea2e1ac-2e61-4728-aaa3-896d9d0a9f0e", "6efb52bf-1766-41db-a6b3-0ee5eff72bd7"
_RESUMES, _HYPERVISOR = "1afa9c49-16ab-4a5c-901b-212802da9460", "7ff607e0-4395-11db-b0de-0800200c9a66"
_DEBUGGER, _EMS = "4636856e-540f-4170-a130-a84776f4c654", "0ce4991b-e6b3-4b16-b23c-5e0d9250e5d9"
_BAD_MEMORY = "5189b25c-5558-4bf2-bca4-289b11bd29e2"
_SETTINGS, _LOADER_SETTINGS, _RESUME_SETTINGS = 0x20100000, 0x20200003, 0x20200004

_LOCALE, _TIMEOUT, _BAD_MEMORY_ACCESS, _EMS_ON = 0x12000005, 0x25000004, 0x1600000B, 0x16000020
_DEBUGGER_TYPE, _DEBUGGER_PORT, _DEBUGGER_BAUD = 0x15000011, 0x15000013, 0x15000014
_HYPERVISOR_DEBUGGER = {0x250000F3: 0, 0x250000F4: 1, 0x250000F5: 115200}
_ISOLATED, _IN_MEMORY, _NX, _MENU_POLICY = 0x16000060, 0x17000077, 0x25000020, 0x250000C2
_RESUME_MENU_POLICY, _RESUME_DEBUGGER = 0x25000008, 0x26000006
_TEMPLATE_PATH, _TEMPLATE_RAM_DISK = 0x42000002, 0x42000003
_FROM_LOADER_TEMPLATE = (_LOCALE, _ISOLATED, _IN_MEMORY, _NX, _MENU_POLICY)
_IN_MEMORY_SETTINGS = 0x15000075
_SERIAL_BAUD, _LOCAL_DEBUGGER = 115200, 4
_SECONDS, _DEFAULT_LOCALE = 30, "en-US"
_LONGEST_ELEMENT = 1024
SUFFIXES = {Firmware.BIOS: "exe", Firmware.UEFI: "efi"}
"""What the loaders' names end with on each firmware."""
_MEMORY_TESTERS = {Firmware.BIOS: "\\Boot\\memtest.exe", Firmware.UEFI: "\\EFI\\Microsoft\\Boot\\memtest.efi"}
_NAMESPACE = uuid.UUID(BOOTMGR)

ROOT_KEY = "NewStoreRoot"
DESCRIPTOR = (
    struct.pack("<BBHIIII", 1, 0, 0x8004, 0x48, 0x58, 0, 0x14)
    + struct.pack("<BBHHH", 2, 0, 0x34, 2, 0)
    + struct.pack("<BBHI", 0, 0, 0x18, 0x00060019)
    + bytes.fromhex("01020000000000052000000020020000")
    + struct.pack("<BBHI", 0, 0, 0x14, 0x000F003F)
    + bytes.fromhex("010100000000000512000000")
    + bytes.fromhex("01020000000000052000000020020000")
    + bytes.fromhex("010100000000000512000000")
)
"""Of every key of a store: administrators, who own it, read and set its rights; the system does everything."""


class StoreEntry(Struct, frozen=True):
    r"""One Windows that a store is to start. ``device`` is the whole element that names its partition.

    ``name`` tells it from all others, ``title`` is shown in the menu, ``directory`` is as ``\Windows``; ``resumes``:
    it has the loader that resumes it from hibernation.
    """

    name: str
    device: bytes
    directory: str
    title: str
    version: tuple[int, int]
    is_server: bool
    resumes: bool

    @property
    def guid(self) -> str:
        """The object of its loader."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.name} loader"))

    @property
    def resume_guid(self) -> str:
        """The object that resumes it from hibernation."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.name} resume"))


class NewObject(Struct, frozen=True):
    """An object to be made, with its elements as they are stored."""

    guid: str
    type: int
    elements: tuple[tuple[int, RegistryData], ...]

    @property
    def key(self) -> str:
        """Its key."""
        return f"Objects\\{{{self.guid}}}"


def store_objects(
    firmware: Firmware, system: bytes, entries: Sequence[StoreEntry], template: BcdStore | None
) -> tuple[NewObject, ...]:
    """The objects of a store that starts these, the first by default; ``system`` is the element of its own partition.

    ``template`` is the Windows' own BCD-Template, None where it has none that can be read.
    """
    model = _Model(firmware, template)
    objects = [*_shared_settings(entries[0]), _manager(model, system, entries), _memory_tester(model, system)]
    for entry in entries:
        objects.append(_loader(model, entry))
        objects += [_resume(model, entry)] if entry.resumes else []
    return tuple(sorted((model.with_template(each) for each in objects), key=lambda each: each.guid))


def fill(hive: Hive, objects: Iterable[NewObject]) -> None:
    """Put the objects, and what says that it is the machine's own store, into a new hive."""
    hive.create_key("Description")
    hive.set_value("Description", "KeyName", ValueType.REG_SZ, text_data("BCD00000000"))
    for name in ("System", "TreatAsSystem"):
        hive.set_value("Description", name, ValueType.REG_DWORD, dword_data(1))
    for each in objects:
        hive.create_key(f"{each.key}\\Description")
        hive.set_value(f"{each.key}\\Description", "Type", ValueType.REG_DWORD, dword_data(each.type))
        hive.create_key(f"{each.key}\\Elements")
        for number, value in each.elements:
            key = f"{each.key}\\Elements\\{number:08x}"
            hive.create_key(key)
            hive.set_value(key, "Element", value.type, value.data)


class _Model(Struct, frozen=True):
    """What a template says of the objects that are made."""

    firmware: Firmware
    template: BcdStore | None

    def with_template(self, made: NewObject) -> NewObject:
        """The object with the elements that the template has for it before its own; those of its kind as a whole."""
        found = self._counterpart(made)
        if found is None:
            return made
        own = dict(made.elements)
        if made.type in (_SETTINGS, _LOADER_SETTINGS, _RESUME_SETTINGS):
            kept = _kept(found)
            return NewObject(made.guid, made.type, tuple(sorted((kept or own).items())))
        names: tuple[int, ...] = (_LOCALE, _TIMEOUT, _BAD_MEMORY_ACCESS, ElementType.DESCRIPTION)
        if made.type in (ObjectType.OS_LOADER, ObjectType.RESUME):
            names = _FROM_LOADER_TEMPLATE
        own |= {number: value for number, value in _kept(found).items() if number in names}
        return NewObject(made.guid, made.type, tuple(sorted(own.items())))

    def _counterpart(self, made: NewObject) -> BcdObject | None:
        if self.template is None:
            return None
        if made.type not in (ObjectType.OS_LOADER, ObjectType.RESUME):
            return self.template.object(made.guid)
        name = "winload" if made.type == ObjectType.OS_LOADER else "winresume"
        same = (each for each in self.template.objects if each.type == made.type)
        return next((each for each in same if self._is_for(each, f"{name}.{SUFFIXES[self.firmware]}")), None)

    def _is_for(self, each: BcdObject, file: str) -> bool:
        """Whether a template makes entries for this loader, and not for one from a RAM disk."""
        path = each.element(_TEMPLATE_PATH)
        named = "" if path is None or not isinstance(path.value, str) else path.value
        return named.casefold().endswith(file) and each.element(_TEMPLATE_RAM_DISK) is None


def _kept(found: BcdObject) -> dict[int, RegistryData]:
    """What a template's object hands down: no template's own elements, no devices, nothing that does not read."""
    return {
        each.type: _stored(each)
        for each in found.elements
        if each.type >> 28 != 4
        and each.format != ElementFormat.DEVICE
        and not isinstance(each.value, bytes)
        and len(each.data) <= _LONGEST_ELEMENT
    }


def _stored(element: Element) -> RegistryData:
    if element.format == ElementFormat.INTEGER and isinstance(element.value, int):  # templates have them shorter
        return _number(element.value)
    return RegistryData(element.kind, element.data)


def _shared_settings(entry: StoreEntry) -> Iterator[NewObject]:
    """The sets of settings that all others inherit from."""
    modern = entry.version >= WINDOWS_8
    serial = {_DEBUGGER_TYPE: 0, _DEBUGGER_PORT: 1, _DEBUGGER_BAUD: _SERIAL_BAUD}
    debugger = {_DEBUGGER_TYPE: _LOCAL_DEBUGGER} if modern else serial
    yield _object(_EMS, _SETTINGS, {_EMS_ON: _flag(on=False)})
    yield _object(_RESUMES, _RESUME_SETTINGS, {ElementType.INHERIT: _guids(_GLOBAL)})
    yield _object(_DEBUGGER, _SETTINGS, {number: _number(value) for number, value in debugger.items()})
    yield _object(_BAD_MEMORY, _SETTINGS, {})
    yield _object(_LOADERS, _LOADER_SETTINGS, {ElementType.INHERIT: _guids(_GLOBAL, _HYPERVISOR)})
    yield _object(_GLOBAL, _SETTINGS, {ElementType.INHERIT: _guids(_DEBUGGER, _EMS, _BAD_MEMORY)})
    hypervisor = {number: _number(value) for number, value in _HYPERVISOR_DEBUGGER.items()}
    yield _object(_HYPERVISOR, _LOADER_SETTINGS, hypervisor)


def _manager(model: _Model, system: bytes, entries: Sequence[StoreEntry]) -> NewObject:
    elements = {
        ElementType.DEVICE: _binary(system),
        ElementType.DESCRIPTION: _text("Windows Boot Manager"),
        _LOCALE: _text(_DEFAULT_LOCALE),
        ElementType.INHERIT: _guids(_GLOBAL),
        ElementType.DEFAULT: _text(f"{{{entries[0].guid}}}"),
        ElementType.DISPLAY_ORDER: _guids(*(each.guid for each in entries)),
        ElementType.TOOLS_ORDER: _guids(MEMORY_TESTER),
        _TIMEOUT: _number(_SECONDS),
    }
    if entries[0].resumes:
        elements[ElementType.RESUME_OBJECT] = _text(f"{{{entries[0].resume_guid}}}")
    if model.firmware is Firmware.UEFI:
        elements[ElementType.PATH] = _text(uefi.BOOT_MANAGER)
    return _object(BOOTMGR, ObjectType.BOOT_MANAGER, elements)


def _memory_tester(model: _Model, system: bytes) -> NewObject:
    elements = {
        ElementType.DEVICE: _binary(system),
        ElementType.PATH: _text(_MEMORY_TESTERS[model.firmware]),
        ElementType.DESCRIPTION: _text("Windows Memory Diagnostic"),
        _LOCALE: _text(_DEFAULT_LOCALE),
        ElementType.INHERIT: _guids(_GLOBAL),
        _BAD_MEMORY_ACCESS: _flag(on=True),
    }
    return _object(MEMORY_TESTER, ObjectType.MEMORY_TESTER, elements)


def _loader(model: _Model, entry: StoreEntry) -> NewObject:
    elements = {
        ElementType.DEVICE: _binary(entry.device),
        ElementType.PATH: _text(f"{entry.directory}\\system32\\winload.{SUFFIXES[model.firmware]}"),
        ElementType.DESCRIPTION: _text(entry.title),
        _LOCALE: _text(_DEFAULT_LOCALE),
        ElementType.INHERIT: _guids(_LOADERS),
        ElementType.OS_DEVICE: _binary(entry.device),
        ElementType.SYSTEM_ROOT: _text(entry.directory),
        _NX: _number(1 if entry.is_server else 0),  # opt-out, opt-in
    }
    if entry.resumes:
        elements[ElementType.DEFAULT] = _text(f"{{{entry.resume_guid}}}")  # of a loader: its resume object
    if entry.version >= WINDOWS_8:
        elements[_IN_MEMORY] = _number(_IN_MEMORY_SETTINGS)
        elements[_MENU_POLICY] = _number(1)
        elements |= _isolated(model)
    return _object(entry.guid, ObjectType.OS_LOADER, elements)


def _resume(model: _Model, entry: StoreEntry) -> NewObject:
    elements = {
        ElementType.DEVICE: _binary(entry.device),
        ElementType.PATH: _text(f"{entry.directory}\\system32\\winresume.{SUFFIXES[model.firmware]}"),
        ElementType.DESCRIPTION: _text("Windows Resume Application"),
        _LOCALE: _text(_DEFAULT_LOCALE),
        ElementType.INHERIT: _guids(_RESUMES),
        ElementType.OS_DEVICE: _binary(entry.device),  # of a resume object: where the session is saved
        ElementType.SYSTEM_ROOT: _text("\\hiberfil.sys"),
        _RESUME_DEBUGGER: _flag(on=False),
    }
    if entry.version >= WINDOWS_8:
        elements[_IN_MEMORY] = _number(_IN_MEMORY_SETTINGS)
        elements[_RESUME_MENU_POLICY] = _number(1)
        elements |= _isolated(model)
    return _object(entry.resume_guid, ObjectType.RESUME, elements)


def _isolated(model: _Model) -> dict[int, RegistryData]:
    return {_ISOLATED: _flag(on=True)} if model.firmware is Firmware.UEFI else {}


def _object(guid: str, kind: int, elements: dict[int, RegistryData]) -> NewObject:
    return NewObject(guid, kind, tuple(sorted((int(number), value) for number, value in elements.items())))


def _binary(data: bytes) -> RegistryData:
    return RegistryData(ValueType.REG_BINARY, data)


def _number(value: int) -> RegistryData:
    return _binary(value.to_bytes(8, "little"))


def _flag(*, on: bool) -> RegistryData:
    return _binary(bytes([on]))


def _text(text: str) -> RegistryData:
    return RegistryData(ValueType.REG_SZ, text_data(text))


def _guids(*names: str) -> RegistryData:
    return RegistryData(ValueType.REG_MULTI_SZ, multi_data(f"{{{name}}}" for name in names))
