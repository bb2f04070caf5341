"""The boot chain and the installation behind it on whole disks: real partition tables, file systems and hives."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.machines import spec
from tests.machines.build import BuiltMachine
from tests.machines.windows2003 import arc, boot_ini
from tests.storage.sample_disks import SparseDisk

from bootgraft.boot.chain import BootChain, follow
from bootgraft.errors import DirtyHiveError
from bootgraft.filesystems.base import VolumeState
from bootgraft.machine import Machine
from bootgraft.windows.installation import Architecture, Installation, open_hive, read_installation
from bootgraft.windows.services import read_service

Build = Callable[..., BuiltMachine]


@contextmanager
def opened(built: BuiltMachine, *, swapped: bool = False) -> Iterator[Machine]:
    paths = reversed(built.disks) if swapped else built.disks
    with Machine.read([SparseDisk(path) for path in paths], writable=False) as machine:
        yield machine


def default_of(chain: BootChain) -> Installation:
    assert chain.default is not None, chain.steps[-1]
    return read_installation(chain.default.volume, chain.default.directory, default_boot=True)


@pytest.mark.parametrize(
    ("variant", "place"),
    [
        ({}, "disk0-partition2-WINDOWS"),
        ({"system_filesystem": spec.FileSystem.FAT16}, "disk0-partition2-WINDOWS"),
        ({"logical": True}, "disk0-partition3-WINDOWS"),
        ({"second_installation": True}, "disk0-partition2-W2"),
        ({"directory": "WinNT.40"}, "disk0-partition2-WinNT.40"),
        ({"second_disk": True}, "disk1-partition1-WINDOWS"),
        ({"decoy": True, "directory": "SRV"}, "disk0-partition2-SRV"),
    ],
)
def test_the_windows_that_boots(build_server1: Build, variant: dict[str, Any], place: str) -> None:
    with opened(build_server1(**variant)) as machine:
        chain = follow(machine)
        found = default_of(chain)
        assert found.id == place
        assert (found.version, found.arch, found.control_sets) == ((5, 2), Architecture.X86, (1, 2))
        assert (found.product.split(" R2")[0], found.build) == ("Microsoft Windows Server 2003", "3790")
        assert (found.drive_letter, found.notes) == ("D:", ())
        assert read_service(open_hive(found, "SYSTEM"), 1, "symmpi") is None
        assert all(step.holds for step in chain.steps)
        others = [f"disk{each.volume.disk}-partition{each.volume.number}{each.directory}" for each in chain.others]
        expected = {"second_installation": ["disk0-partition2\\WINDOWS"], "decoy": ["disk0-partition3\\WINDOWS"]}
        assert others == next((expected[key] for key in variant if key in expected), [])


def test_boot_ini_that_points_at_nothing_names_what_would_fit(build_server1: Build) -> None:
    text = boot_ini(arc(1, "WINDOWS"), (arc(1, "WINDOWS"), "Windows Server 2003"))
    with opened(build_server1(boot_ini_text=text)) as machine:
        chain = follow(machine)
    assert chain.default is None
    assert "\\WINDOWS on disk 0 partition 1, which is not there" in chain.steps[-1].what
    assert "\\WINDOWS on disk 0 partition 2 (multi(0)disk(0)rdisk(0)partition(2))" in chain.steps[-1].evidence


def test_two_disks_swapped(build_server1: Build) -> None:
    with opened(build_server1(second_disk=True), swapped=True) as machine:
        chain = follow(machine)
    assert chain.default is None
    assert "disk 0 has no active partition" in chain.steps[-1].what
    assert "disk 1 has an active partition with ntldr" in chain.steps[-1].evidence


def test_a_missing_system_hive(build_server1: Build) -> None:
    with opened(build_server1(system_missing=True)) as machine:
        chain = follow(machine)
    assert chain.default is None
    assert chain.steps[-1].where == "disk 0 partition 2: \\WINDOWS\\system32\\config\\SYSTEM"


def test_a_dirty_hive(build_server1: Build) -> None:
    with opened(build_server1(system_state=spec.HiveState.DIRTY)) as machine, pytest.raises(DirtyHiveError):
        default_of(follow(machine))


def test_an_unclean_volume_is_followed_and_said(build_server1: Build) -> None:
    with opened(build_server1(volume_state=spec.VolumeState.UNCLEAN)) as machine:
        chain = follow(machine)
        assert default_of(chain).volume.filesystem().state is VolumeState.UNCLEAN
        assert chain.steps[-2].evidence == "ntfs, unclean"


def test_the_donor(build_donor: Build) -> None:
    with opened(build_donor()) as machine:
        found = default_of(follow(machine))
        assert (found.id, found.drive_letter) == ("disk0-partition2-WINNT", "C:")
        service = read_service(open_hive(found, "SYSTEM"), found.select.default, "symmpi")
        assert service is not None
        assert service.start == 0
