"""What a package is tried by: signature, imports, and the Windows that its catalog names."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.drivers.inf.infs import GOOD, SEVEN_X64, XP, driver, tree
from tests.machines.build import content
from tests.machines.spec import Architecture, File, PortableExecutable
from tests.memory_windows import memory_windows

from bootgraft.drivers.inf.choice import Standing
from bootgraft.drivers.inf.selection import PackageChoice, choose_package
from bootgraft.drivers.inf.target_windows import TargetWindows
from bootgraft.drivers.inf.trial import Trial, trial_for, trial_in
from bootgraft.drivers.package import PackageFile
from bootgraft.targets.controllers import find_controller
from bootgraft.windows.signatures.acceptance import Rules

VIRTIO = find_controller("kvm:virtio-blk")
NEWER = GOOD.replace("03/20/2010", "03/20/2020")


def choose(files: dict[str, Any], target_windows: TargetWindows, trial: Trial | None = None) -> PackageChoice:
    return choose_package(tree(files), VIRTIO, target_windows, trial or trial_for(target_windows))


@pytest.fixture
def real(shared_testdata: Path) -> dict[str, bytes]:
    """Red Hat's driver for Windows 7 and 8.1 x64: cross-signed, and self-signed."""
    folder = shared_testdata / "drivers" / "virtio-win-old-drivers"
    return {name: (folder / name / "amd64" / "viostor.sys").read_bytes() for name in ("Win7", "Win8.1")}


def test_an_older_driver_that_is_signed_is_taken(real: dict[str, bytes]) -> None:
    files = {
        "old\\disk.inf": GOOD,
        "old\\vdisk.sys": real["Win7"],
        "new\\disk.inf": NEWER,
        "new\\vdisk.sys": real["Win8.1"],
    }
    assert choose_package(tree(files), VIRTIO, SEVEN_X64).chosen.path == "new\\disk.inf"  # type: ignore[union-attr]
    choice = choose(files, SEVEN_X64)
    assert choice.chosen is not None
    assert choice.package is not None
    assert choice.chosen.path == "old\\disk.inf"
    assert choice.package.notes[0].endswith("; cross-signed by Red Hat, Inc.")
    assert choice.package.notes[1] == (
        "Passed over: new\\disk.inf: self-signed by Red Hat Inc.: Windows 7 would stop with 0xc0000428."
    )


def test_what_is_not_known_comes_behind_what_is(real: dict[str, bytes]) -> None:
    """Under Secure Boot Windows 10 is likely to refuse a certificate of 2019, but that is not certain."""
    ten = TargetWindows("Windows 10", SEVEN_X64.arch, (10, 0), 19045, 1)
    rules = Rules(product="Windows 10", version=(10, 0), build=19045, arch=ten.arch, secure_boot=True)
    choice = choose({"disk.inf": GOOD, "vdisk.sys": real["Win7"]}, ten, Trial(rules, lambda _: ()))
    assert choice.package is not None
    assert "likely to be refused while Secure Boot is on" in choice.package.notes[0]


def test_a_driver_without_a_signature_is_not_taken(machine_cache: Path) -> None:
    """Nor does the catalog beside it help."""
    files = {"disk.inf": GOOD, "disk.cat": b"", "vdisk.sys": driver(machine_cache, Architecture.X64)}
    choice = choose(files, SEVEN_X64)
    assert choice.package is None
    assert choice.passed_over(Standing.UNUSABLE) == (
        "disk.inf: it carries no signature: Windows 7 would stop with 0xc0000428",
    )
    assert choose({**files, "vdisk.sys": driver(machine_cache)}, XP).package is not None  # nobody looks there


def test_only_what_the_loader_reads_must_be_signed(real: dict[str, bytes], machine_cache: Path) -> None:
    """Not a driver that is copied along, unless one that starts at boot imports from it."""
    text = GOOD.replace("CopyFiles = @vdisk.sys", "CopyFiles = @vdisk.sys, @other.sys")
    text = text.replace("vdisk.sys = 1", "vdisk.sys = 1\nother.sys = 1")
    unsigned = driver(machine_cache, Architecture.X64)
    files = {"disk.inf": text, "vdisk.sys": real["Win7"], "other.sys": unsigned}
    choice = choose(files, SEVEN_X64)
    assert choice.package is not None
    assert [file.path.rpartition("\\")[2] for file in choice.package.files] == ["vdisk.sys", "other.sys"]
    imported = {
        "disk.inf": text.replace("other.sys", "storport.sys"),
        "vdisk.sys": real["Win7"],
        "storport.sys": unsigned,
    }
    assert choose(imported, SEVEN_X64).package is None


def test_the_catalog_tells_whom_a_package_is_for(shared_testdata: Path, machine_cache: Path) -> None:
    folder = shared_testdata / "drivers" / "virtio-win-0.1.240" / "viostor"
    for_51, for_63 = ((folder / each / "x86" / "viostor.cat").read_bytes() for each in ("xp", "w8.1"))
    file = driver(machine_cache)
    files = {"a\\disk.inf": GOOD, "a\\disk.cat": for_51, "a\\vdisk.sys": file}
    files |= {"b\\disk.inf": NEWER, "b\\disk.cat": for_63, "b\\vdisk.sys": file}
    choice = choose(files, XP)
    assert choice.chosen is not None
    assert choice.chosen.path == "a\\disk.inf"
    assert choice.passed_over(Standing.OUTRANKED) == ("b\\disk.inf: its catalog is for other Windows than NT 5.1",)


def test_windows_xp_has_no_storport(machine_cache: Path) -> None:
    binary = PortableExecutable("vdisk.sys", Architecture.X86, (("STORPORT.SYS", ("StorPortInitialize",)),))
    files = {"disk.inf": GOOD, "vdisk.sys": content(File("vdisk.sys", binary), machine_cache)}
    assert choose(files, XP).passed_over(Standing.UNUSABLE) == (
        "disk.inf: its driver needs storport.sys, which Windows XP does not have",
    )
    assert choose(files, replace(XP, version=(5, 2))).package is not None


def test_an_installed_windows_is_asked_what_it_has(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache)
    rules = Rules(product="Windows Server 2003", version=(5, 2), build=3790, arch=windows.installation.arch)
    trial = trial_in(windows.installation, rules)

    def made(name: str, *imports: tuple[str, tuple[str, ...]], exports: tuple[str, ...] = ()) -> PackageFile:
        binary = PortableExecutable(name, Architecture.X86, imports, exports)
        return PackageFile(f"system32\\drivers\\{name}", content(File(name, binary), machine_cache))

    fitting = made("vdisk.sys", ("ntoskrnl.exe", ("DbgPrint",)))
    lacking = made("vdisk.sys", ("vendor.sys", ("VendorInitialize",)))
    assert trial.lacks((fitting,)) == ()
    assert trial.lacks((lacking,)) == ("vendor.sys, which is neither in system32\\drivers nor in system32",)
    assert trial.lacks((lacking, made("vendor.sys", exports=("VendorInitialize",)))) == ()  # the package brings it
