"""``bootgraft drivers``: what a source holds, and what would be chosen of it."""

from pathlib import Path

import pytest
from tests.drivers.inf.infs import GOOD, driver
from tests.endtoend.story import Bootgraft
from tests.machines.build import BuiltMachine
from tests.report.contract import faults

from bootgraft.cli.main import main


@pytest.fixture
def package(tmp_path: Path, machine_cache: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "disk.inf").write_text(GOOD)
    (folder / "vdisk.sys").write_bytes(driver(machine_cache))
    return folder


def test_list(package: Path, bootgraft: Bootgraft) -> None:
    done = bootgraft("drivers", "list", package)
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{package}: 1 INF, 1 of them for a controller")
    listed = bootgraft("drivers", "list", package, "--json")
    assert faults(listed.json, "drivers-list") == []
    (inf,) = listed.json["infs"]
    assert inf["targets"] == ["kvm:virtio-blk"]


def test_show_for_one_windows_and_for_all(package: Path, bootgraft: Bootgraft) -> None:
    one = bootgraft("drivers", "show", package, "--target", "kvm:virtio-blk", "--windows", "xp")
    assert one.status == 0
    assert one.stdout.startswith("disk.inf would serve kvm:virtio-blk in Windows XP (NT 5.1, x86).\n")
    every = bootgraft("drivers", "show", package, "--target", "kvm:virtio-blk", "--json")
    assert (every.status, faults(every.json, "drivers-show")) == (0, [])
    served = {each["windows"] for each in every.json["choices"] if each["chosen"]}
    assert {"Windows XP", "Windows 7", "Windows 10"} <= served
    none = bootgraft("drivers", "show", package, "--target", "kvm:virtio-scsi", "--arch", "x64")
    assert none.status == 1


def test_a_source_without_an_inf(tmp_path: Path, bootgraft: Bootgraft) -> None:
    done = bootgraft("drivers", "list", tmp_path)
    assert (done.status, done.stdout) == (
        1,
        f"{tmp_path}: 0 INFs, none of them for a controller that `bootgraft targets` knows.\n",
    )


def test_what_is_no_package_source(donor: BuiltMachine, tmp_path: Path, bootgraft: Bootgraft) -> None:
    disk = bootgraft("drivers", "list", donor.disk, "--json")
    assert (disk.status, disk.json["error"]["what"]) == (3, "this is a disk image and no driver package")
    absent = bootgraft("drivers", "list", tmp_path / "absent.iso")
    assert absent.status == 3
    assert "there is no such file" in absent.stderr


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("list",), "the following arguments are required: SOURCE"),
        (("show", "{}"), "the following arguments are required: --target"),
        (("show", "{}", "--target", "kvm:nothing"), "no such target"),
        (("show", "{}", "--target", "kvm:ide", "--windows", "95"), "no such Windows"),
        (("harvest", "{}", "--target", "kvm:ide"), "the following arguments are required: --out"),
        (("other",), "invalid choice"),
    ],
)
def test_wrong_command_lines(
    arguments: tuple[str, ...], what: str, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drivers", *(each.format(package) for each in arguments)]) == 2
    assert what in capsys.readouterr().err
