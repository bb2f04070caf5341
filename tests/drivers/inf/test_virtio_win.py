"""What is chosen of a whole release of virtio-win for every Windows there is, by the bytes of its folder."""

import hashlib
from pathlib import Path

import pytest
from tests.machines.windows_hives import WINDOWS_XP
from tests.memory_windows import memory_windows

from bootgraft.drivers.inf.choice import Standing
from bootgraft.drivers.inf.selection import choose_package
from bootgraft.drivers.inf.source import PackageTree
from bootgraft.drivers.inf.target_windows import known_windows
from bootgraft.drivers.inf.trial import trial_for, trial_in
from bootgraft.drivers.sources import open_source
from bootgraft.targets.controllers import find_controller
from bootgraft.windows.signatures.acceptance import Rules

EXPECTED = {
    ("xp", "x86"): ("xp",),
    ("xp64", "x64"): ("xp", "2k3"),
    ("2003", "x86"): ("2k3",),
    ("2003", "x64"): ("2k3",),
    ("vista", "x86"): ("2k8",),
    ("vista", "x64"): ("2k8",),
    ("2008", "x86"): ("2k8",),
    ("2008", "x64"): ("2k8",),
    ("7", "x86"): ("w7",),
    ("7", "x64"): ("w7",),
    ("2008r2", "x64"): ("2k8R2",),
    ("8", "x86"): ("w8",),
    ("8", "x64"): ("2k8R2", "w7"),
    ("2012", "x64"): ("2k8R2", "w7"),
    ("8.1", "x86"): ("w8.1",),
    ("8.1", "x64"): ("2k8R2", "w7"),
    ("2012r2", "x64"): ("2k8R2", "w7"),
    ("10", "x86"): ("w10",),
    ("10", "x64"): ("w10",),
    ("10", "arm64"): ("w10",),
    ("2016", "x64"): ("2k16",),
    ("2019", "x64"): ("2k19",),
    ("2022", "x64"): ("2k22",),
    ("11", "x64"): ("w11",),
    ("11", "arm64"): ("w11",),
    ("2025", "x64"): ("2k22",),
}
ARCHITECTURES = {"x86": "x86", "x64": "amd64", "arm64": "ARM64"}
WITHOUT_SCSI = {("xp", "x86"), ("xp64", "x64"), ("2003", "x86"), ("2003", "x64")}


@pytest.fixture(scope="module")
def release(shared_testdata: Path) -> Path:
    return shared_testdata / "drivers" / "virtio-win-0.1.240"


@pytest.fixture(scope="module")
def source(release: Path) -> PackageTree:
    return open_source(str(release))


@pytest.mark.parametrize(("target", "name"), [("kvm:virtio-blk", "viostor"), ("kvm:virtio-scsi", "vioscsi")])
@pytest.mark.parametrize("windows", EXPECTED, ids=" ".join)
def test_every_windows(target: str, name: str, windows: tuple[str, str], source: PackageTree, release: Path) -> None:
    (target_windows,) = known_windows(*windows)
    choice = choose_package(source, find_controller(target), target_windows, trial_for(target_windows))
    if name == "vioscsi" and windows in WITHOUT_SCSI:
        assert choice.package is None
        return
    folders = (release / name / each / ARCHITECTURES[windows[1]] / f"{name}.sys" for each in EXPECTED[windows])
    wanted = {hashlib.sha256(path.read_bytes()).hexdigest(): path.parent.parent.name for path in folders}
    assert choice.package is not None
    assert choice.chosen is not None
    (file,) = choice.package.files
    assert hashlib.sha256(file.data).hexdigest() in wanted, choice.package.notes
    assert set(choice.chosen.path.split("\\")) & set(EXPECTED[windows])


def test_the_choice_is_explained(source: PackageTree) -> None:
    (target_windows,) = known_windows("2012r2", "x64")
    choice = choose_package(source, find_controller("kvm:virtio-blk"), target_windows, trial_for(target_windows))
    assert choice.package is not None
    head, passed = choice.package.notes[:2]
    assert "2k8R2" in head
    assert "cross-signed by Red Hat, Inc" in head
    assert (
        "amd64\\2k12R2\\viostor.inf: self-signed by Red Hat Inc.: Windows Server 2012 R2 would stop with 0xc0000428"
    ) in passed
    assert [each for each in choice.rejected if "2k16" in each.path and "documents for Windows 10" in each.reason]


def test_an_installed_windows_xp_gets_what_it_can_load(source: PackageTree, machine_cache: Path) -> None:
    """By what its own files export, and without its being said that XP has no storport.sys."""
    windows = memory_windows(machine_cache, release=WINDOWS_XP)
    (target_windows,) = known_windows("xp", "x86")
    rules = Rules(product="Windows XP", version=(5, 1), build=2600, arch=windows.installation.arch)
    trial = trial_in(windows.installation, rules)
    choice = choose_package(source, find_controller("kvm:virtio-blk"), target_windows, trial)
    assert choice.chosen is not None
    assert choice.chosen.path == "viostor\\xp\\x86\\viostor.inf"
    (passed,) = choice.passed_over(Standing.UNUSABLE)
    assert "2k3\\x86\\viostor.inf: its driver needs storport.sys, which is neither in system32" in passed


def test_windows_xp_is_not_given_what_it_cannot_load(source: PackageTree) -> None:
    (target_windows,) = known_windows("xp", "x86")
    choice = choose_package(source, find_controller("kvm:virtio-blk"), target_windows, trial_for(target_windows))
    assert choice.passed_over(Standing.UNUSABLE) == (
        "viostor\\2k3\\x86\\viostor.inf: its driver needs storport.sys, which Windows XP does not have",
    )
