"""The package that a source has for a controller and a Windows, and what is said about the choice."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.drivers.inf.infs import GOOD, SEVEN_X64, XP, driver, tree
from tests.machines.spec import Architecture

from bootgraft.drivers.inf.choice import Standing
from bootgraft.drivers.inf.selection import choose_package, require_package
from bootgraft.drivers.package import DriverPackage
from bootgraft.errors import DriverSourceError
from bootgraft.targets.controllers import find_controller
from bootgraft.windows import pe

VIRTIO = find_controller("kvm:virtio-blk")


@pytest.fixture
def x86(machine_cache: Path) -> bytes:
    return driver(machine_cache)


@pytest.fixture
def x64(machine_cache: Path) -> bytes:
    return driver(machine_cache, Architecture.X64)


def test_the_only_inf(x86: bytes) -> None:
    package = require_package(tree({"disk.inf": GOOD, "vdisk.sys": x86}), VIRTIO, XP)
    assert package.service == "disk0"
    assert [(file.path, file.data) for file in package.files] == [("system32\\drivers\\vdisk.sys", x86)]
    (note,) = package.notes
    assert note == (
        "source: disk.inf (the only INF there) serves PCI\\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00, a hardware id of "
        "the controller, in NTx86; DriverVer 03/20/2010 1.2.3.4."
    )


def test_each_architecture_gets_its_own(x86: bytes, x64: bytes) -> None:
    source = tree({"x\\disk.inf": GOOD, "x\\vdisk.sys": x86, "y\\disk.inf": GOOD, "y\\vdisk.sys": x64})
    assert require_package(source, VIRTIO, XP).origin == "source: x\\disk.inf"
    chosen = choose_package(source, VIRTIO, SEVEN_X64)
    assert chosen.package is not None
    assert chosen.package.origin == "source: y\\disk.inf"
    assert chosen.passed_over(Standing.UNUSABLE) == ("x\\disk.inf: x\\vdisk.sys is built for x86",)
    assert chosen.package.notes[1] == "Passed over: x\\disk.inf: x\\vdisk.sys is built for x86."


def test_an_inf_of_which_nothing_can_be_made_gives_way_to_the_next(x86: bytes) -> None:
    newer = GOOD.replace("03/20/2010", "03/20/2020")
    files = {"a\\disk.inf": newer, "b\\disk.inf": GOOD, "b\\vdisk.sys": x86, "c\\old.inf": GOOD.replace("2010", "2001")}
    chosen = choose_package(tree(files), VIRTIO, XP)
    assert chosen.package is not None
    assert chosen.package.origin == "source: b\\disk.inf"
    assert [(each.path, each.standing) for each in chosen.rejected] == [
        ("a\\disk.inf", Standing.UNUSABLE),
        ("c\\old.inf", Standing.OUTRANKED),
    ]
    assert "a\\disk.inf: its driver file vdisk.sys is not in the source" in chosen.package.notes[1]
    assert "c\\old.inf: older: DriverVer 03/20/2001 1.2.3.4" in chosen.package.notes[1]


def refusal(files: dict[str, str | bytes], target_windows: object = XP) -> DriverSourceError:
    with pytest.raises(DriverSourceError) as caught:
        require_package(tree(files), VIRTIO, target_windows)  # type: ignore[arg-type]
    return caught.value


SPOILED: dict[str, tuple[str, str, str]] = {
    "no driver": (
        "AddService = disk0, 0x2, Service",
        "AddService = , 0x2",
        "[Install.Services] gives the device no driver",
    ),
    "no function driver": ("disk0, 0x2", "disk0, 0", "gives the device no driver"),
    "no services": ("[Install.Services]", "[Install.NT.Services]", "gives the device no driver"),
    "no install section": (
        "[Install]",
        "[Other]",
        "none of the install sections [Install.NTx86], [Install.NT]",
    ),
    "another kind of service": ("ServiceType = 1", "ServiceType = 2", "its service disk0 is no kernel driver"),
    "no file": ("vdisk.sys", "other.sys", "its driver file other.sys is not in the source"),
    "no class": (
        "ClassGUID={4D36E97B-E325-11CE-BFC1-08002BE10318}\n",
        "Class=Nothing\n",
        "its [Version] names no ClassGUID",
    ),
    "a number that is none": ("StartType = 3", "StartType = boot", "'boot' is no number (disk.inf, line "),
    "a missing include": ("[Install]", "[Install]\nNeeds=atapi", "needs [atapi] of no other INF"),
    "another Windows": ("NTx86, NTamd64", "NTx86.6.0, NTamd64", "only in NTx86.6.0, NTamd64"),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_what_cannot_be_used_says_why(kind: str, x86: bytes) -> None:
    old, new, why = SPOILED[kind]
    text = GOOD.replace(old, new)
    if kind == "another Windows":
        text = text.replace("[Models.NTx86]", "[Models.NTx86.6.0]")
    if kind == "no class":
        text = text.replace("Class=SCSIAdapter\n", "")
    error = refusal({"disk.inf": text, "vdisk.sys": x86})
    assert error.what.startswith("it has no driver for PCI\\VEN_1AF4&DEV_1001 in Windows XP (NT 5.1 build 2600, x86): ")
    assert why in error.what
    assert error.where == "source"
    assert "bootgraft drivers list " in error.advice


def test_a_class_that_is_known_needs_no_guid(x86: bytes) -> None:
    text = GOOD.replace("ClassGUID=", "; ClassGUID=")
    package = require_package(tree({"disk.inf": text, "vdisk.sys": x86}), VIRTIO, XP)
    assert package.inf is not None
    assert package.inf.class_guid == "{4D36E97B-E325-11CE-BFC1-08002BE10318}"


def test_a_source_without_an_inf_for_it() -> None:
    assert "there is no INF in it" in refusal({"readme.txt": "x"}).what
    assert "its one INF does not serve that device" in refusal({"net.inf": GOOD.replace("1AF4", "8086")}).what
    assert "there is no [section] in it" in refusal({"bad.inf": "x"}).what


@pytest.mark.parametrize(
    ("target_windows", "what"),
    [
        (replace(XP, version=(0, 0)), "its version or architecture could not be read"),
        (replace(XP, arch=pe.Architecture.UNKNOWN), "its version or architecture could not be read"),
        (replace(XP, version=(4, 0)), "installs no drivers by INF files of this kind"),
    ],
)
def test_a_windows_that_no_inf_can_be_chosen_for(target_windows: object, what: str, x86: bytes) -> None:
    error = refusal({"disk.inf": GOOD, "vdisk.sys": x86}, target_windows)
    assert what in error.what
    assert "--reg and --file" in error.advice


def test_only_the_inf_that_was_named(x86: bytes) -> None:
    newer = GOOD.replace("03/20/2010", "03/20/2020")
    files = {"new.inf": newer, "Old.INF": GOOD, "vdisk.sys": x86}
    package: DriverPackage = require_package(tree(files, only="old.inf"), VIRTIO, XP)
    assert package.inf is not None
    assert package.inf.name == "Old.INF"
    assert "the only INF there" in package.notes[0]


def test_many_reasons_are_told_in_part() -> None:
    files: dict[str, str | bytes] = {f"{number}\\disk.inf": GOOD for number in range(9)}
    assert refusal(files).what.count("its driver file vdisk.sys is not in the source") == 4
    assert refusal(files).what.endswith("; and 5 more")
