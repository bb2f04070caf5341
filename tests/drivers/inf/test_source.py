"""A source's INFs, and the files beside them."""

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from tests.drivers.inf.infs import GOOD, XP, driver, tree

from bootgraft.drivers.archives.archive import Archive
from bootgraft.drivers.archives.memory_archive import MemoryArchive
from bootgraft.drivers.inf import source
from bootgraft.drivers.inf.selection import choose_package, require_package
from bootgraft.drivers.inf.trial import trial_for
from bootgraft.errors import DriverSourceError
from bootgraft.targets.controllers import find_controller


def test_infs_come_by_their_paths_and_a_bad_one_hides_none() -> None:
    source = tree({"b.INF": GOOD, "a\\x.inf": "no inf", "readme.txt": "", "c.inf": b"MZ\0"})
    assert [(each.path, each.inf is not None) for each in source.infs()] == [
        ("a\\x.inf", False),
        ("b.INF", True),
        ("c.inf", False),
    ]
    assert source.infs()[0].fault == "there is no [section] in it: this is no INF file (a\\x.inf)"


def test_included_infs_lie_beside() -> None:
    source = tree({"a\\one.inf": GOOD, "a\\Two.inf": GOOD, "three.inf": GOOD, "a\\bad.inf": "x"})
    library = source.library("a")
    found = library("TWO.INF")
    assert found is not None
    assert found.name == "a\\Two.inf"
    assert library("three.inf") is None
    assert library("bad.inf") is None


def test_a_packed_file_is_found_and_unpacked(tmp_path: Path, machine_cache: Path) -> None:
    (tmp_path / "vdisk.sys").write_bytes(driver(machine_cache))
    subprocess.run(["gcab", "-c", "vdisk.sy_", "vdisk.sys"], cwd=tmp_path, check=True, capture_output=True)
    source = tree({"disk.inf": GOOD, "VDISK.SY_": (tmp_path / "vdisk.sy_").read_bytes()})
    assert source.find("vdisk.sys") == "VDISK.SY_"
    package = require_package(source, find_controller("kvm:virtio-blk"), XP)
    assert package.files[0].data == driver(machine_cache)


def test_a_file_packed_in_no_known_way_is_passed_over() -> None:
    with pytest.raises(DriverSourceError, match="it is no packed file"):
        require_package(tree({"disk.inf": GOOD, "vdisk.sy_": b"MZ"}), find_controller("kvm:virtio-blk"), XP)


def test_places_for_people() -> None:
    assert tree({"a\\x.inf": ""}).place("a\\x.inf") == "source: a\\x.inf"
    assert tree({"x.inf": ""}, only="x.inf").place("x.inf") == "source"


def test_too_many_infs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_INFS", 1)
    with pytest.raises(DriverSourceError, match="more than 1 INF files"):
        tree({"a.inf": "", "b.inf": ""}).infs()


def test_the_files_of_many_packages_are_read_in_one_pass(monkeypatch: pytest.MonkeyPatch, machine_cache: Path) -> None:
    """And a file that the pass could not give is read when it is asked for."""
    names = [f"p{number}\\{name}" for number in range(3) for name in ("disk.inf", "vdisk.sys")]
    found = tree({name: GOOD if name.endswith("inf") else driver(machine_cache) for name in names})
    passes: list[tuple[str, ...]] = []

    def read_each(archive: Archive, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        passes.append(tuple(paths))
        return ((path, archive.read(path)) for path in passes[-1])

    monkeypatch.setattr(source, "read_each", read_each)
    choose_package(found, find_controller("kvm:virtio-blk"), XP, trial_for(XP))
    assert [sorted(each) for each in passes] == [names[::2], names[1::2]]
    found.fetch(["absent.sys", "p0\\vdisk.sys"])
    assert found.read("p0\\vdisk.sys") == driver(machine_cache)


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_FETCHED", 5)
    found = tree({"a.sys": b"12345", "b.sys": b"6"})
    found.fetch(["a.sys", "b.sys"])
    monkeypatch.setattr(MemoryArchive, "read", lambda *_: b"read again")
    assert (found.read("a.sys"), found.read("b.sys")) == (b"12345", b"read again")


def test_an_inf_for_other_devices_is_not_parsed() -> None:
    found = tree({"net.inf": GOOD.replace("DEV_1001", "DEV_1000"), "disk.inf": GOOD})
    choose_package(found, find_controller("kvm:virtio-blk"), XP)
    assert ["_parsed" in vars(each) for each in found.infs()] == [True, False]
