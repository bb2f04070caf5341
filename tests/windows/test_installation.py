"""Installations, from hives that hivexregedit made and from real ones, on volumes in memory."""

import pytest
from tests.fakes import SIGNATURE, FakePartition, machine_of, volume_of
from tests.machines.spec import HiveState
from tests.windows.hives import hive_bytes, real_bytes

from bootgraft.errors import DirtyHiveError, FileMissingError, HiveError
from bootgraft.machine import Machine, Volume
from bootgraft.windows.installation import Architecture, Installation, Select, open_hive, read_installation

SELECT = r"""
[\Select]
"Current"=dword:{current:08x}
"Default"=dword:{default:08x}
"Failed"=dword:{failed:08x}
"LastKnownGood"=dword:{good:08x}
"""
KERNEL = b"MZ".ljust(60, b"\0") + b"\x40\0\0\0PE\0\0\x64\x86" + bytes(100)


def system(*sets: str, current: int = 1, default: int = 1, failed: int = 0, good: int = 2, more: str = "") -> str:
    """A SYSTEM hive with these sets; one with a + has Services and Control."""
    keys = []
    for name in sets:
        keys.append(f"[\\ControlSet{name.rstrip('+')}]")
        if name.endswith("+"):
            keys += [f"[\\ControlSet{name[:-1]}\\Services]", f"[\\ControlSet{name[:-1]}\\Control]"]
    return SELECT.format(current=current, default=default, failed=failed, good=good) + "\n\n".join(keys) + "\n\n" + more


def current_version(**values: str) -> str:
    """A SOFTWARE hive."""
    lines = [f'"{name}"={value}' for name, value in values.items()]
    return "\n".join([r"[\Microsoft\Windows NT\CurrentVersion]", *lines, ""])


SOFTWARE = current_version(
    ProductName='"Microsoft Windows Server 2003"',
    CurrentVersion='"5.2"',
    CurrentBuildNumber='"3790"',
    CurrentBuild='"1.511.1 () (Obsolete data - do not use)"',
    CSDVersion='"Service Pack 2"',
)


def machine_with(
    system_hive: bytes | None, software: bytes | None, *, directory: str = "\\WINDOWS", kernel: bytes | None = KERNEL
) -> Machine:
    names = {"config\\SYSTEM": system_hive, "config\\software": software, "ntoskrnl.exe": kernel}
    files = {f"{directory}\\system32\\{name}": data for name, data in names.items() if data is not None}
    return machine_of([FakePartition(), FakePartition(volume_of("\\x", contents=files))])


def volume_in(machine: Machine) -> Volume:
    volume = machine.volume(0, 2)
    assert volume is not None
    return volume


def read(text: str, software: str | None = SOFTWARE, *, directory: str = "\\WINDOWS") -> Installation:
    machine = machine_with(hive_bytes(text), None if software is None else hive_bytes(software), directory=directory)
    return read_installation(volume_in(machine), directory, default_boot=True)


def test_a_plain_installation() -> None:
    found = read(system("001+", "002+"))
    assert found.id == "disk0-partition2-WINDOWS"
    assert (found.product, found.version, found.build) == ("Microsoft Windows Server 2003", (5, 2), "3790")
    assert (found.service_pack, found.arch, found.control_sets) == ("Service Pack 2", Architecture.X64, (1, 2))
    assert found.select == Select(1, 1, 0, 2)
    assert (found.drive_letter, found.default_boot, found.notes) == (None, True, ())


def test_an_odd_directory_has_its_own_id() -> None:
    assert read(system("001+"), directory="\\OS\\W2").id == "disk0-partition2-OS-W2"


@pytest.mark.parametrize(
    ("text", "sets"),
    [
        (system("001+", "003+", good=3), (1, 3)),
        (system("001+", "002", "003"), (1, 2)),
        (system("001+", "002+", "003+", good=1), (1, 2, 3)),
        (system("002", "001", current=1, default=2, failed=1, good=0), (1, 2)),
        (system("001", good=7), (1,)),
        (system("001+", "000+", good=0), (1,)),
    ],
)
def test_control_sets_to_edit(text: str, sets: tuple[int, ...]) -> None:
    assert read(text).control_sets == sets


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (system("001", default=2), "names control set 2 as default"),
        (system("001", default=0), "names control set 0 as default"),
        (system("001", default=0xFFFFFFFF), "names control set 4294967295"),
        ("[\\ControlSet001]", "no key Select"),
        ("[\\Select]\n\n[\\ControlSet001]", "names control set 0"),
    ],
)
def test_no_default_control_set(text: str, what: str) -> None:
    with pytest.raises(HiveError, match=what) as caught:
        read(text)
    assert caught.value.where == "disk 0 partition 2: \\WINDOWS\\system32\\config\\SYSTEM"


def test_hives_that_cannot_be_used() -> None:
    good = hive_bytes(system("001"))
    with pytest.raises(FileMissingError, match="has no SYSTEM hive"):
        read_installation(volume_in(machine_with(None, None)), "\\WINDOWS", default_boot=False)
    dirty = hive_bytes(system("001"), HiveState.DIRTY)
    with pytest.raises(DirtyHiveError):
        read_installation(volume_in(machine_with(dirty, None)), "\\WINDOWS", default_boot=False)
    with pytest.raises(HiveError):
        read_installation(volume_in(machine_with(good[:5000], None)), "\\WINDOWS", default_boot=False)


