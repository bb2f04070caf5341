"""``bootgraft drivers``: what a source holds, what would be chosen, and a package out of a machine."""

from pathlib import Path

import pytest
from tests.drivers.infs import GOOD, driver
from tests.endtoend.story import Bootgraft, Build, hashes
from tests.machines.build import BuiltMachine
from tests.report.contract import faults

from bootgraft.cli import harvest as harvest_command
from bootgraft.cli.main import main
from bootgraft.errors import ImageError


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


def test_harvest_and_use_it(donor: BuiltMachine, build_server1: Build, tmp_path: Path, bootgraft: Bootgraft) -> None:
    before = hashes(donor.disk.parent)
    out = tmp_path / "new" / "folder"
    done = bootgraft("drivers", "harvest", donor.disk, "--target", "vmware:lsilogic", "--out", out, "--json")
    assert (done.status, faults(done.json, "drivers-harvest")) == (0, [])
    assert (done.json["service"], done.json["has_inf"], done.json["out"]) == ("symmpi", False, str(out))
    assert sorted(path.name for path in out.iterdir()) == ["symmpi.reg", "symmpi.sys"]
    assert hashes(donor.disk.parent) == before
    server = build_server1()
    files = ("--reg", out / "symmpi.reg", "--file", out / "symmpi.sys")
    assert bootgraft("repair", server.disk, "--target", "vmware:lsilogic", *files).status == 0
    assert bootgraft("check", server.disk, "--target", "vmware:lsilogic").status == 0

    again = bootgraft("drivers", "harvest", donor.disk, "--target", "vmware:lsilogic", "--out", out)
    assert again.status == 2
    assert f"{out}/symmpi.reg: it exists already" in again.stderr
    told = bootgraft("drivers", "harvest", donor.disk, "--target", "vmware:lsilogic", "--out", tmp_path / "b")
    assert told.stdout.endswith(
        f"Written to {tmp_path}/b. To repair another machine with it:\n    bootgraft repair IMAGE --target "
        f"vmware:lsilogic --reg {tmp_path}/b/symmpi.reg --file {tmp_path}/b/symmpi.sys\n"
    )
    absent = bootgraft("drivers", "harvest", donor.disk, "--target", "kvm:virtio-blk", "--out", tmp_path / "c")
    assert absent.status == 3
    assert "binds no service to it" in absent.stderr
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "C:x", "a\nb"])
def test_a_name_that_no_file_may_have_is_refused(name: str) -> None:
    document = {"files": [{"name": name, "size": 1}]}
    with pytest.raises(ImageError, match="is no name for a file"):
        harvest_command._files(document, b"x", "image")  # type: ignore[arg-type]


@pytest.mark.parametrize("files", [[("a", 2)], [("a", 1), ("b", 1)], []])
def test_files_other_than_announced_are_refused(files: list[tuple[str, int]]) -> None:
    document = {"files": [{"name": name, "size": size} for name, size in files]}
    with pytest.raises(ImageError, match="not what was announced"):
        harvest_command._files(document, b"x", "image")  # type: ignore[arg-type]
