"""The made hives hold what real ones of their generation hold: services, filters, bindings, and the kernel's values."""

import struct
from pathlib import Path

import pytest
from msgspec import Struct

from bootgraft.registry.hive import Hive, Key
from bootgraft.registry.values import Value, ValueType
from bootgraft.windows.driver_database import find_database_binding
from tests.machines import spec
from tests.machines.bindings import CDROM, DISK_DRIVE, HDC, KEYBOARD, MOUSE, SCSI_ADAPTER, SYSTEM_DEVICE, VOLUME
from tests.machines.build import content
from tests.machines.core_devices import core_bindings
from tests.machines.inbox import storage_bindings
from tests.machines.windows_hives import (
    NT_4,
    WINDOWS_7,
    WINDOWS_8_1,
    WINDOWS_10,
    WINDOWS_XP,
    ControlSet,
    Release,
    Select,
    SystemFacts,
    system_hive,
)
from tests.windows.hives import MemoryFile, real_bytes

X86, X64 = spec.Architecture.X86, spec.Architecture.X64
REAL: dict[str, tuple[Release, spec.Architecture]] = {
    "nt4-sp3-server-dc-vmware-buslogic": (NT_4, X86),
    "xp-sp3-x86-vmware-buslogic-vmscsi": (WINDOWS_XP, X86),
    "xp-sp3-x86-virtualpc-iecompat": (WINDOWS_XP, X86),
    "win7-sp1-x86-vmware-lsisas": (WINDOWS_7, X86),
    "win81-x64-virtualbox-ahci-dirty-nolog": (WINDOWS_8_1, X64),
    "win10-21h2-x64-vmware-nvme-clean": (WINDOWS_10, X64),
}
CLASSES = {
    CDROM: "CDROM", DISK_DRIVE: "DiskDrive", HDC: "hdc", KEYBOARD: "Keyboard", MOUSE: "Mouse",
    SCSI_ADAPTER: "SCSIAdapter", SYSTEM_DEVICE: "System", VOLUME: "Volume",
}  # fmt: skip
FACTS = ("Start", "ErrorControl", "Type", "Group", "Tag", "ImagePath")
OF_NOTEBOOKS = {"compbatt"}
OTHERS_FILTERS = {"VBoxMouse", "msvmmouf"}
"""Of VirtualBox and Virtual PC, on whose machines the hives were; the made ones are of physical machines."""


class Deviation(Struct, frozen=True):
    """A value of a made service that is not the real one's, and why."""

    service: str
    value: str
    reason: str


DEVIATIONS = (
    Deviation("buslogic", "Start", "the real NT 4 ran on this controller"),
    Deviation("buslogic", "ImagePath", "the real NT 4 ran on this controller"),
    Deviation("mraid35x", "Start", "the made XP ran on this controller"),
    Deviation("mraid35x", "ImagePath", "the made XP ran on this controller"),
    Deviation("iaStorV", "Start", "the made Windows 7 ran on this controller"),
    Deviation("iaStorV", "ImagePath", "the made Windows 7 ran on this controller"),
)
UNKNOWN_TO_REAL = {
    "nt4-sp3-server-dc-vmware-buslogic": {"mraid35x": "LSI's driver: the made NT 4 ran on this controller"},
}
OWN_OF_REAL = {
    "xp-sp3-x86-virtualpc-iecompat": {("Tcpip", "Tag"): "Virtual PC's network driver took the place before it"},
}


@pytest.fixture(params=REAL)
def machine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def real(machine: str) -> Hive:
    """A real hive as it lies: where transactions are pending, the sequence numbers are made equal."""
    data = bytearray(real_bytes("hives-system", machine, "SYSTEM"))
    data[8:12] = data[4:8]
    total = 0
    for word in struct.unpack_from("<127I", data, 0):
        total ^= word
    struct.pack_into("<I", data, 508, total)
    return Hive.open(MemoryFile(bytes(data)), name=machine)


def made(release: Release, arch: spec.Architecture, cache: Path) -> Hive:
    facts = SystemFacts(release, arch, "MADE", (ControlSet(1),), Select(last_known_good=1), ())
    return Hive.open(MemoryFile(content(spec.File("", system_hive(facts)), cache)), name="made")


def pair(machine: str, cache: Path) -> tuple[Hive, Hive]:
    return real(machine), made(*REAL[machine], cache)


def below(hive: Hive, path: str) -> Key:
    found = hive.key(rf"ControlSet001\{path}")
    assert found is not None, path
    return found


def services(hive: Hive) -> tuple[Key, ...]:
    return tuple(below(hive, "Services").keys())


def facts(service: Key) -> dict[str, object]:
    """What decides how a service is loaded; names of groups and paths in lower case, and an empty group is none."""
    found: dict[str, object] = {}
    for name in FACTS:
        value = service.value(name)
        text = None if value is None else value.text()
        found[name] = value.dword() if value is not None and text is None else (text or "").casefold() or None
    return found


def test_every_service_is_as_there(machine: str, machine_cache: Path) -> None:
    theirs, ours = pair(machine, machine_cache)
    allowed = {(each.service, each.value) for each in DEVIATIONS} | set(OWN_OF_REAL.get(machine, {}))
    unknown, differing = [], []
    for service in services(ours):
        other = below(theirs, "Services").key(service.name)
        if other is None:
            unknown.append(service.name)
            continue
        got, wanted = facts(service), facts(other)
        differing += [
            (service.name, name, got[name], wanted[name])
            for name in FACTS
            if got[name] != wanted[name] and (service.name, name) not in allowed
        ]
    assert not differing, "\n".join(map(str, differing))
    assert unknown == list(UNKNOWN_TO_REAL.get(machine, {}))


