r"""boot.ini that leads nowhere after a conversion: repaired where it can be proven, and put back to the byte by undo.

The expected text of each boot.ini is written out here; sleuthkit reads what is really on the disk.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace
from tests.endtoend.story import LSI_LOGIC, Bootgraft, grafting, require_repaired
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.spec import FileSystem, MachineSpec, VolumeState
from tests.machines.windows2003 import SERVER1_SIGNATURE, arc
from tests.machines.windows2003 import donor as healthy

Build = Callable[..., BuiltMachine]
BOOT_INI = r"\boot.ini"
LOADER, WINDOWS = 0, 1


def menu(default: str, *lines: str, timeout: int = 30) -> str:
    """A boot.ini with these lines as they are below [operating systems]."""
    return "\r\n".join(["[boot loader]", f"timeout={timeout}", f"default={default}", "[operating systems]", *lines, ""])


def signed(partition: int, directory: str = "WINDOWS", *, signature: int = SERVER1_SIGNATURE) -> str:
    return rf"signature({signature:08x})disk(0)rdisk(0)partition({partition})\{directory}"


def findings(document: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [(each["severity"], each["id"], each["fixable"]) for each in document["findings"]]


class Fixed(Struct, frozen=True):
    """A dead server whose boot.ini is wrong, and the boot.ini that a repair gives it."""

    variant: dict[str, Any]
    wrong: str
    right: str
    finding: str
    severity: str = "blocker"


ENTRY = '="Windows Server 2003, Standard" /noexecute=optout /fastdetect'
FIXED = {
    "a dropped OEM partition": Fixed(
        {},
        menu(arc(3, "WINDOWS"), arc(3, "WINDOWS") + ENTRY),
        menu(arc(2, "WINDOWS"), arc(2, "WINDOWS") + ENTRY),
        "boot-ini-wrong-partition",
    ),
    "every other byte is kept": Fixed(
        {"system_filesystem": FileSystem.FAT16},
        "; made by Setup\r\n[BOOT LOADER]\nTimeout = 5\r\nDEFAULT =  MULTI(0)Disk(0)RDISK(0)Partition(4)\\windows \t"
        "\r\n"
        '\r\n[operating systems]\r\nC:\\CMDCONS\\BOOTSECT.DAT="Wiederherstellungskonsole f\xfcr NT" /cmdcons\r\n'
        '  multi(0)disk(0)rdisk(0)partition(4)\\WINDOWS = "partition(4), the \xe4lteste" /3GB /pae ; partition(4)\n'
        'multi(0)disk(0)rdisk(0)partition(4)\\GONE="nowhere"\x1apartition(4)',
        "; made by Setup\r\n[BOOT LOADER]\nTimeout = 5\r\nDEFAULT =  MULTI(0)Disk(0)RDISK(0)Partition(2)\\windows \t"
        "\r\n"
        '\r\n[operating systems]\r\nC:\\CMDCONS\\BOOTSECT.DAT="Wiederherstellungskonsole f\xfcr NT" /cmdcons\r\n'
        '  multi(0)disk(0)rdisk(0)partition(2)\\WINDOWS = "partition(4), the \xe4lteste" /3GB /pae ; partition(4)\n'
        'multi(0)disk(0)rdisk(0)partition(4)\\GONE="nowhere"\x1apartition(4)',
        "boot-ini-wrong-partition",
    ),
    "another entry moved too": Fixed(
        {"second_installation": True},
        menu(arc(3, "W2"), arc(3, "WINDOWS") + ENTRY, arc(3, "W2") + ENTRY, 'C:\\="DOS"'),
        menu(arc(2, "W2"), arc(2, "WINDOWS") + ENTRY, arc(2, "W2") + ENTRY, 'C:\\="DOS"'),
        "boot-ini-wrong-partition",
    ),
    "a wrong rdisk": Fixed(
        {"second_disk": True},
        menu(arc(2, "WINDOWS"), arc(2, "WINDOWS") + ENTRY),
        menu(arc(1, "WINDOWS", disk=1), arc(1, "WINDOWS", disk=1) + ENTRY),
        "boot-ini-wrong-partition",
    ),
    "a disk less, by the registry's word": Fixed(
        {"boot_device": "multi(0)disk(0)rdisk(1)partition(1)"},
        menu(arc(1, "WINDOWS", disk=1), arc(1, "WINDOWS", disk=1) + ENTRY),
        menu(arc(2, "WINDOWS"), arc(2, "WINDOWS") + ENTRY),
        "boot-ini-wrong-partition",
    ),
    "signature()": Fixed(
        {},
        menu(signed(2), signed(2) + ENTRY),
        menu(arc(2, "WINDOWS"), arc(2, "WINDOWS") + ENTRY),
        "boot-ini-unsupported-path",
        "warning",
    ),
    "signature() tells twins apart": Fixed(
        {"decoy": True},
        menu(signed(2), signed(2) + ENTRY),
        menu(arc(2, "WINDOWS"), arc(2, "WINDOWS") + ENTRY),
        "boot-ini-unsupported-path",
        "warning",
    ),
    "scsi()": Fixed(
        {},
        menu(r"scsi(1)disk(3)rdisk(0)partition(2)\WINDOWS", r"scsi(1)disk(3)rdisk(0)partition(2)\WINDOWS" + ENTRY),
        menu(arc(2, "WINDOWS"), arc(2, "WINDOWS") + ENTRY),
        "boot-ini-unsupported-path",
    ),
    "a default that no entry has": Fixed(
        {},
        menu(arc(3, "WINDOWS"), arc(2, "WINDOWS") + ENTRY),
        menu(arc(2, "WINDOWS"), arc(2, "WINDOWS") + ENTRY),
        "boot-ini-default-not-in-menu",
    ),
    "an entry that was not changed with the default": Fixed(
        {},
        menu(arc(2, "WINDOWS"), arc(3, "WINDOWS") + ENTRY),
        menu(arc(2, "WINDOWS"), arc(2, "WINDOWS") + ENTRY),
        "boot-ini-default-not-in-menu",
        "warning",
    ),
}


@pytest.mark.parametrize("case", FIXED)
def test_boot_ini_is_repaired_the_driver_grafted_and_both_undone(
    case: str, build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    wanted = FIXED[case]
    machine = build_server1(boot_ini_text=wanted.wrong, **wanted.variant)
    first, loader = machine.disks[0], machine.span(LOADER)
    before = [oracles.sha256(disk) for disk in machine.disks]
    files = oracles.hashes(first, loader)
    attributes = oracles.attributes(first, loader, BOOT_INI)

    checked = bootgraft("check", *machine.disks, *LSI_LOGIC, "--json")
    assert checked.status == 1
    assert (wanted.severity, wanted.finding, True) in findings(checked.json)

    repaired = bootgraft("repair", *machine.disks, *grafting(donor), "--json")
    assert repaired.status == 0, repaired
    document = repaired.json
    assert document["committed"]
    told = {name for _, name, _ in findings(document["before"][0])}
    assert {wanted.finding, "device-binding-missing"} <= told
    assert findings(document["after"][0]) == []
    assert oracles.read_file(first, loader, BOOT_INI) == wanted.right.encode("cp1252")
    assert oracles.attributes(first, loader, BOOT_INI) == attributes
    after = oracles.hashes(first, loader)
    assert {path for path in files | after if files.get(path) != after.get(path)} == {BOOT_INI}
    if "second_installation" not in wanted.variant:
        span = machine.span(WINDOWS) if len(machine.disks) == 1 else machine.span(0, disk=1)
        require_repaired(machine.disks[-1], span, donor, tmp_path)

    assert bootgraft("check", *machine.disks, *LSI_LOGIC).status == 0
    again = bootgraft("repair", *machine.disks, *grafting(donor))
    assert (again.status, again.stdout[:14]) == (0, "Nothing to do:")
    assert bootgraft("undo", *machine.disks).status == 0
    assert [oracles.sha256(disk) for disk in machine.disks] == before


def without_oem_partition(spec: MachineSpec) -> MachineSpec:
    """The machine as a converter leaves it that clones volumes and takes the OEM partition for none."""
    (disk,) = spec.disks
    return replace(spec, name=f"{spec.name}-converted", disks=(replace(disk, partitions=disk.partitions[1:]),))


def test_the_recovery_partition_that_a_converter_drops(build_machine: Build, bootgraft: Bootgraft) -> None:
    machine = build_machine(without_oem_partition(healthy()))
    before = oracles.sha256(machine.disk)

    dry = bootgraft("repair", machine.disk, *LSI_LOGIC, "--dry-run")
    assert dry.status == 0, dry
    assert [line.strip() for line in dry.stdout.splitlines() if "partition(" in line and line.strip()[:1] in "+-"] == [
        r"-default=multi(0)disk(0)rdisk(0)partition(2)\WINNT",
        r"+default=multi(0)disk(0)rdisk(0)partition(1)\WINNT",
        r'-multi(0)disk(0)rdisk(0)partition(2)\WINNT="Windows Server 2003, Standard" /noexecute=optout /fastdetect',
        r'+multi(0)disk(0)rdisk(0)partition(1)\WINNT="Windows Server 2003, Standard" /noexecute=optout /fastdetect',
    ]
    assert "control set" not in dry.stdout
    assert oracles.sha256(machine.disk) == before

    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC)
    assert repaired.status == 0, repaired
    assert repaired.stdout.startswith("Repaired: 1 file, proven before written")
    assert oracles.read_file(machine.disk, machine.span(0), BOOT_INI).decode() == menu(
        arc(1, "WINNT"), arc(1, "WINNT") + ENTRY
    )
    oracles.ntfs_is_consistent(machine.disk, machine.span(0))
    assert bootgraft("check", machine.disk, *LSI_LOGIC).status == 0
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


class Refused(Struct, frozen=True):
    """A boot.ini that is not repaired, and what the evidence says."""

    variant: dict[str, Any]
    text: str
    finding: str
    told: tuple[str, ...]


TWINS = (r"\WINDOWS on disk 0 partition 2", r"\WINDOWS on disk 0 partition 3")
REFUSED = {
    "twins": Refused(
        {"decoy": True}, menu(arc(4, "WINDOWS"), arc(4, "WINDOWS") + ENTRY), "boot-ini-wrong-partition", TWINS
    ),
    "twins, scsi()": Refused(
        {"decoy": True},
        menu(r"scsi(0)disk(0)rdisk(0)partition(2)\WINDOWS", r"scsi(0)disk(0)rdisk(0)partition(2)\WINDOWS" + ENTRY),
        "boot-ini-unsupported-path",
        TWINS,
    ),
    "twins in the menu": Refused(
        {"decoy": True},
        menu(arc(4, "WINDOWS"), arc(2, "WINDOWS") + ENTRY, arc(3, "WINDOWS") + ENTRY),
        "boot-ini-default-not-in-menu",
        TWINS,
    ),
    "a disk that was not given": Refused(
        {},
        menu(arc(2, "WINDOWS", disk=1), arc(2, "WINDOWS", disk=1) + ENTRY),
        "boot-ini-wrong-partition",
        ("rdisk(1) may be a disk that was not given",),
    ),
    "another entry that names the directory": Refused(
        {},
        menu(arc(3, "WINDOWS"), arc(3, "WINDOWS") + ENTRY, arc(2, "WINDOWS") + ENTRY),
        "boot-ini-wrong-partition",
        ("line 6 names the same directory on another partition",),
    ),
    "the registry says otherwise": Refused(
        {"boot_device": "multi(0)disk(0)rdisk(2)partition(1)"},
        menu(arc(3, "WINDOWS"), arc(3, "WINDOWS") + ENTRY),
        "boot-ini-wrong-partition",
        ("last started from multi(0)disk(0)rdisk(2)partition(1), which is neither",),
    ),
    "another signature": Refused(
        {},
        menu(signed(2, signature=0x1234ABCD), signed(2, signature=0x1234ABCD) + ENTRY),
        "boot-ini-unsupported-path",
        ("no given disk has the signature 1234abcd",),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_proven_is_left_alone(
    case: str, build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    wanted = REFUSED[case]
    machine = build_server1(boot_ini_text=wanted.text, **wanted.variant)
    before = oracles.sha256(machine.disk)
    repaired = bootgraft("repair", machine.disk, *grafting(donor), "--json")
    assert repaired.status == 1, repaired
    document = repaired.json
    assert (document["committed"], document["changes"]) == (False, [])
    (found,) = document["before"][0]["findings"]
    assert (found["id"], found["fixable"]) == (wanted.finding, False)
    for told in wanted.told:
        assert told in " ".join(found["evidence"]), found
    assert "bootgraft does not guess" in found["explanation"]
    assert oracles.sha256(machine.disk) == before


def test_the_user_may_say_that_a_disk_exists_no_more(
    build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    gone = signed(2, signature=0x1234ABCD)
    machine = build_server1(boot_ini_text=menu(gone, gone + ENTRY))
    checked = bootgraft("check", machine.disk, *LSI_LOGIC)
    assert "--these-are-all-disks" in checked.stdout
    repaired = bootgraft("repair", machine.disk, *grafting(donor), "--these-are-all-disks")
    assert repaired.status == 0, repaired
    right = menu(arc(2, "WINDOWS"), arc(2, "WINDOWS") + ENTRY)
    assert oracles.read_file(machine.disk, machine.span(LOADER), BOOT_INI).decode() == right


def test_a_repaired_chain_alone_is_not_written(build_server1: Build, bootgraft: Bootgraft) -> None:
    machine = build_server1(boot_ini_text=menu(arc(3, "WINDOWS"), arc(3, "WINDOWS") + ENTRY))
    before = oracles.sha256(machine.disk)
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC)
    assert repaired.status == 1, repaired
    assert "[boot-ini-wrong-partition]" in repaired.stdout
    assert "[device-binding-missing]" in repaired.stdout
    assert "--drivers SOURCE" in repaired.stdout
    assert oracles.sha256(machine.disk) == before


def test_a_system_partition_that_is_not_clean_is_not_written(build_machine: Build, bootgraft: Bootgraft) -> None:
    spec = without_oem_partition(healthy())
    (disk,) = spec.disks
    (partition,) = disk.partitions
    assert partition.volume is not None
    unclean = replace(partition, volume=replace(partition.volume, state=VolumeState.UNCLEAN))
    machine = build_machine(replace(spec, name="unclean", disks=(replace(disk, partitions=(unclean,)),)))
    before = oracles.sha256(machine.disk)
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC)
    assert repaired.status == 3, repaired
    assert "disk 0 partition 1" in repaired.stderr
    assert oracles.sha256(machine.disk) == before
