"""Servers with a data disk: Windows on C: of disk 0, D: on disk 1, and what the registry says lies there.

They have met no disk on a SCSI-like controller but those that a test adds.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from bootgraft.changes import Plan
from bootgraft.checks.finding import Finding
from bootgraft.checks.guest import Guest
from bootgraft.machine import Machine, MbrPartition
from bootgraft.repair.apply import apply
from bootgraft.targets.controllers import find_controller
from bootgraft.windows.installation import open_hive, read_installation
from bootgraft.windows.mounted_devices import mbr_identity
from tests.checks.subjects import chain
from tests.core_windows import core_windows, in_sets, without_keys
from tests.fakes import FakePartition, machine_of
from tests.machines.registry_text import Multi, RegistryValue, reg_text
from tests.machines.spec import Architecture
from tests.machines.windows_hives import WINDOWS_10, Release
from tests.memory_windows import MemoryFileSystem

OWN, DATA = 0x11111111, 0x22222222
START = 8192
NTDS = r"\NTDS\ntds.dit"
CDROM = r"\??\IDE#CdRomVBOX_CD-ROM#5&394b69d0&0&2.0.0#{53f5630d-b6bf-11d0-94f2-00a0c91efb8b}".encode("utf-16-le")
PARTMGR = r"Services\partmgr\Parameters"
SHARED: Mapping[str, Mapping[str, RegistryValue]] = {PARTMGR: {"SanPolicy": 2}}
DOMAIN_CONTROLLER: dict[str, dict[str, RegistryValue]] = {
    r"Control\ProductOptions": {"ProductType": "LanmanNT"},
    r"Services\NTDS\Parameters": {
        "DSA Database file": rf"D:{NTDS}",
        "DSA Working Directory": r"D:\NTDS",
        "Database log files path": r"D:\NTDS",
    },
}
PAGE_FILE: dict[str, dict[str, RegistryValue]] = {
    r"Control\Session Manager\Memory Management": {"PagingFiles": Multi((r"D:\pagefile.sys 2048 4096",))},
}


def letter(name: str, data: bytes) -> str:
    """A letter in MountedDevices."""
    return reg_text({"MountedDevices": {rf"\DosDevices\{name}:": data}}) + "\n"


def volume_name(signature: int) -> bytes:
    """What MountedDevices calls the first partition of a disk."""
    return mbr_identity(signature, START)


LETTERS = letter("C", volume_name(OWN)) + letter("D", volume_name(DATA))


def server(
    *keys: Mapping[str, Mapping[str, RegistryValue]],
    letters: str = LETTERS,
    data: Sequence[str] = (NTDS, r"\NTDS\edb.log", r"\pagefile.sys"),
    release: Release = WINDOWS_10,
    with_data_disk: bool = True,
) -> Machine:
    """The machine, with these keys in every control set and these files on D:."""
    arch = Architecture.X64 if release.nt >= (6, 2) else Architecture.X86
    edits = without_keys(r"Enum\SCSI") + letters + "".join(map(in_sets, keys))
    own = FakePartition(core_windows(edits, release=release, arch=arch).filesystem, active=True)
    disks = [[own], [FakePartition(MemoryFileSystem(dict.fromkeys(data, b"data")))]]
    machine = machine_of(*disks[: 2 if with_data_disk else 1])
    for disk, signature in zip(machine.disks, (OWN, DATA), strict=False):
        disk.table = replace(disk.table, signature=signature)
        for volume in disk.volumes:
            volume.identity = MbrPartition(signature, volume.partition.start)
    return machine


def guest_on(machine: Machine, target: str | None = "kvm:virtio-scsi", release: Release = WINDOWS_10) -> Guest:
    """The machine as checks see it."""
    installation = read_installation(machine.disks[0].volumes[0], f"\\{release.directory}", default_boot=True)
    hive = open_hive(installation, "SYSTEM")
    return Guest(machine, chain(), installation, hive, controller=None if target is None else find_controller(target))


def repaired(machine: Machine, findings: Sequence[Finding]) -> Machine:
    """The machine with the changes of these findings, its hives to be read anew."""
    apply(
        Plan(tuple(dict.fromkeys(change for each in findings for change in each.changes))),
        machine,
        now=datetime(2026, 1, 2, tzinfo=UTC),
    )
    for volume in machine.volumes():
        volume._hives.clear()
    return machine