@pytest.mark.parametrize("state", [HiveState.DIRTY, HiveState.CORRUPT, HiveState.NOT_A_HIVE, None])
def test_a_software_hive_that_cannot_be_used_is_noted(state: HiveState | None) -> None:
    software = None if state is None else hive_bytes(SOFTWARE, state)
    volume = volume_in(machine_with(hive_bytes(system("001")), software))
    found = read_installation(volume, "\\WINDOWS", default_boot=False)
    assert (found.product, found.version, found.build) == ("Windows (unknown version)", (0, 0), "")
    (note,) = found.notes
    assert "product and version are unknown" in note
    assert "SOFTWARE" in note


@pytest.mark.parametrize("kernel", [None, b"", b"no kernel"])
def test_a_kernel_that_cannot_be_read_is_noted(kernel: bytes | None) -> None:
    volume = volume_in(machine_with(hive_bytes(system("001")), hive_bytes(SOFTWARE), kernel=kernel))
    found = read_installation(volume, "\\WINDOWS", default_boot=False)
    assert found.arch is Architecture.UNKNOWN
    assert "architecture is unknown" in found.notes[0]


PRODUCT_TYPE = '[\\ControlSet001\\Control\\ProductOptions]\n"ProductType"="{}"\n'


@pytest.mark.parametrize(
    ("values", "product_type", "product", "version"),
    [
        ({"CurrentVersion": '"5.2"'}, "ServerNT", "Windows Server 2003", (5, 2)),
        ({"CurrentVersion": '"5.2"'}, "WinNT", "Windows XP x64 Edition", (5, 2)),
        ({"CurrentVersion": '"5.2"'}, "", "Windows (NT 5.2)", (5, 2)),
        ({"CurrentVersion": '"4.0"'}, "LanmanNT", "Windows NT Server 4.0", (4, 0)),
        ({"CurrentVersion": '"5.1"'}, "", "Windows XP", (5, 1)),
        ({"CurrentVersion": '"7.5"'}, "WinNT", "Windows (NT 7.5)", (7, 5)),
        ({"CurrentVersion": '"rubbish"'}, "WinNT", "Windows (unknown version)", (0, 0)),
        ({}, "WinNT", "Windows (unknown version)", (0, 0)),
        (
            {
                "ProductName": '"Windows 10 Pro"',
                "CurrentVersion": '"6.3"',
                "CurrentMajorVersionNumber": "dword:0000000a",
                "CurrentMinorVersionNumber": "dword:00000000",
                "CurrentBuild": '"22631"',
            },
            "WinNT",
            "Windows 11 Pro",
            (10, 0),
        ),
    ],
)
def test_products(values: dict[str, str], product_type: str, product: str, version: tuple[int, int]) -> None:
    more = PRODUCT_TYPE.format(product_type) if product_type else ""
    found = read(system("001", more=more), current_version(**values))
    assert (found.product, found.version) == (product, version)


def test_the_drive_letter() -> None:
    data = SIGNATURE.to_bytes(4, "little") + (2 * 8192).to_bytes(8, "little")
    letters = '[\\MountedDevices]\n"\\\\DosDevices\\\\F:"=hex:' + data.hex(",") + "\n"
    assert read(system("001", more=letters)).drive_letter == "F:"


def test_a_hive_is_opened_once() -> None:
    found = read(system("001"))
    assert open_hive(found, "SYSTEM") is open_hive(found, "system")
    with pytest.raises(FileMissingError):
        open_hive(found, "SAM")


@pytest.mark.parametrize(
    ("machine", "product", "version", "build", "pack", "sets"),
    [
        ("nt4-sp3-server-dc-vmware-buslogic", "Windows NT Server 4.0", (4, 0), "1381", "Service Pack 3", (1, 2)),
        ("xp-sp3-x86-vmware-buslogic-vmscsi", "Microsoft Windows XP", (5, 1), "2600", "Service Pack 3", (1, 3)),
    ],
)
def test_real_machines(
    machine: str, product: str, version: tuple[int, int], build: str, pack: str, sets: tuple[int, ...]
) -> None:
    built = machine_with(
        real_bytes("hives-system", machine, "SYSTEM"), real_bytes("hives-software", machine, "SOFTWARE")
    )
    found = read_installation(volume_in(built), "\\WINDOWS", default_boot=True)
    assert (found.product, found.version, found.build, found.service_pack) == (product, version, build, pack)
    assert found.control_sets == sets
    assert found.select.default == 1


@pytest.mark.parametrize(
    ("machine", "sets"),
    [
        ("xp-sp3-x86-virtualpc-iecompat", (1, 3)),
        ("win7-sp1-x86-vmware-lsisas", (1, 2)),
        ("win10-21h2-x64-vmware-nvme-clean", (1,)),
    ],
)
def test_real_control_sets(machine: str, sets: tuple[int, ...]) -> None:
    volume = volume_in(machine_with(real_bytes("hives-system", machine, "SYSTEM"), None))
    assert read_installation(volume, "\\WINDOWS", default_boot=True).control_sets == sets


def test_a_real_dirty_hive_is_refused() -> None:
    data = real_bytes("hives-system", "win81-x64-virtualbox-ahci-dirty-nolog", "SYSTEM")
    with pytest.raises(DirtyHiveError):
        read_installation(volume_in(machine_with(data, None)), "\\WINDOWS", default_boot=True)