def test_storage_drivers_call_their_buses_as_there(machine: str, machine_cache: Path) -> None:
    theirs, ours = pair(machine, machine_cache)
    for service in services(ours):
        parameters = service.key("Parameters")
        bus = None if parameters is None else parameters.value("BusType")
        if bus is not None:
            real_bus = below(theirs, rf"Services\{service.name}\Parameters").value("BusType")
            assert real_bus is not None, service.name
            assert bus.dword() == real_bus.dword(), service.name


def test_no_core_service_of_theirs_is_missing(machine: str, machine_cache: Path) -> None:
    """What starts at boot there with ErrorControl 3, or filters a class of the boot disk's stack, is made too."""
    theirs, ours = pair(machine, machine_cache)
    known = {service.name.casefold() for service in services(ours)}
    needed = {name.casefold() for guid in CLASSES for side in filters(theirs, guid) for name in side}
    for service in services(theirs):
        got = facts(service)
        if (got["Start"], got["ErrorControl"]) == (0, 3) and service.key("StartOverride") is None:
            needed.add(service.name.casefold())
    assert needed - known - {name.casefold() for name in OTHERS_FILTERS} - OF_NOTEBOOKS == set()


def filters(hive: Hive, guid: str) -> tuple[tuple[str, ...], ...]:
    key = hive.key(rf"ControlSet001\Control\Class\{guid}")
    values = [None if key is None else key.value(side) for side in ("UpperFilters", "LowerFilters")]
    found = [() if value is None else tuple(value.multi() or ()) for value in values]
    return tuple(tuple(name for name in side if name not in OTHERS_FILTERS) for side in found)


def test_classes_have_the_filters_that_they_have_there(machine: str, machine_cache: Path) -> None:
    theirs, ours = pair(machine, machine_cache)
    for guid, name in CLASSES.items():
        assert filters(ours, guid) == filters(theirs, guid), name
        their_class = theirs.key(rf"ControlSet001\Control\Class\{guid}")
        assert (ours.key(rf"ControlSet001\Control\Class\{guid}") is None) == (their_class is None), name


def test_ids_are_bound_as_there(machine: str, machine_cache: Path) -> None:
    theirs, ours = pair(machine, machine_cache)
    version = REAL[machine][0].nt
    differing = []
    for binding in (*core_bindings(version), *(storage_bindings(version) if version >= (6, 0) else ())):
        for device in binding.ids:
            got, wanted = bound(ours, device, version), bound(theirs, device, version)
            if got != wanted and device not in ELSEWHERE.get(machine, {}):
                differing.append((device, got, wanted))
    assert not differing, "\n".join(map(str, differing))


ELSEWHERE: dict[str, dict[str, str]] = {
    "xp-sp3-x86-vmware-buslogic-vmscsi": {"*pnp0000": "an interrupt controller that its board, with an APIC, lacks"},
    "win10-21h2-x64-vmware-nvme-clean": {"*PNP0F13": "VMware's mouse driver took it"},
}


def bound(hive: Hive, device: str, version: tuple[int, int]) -> tuple[str, ...] | None:
    """The service and class (to Windows 7), or the service and where it stands in the DriverDatabase."""
    if version < (6, 2):
        key = hive.key(rf"ControlSet001\Control\CriticalDeviceDatabase\{device.replace(chr(92), '#')}")
        values = [None if key is None else key.value(name) for name in ("Service", "ClassGUID")]
        return None if key is None else tuple("" if each is None else (each.text() or "").casefold() for each in values)
    found = find_database_binding(hive, [device]).binding
    return None if found is None else ((found.service or "").casefold(), found.inf.casefold(), found.configuration)


@pytest.mark.parametrize(
    "path",
    [
        r"Control\ServiceGroupOrder", r"Control\GroupOrderList", r"Control\Nls\CodePage", r"Control\Nls\Language",
        r"Control\Session Manager",
    ],
)  # fmt: skip
def test_values_are_as_there(path: str, machine: str, machine_cache: Path) -> None:
    theirs, ours = pair(machine, machine_cache)
    for value in below(ours, path).values():
        other = below(theirs, path).value(value.name)
        assert other is not None, value.name
        if (machine, path) not in OWN_VALUES:
            assert (value.type, shown(value)) == (other.type, shown(other)), value.name


OWN_VALUES = {
    ("xp-sp3-x86-virtualpc-iecompat", r"Control\GroupOrderList"): "Virtual PC's drivers have places of their own in it",
}


def shown(value: Value) -> object:
    """A value without how it is padded: an empty list has one end mark or two."""
    return tuple(filter(None, value.multi() or ())) if value.type == ValueType.REG_MULTI_SZ else value.data


@pytest.mark.parametrize(
    "name", [r"ACPI_HAL\PNP0C08", r"Root\ACPI_HAL", r"Root\ftdisk", r"Root\volmgr", r"Root\spaceport"]
)
def test_devices_of_the_board_are_listed_as_there(name: str, machine: str, machine_cache: Path) -> None:
    theirs, ours = pair(machine, machine_cache)
    got, wanted = (hive.key(rf"ControlSet001\Enum\{name}") for hive in (ours, theirs))
    assert (got is None) == (wanted is None)
    if got is None or wanted is None:
        return
    for mine, other in zip(got.keys(), wanted.keys(), strict=True):
        for value in ("Service", "ClassGUID"):
            pair_of = [key.value(value) for key in (mine, other)]
            texts = [each and (each.text() or "").casefold() for each in pair_of]
            assert texts[0] == texts[1], value
