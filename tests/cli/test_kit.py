"""``bootgraft kit``: scripts for the machine before its conversion, as a folder or a ZIP."""

import zipfile
from pathlib import Path

import pytest
from tests.drivers.inf.infs import GOOD, driver
from tests.endtoend.story import Bootgraft, hashes
from tests.kit.batchcheck import faults as script_faults
from tests.machines.build import BuiltMachine
from tests.report.contract import faults

from bootgraft.cli import kit as kit_command
from bootgraft.cli.main import main
from bootgraft.errors import ImageError
from bootgraft.report.documents.drivers import KitFileDocument

VIRTIO = ("--target", "kvm:virtio-blk")


@pytest.fixture
def package(tmp_path: Path, machine_cache: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "disk.inf").write_text(GOOD)
    (folder / "vdisk.sys").write_bytes(driver(machine_cache))
    return folder


def read(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)).replace("/", "\\"): path.read_bytes() for path in files}


def test_a_folder_and_the_same_as_a_zip(package: Path, tmp_path: Path, bootgraft: Bootgraft) -> None:
    command = ("kit", *VIRTIO, "--windows", "2003", "--drivers", package, "--out")
    done = bootgraft(*command, tmp_path / "kit", "--json")
    assert (done.status, faults(done.json, "kit"), done.stderr) == (0, [], "")
    files = read(tmp_path / "kit")
    assert {each["name"].replace("/", "\\") for each in done.json["files"]} == set(files)
    assert {"install.cmd", "uninstall.cmd", "driver.reg", "README.txt"} <= set(files)
    assert [*script_faults("install.cmd", files), *script_faults("uninstall.cmd", files)] == []
    assert files["files\\system32\\drivers\\vdisk.sys"] == (package / "vdisk.sys").read_bytes()
    told = bootgraft(*command, tmp_path / "a.zip")
    assert told.stdout.startswith("A kit that makes Windows Server 2003 (x86) start from kvm:virtio-blk with disk0.\n")
    assert bootgraft(*command, tmp_path / "b.zip").status == 0
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {name.replace("/", "\\"): archive.read(name) for name in archive.namelist()} == files


def test_what_is_there_is_not_overwritten(package: Path, tmp_path: Path, bootgraft: Bootgraft) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    (tmp_path / "a.zip").write_text("x")
    for out in ("full", "a.zip"):
        done = bootgraft("kit", *VIRTIO, "--windows", "xp", "--drivers", package, "--out", tmp_path / out)
        assert done.status == 2
        assert "it exists already" in done.stderr
    dry = bootgraft("kit", *VIRTIO, "--windows", "xp", "--drivers", package, "--out", tmp_path / "x", "--dry-run")
    assert (dry.status, (tmp_path / "x").exists()) == (0, False)
    assert dry.stdout.endswith("Nothing was written: this was a dry run.\n")
    as_json = bootgraft(
        "kit", *VIRTIO, "--windows", "xp", "--drivers", package, "--out", tmp_path / "x", "--dry-run", "--json"
    )
    assert (faults(as_json.json, "kit"), as_json.json["out"]) == ([], None)


def test_the_machines_own_image(
    server1: BuiltMachine, donor: BuiltMachine, tmp_path: Path, bootgraft: Bootgraft
) -> None:
    before = hashes(server1.disk.parent)
    lsi = ("--target", "vmware:lsilogic", "--drivers", donor.disk)
    done = bootgraft("kit", server1.disk, *lsi, "--out", tmp_path / "kit", "--json")
    assert (done.status, faults(done.json, "kit")) == (0, [])
    assert (done.json["windows"], done.json["arch"], done.json["service"]) == (
        "Microsoft Windows Server 2003", "x86", "symmpi"
    )  # fmt: skip
    assert "Services\\symmpi" in done.json["keys"]
    assert hashes(server1.disk.parent) == before
    named = bootgraft("kit", *lsi, "--windows", "2003", "--out", tmp_path / "named", "--json")
    assert named.json["keys"] == done.json["keys"]
    wrong = bootgraft("kit", "--image", server1.disk, *lsi, "--windows", "7", "--out", tmp_path / "x")
    assert (wrong.status, (tmp_path / "x").exists()) == (2, False)
    assert "another Windows than this image has" in wrong.stderr
    assert bootgraft("repair", server1.disk, *lsi).status == 0
    nothing = bootgraft("kit", server1.disk, *lsi, "--out", tmp_path / "none")
    assert nothing.status == 0
    assert nothing.stdout.startswith("Nothing to do: ")
    assert not (tmp_path / "none").exists()


def test_nt_4_takes_exported_files(donor: BuiltMachine, tmp_path: Path, bootgraft: Bootgraft) -> None:
    target = ("--target", "vmware:lsilogic")
    assert bootgraft("drivers", "harvest", donor.disk, *target, "--out", tmp_path / "taken").status == 0
    files = ("--reg", tmp_path / "taken" / "symmpi.reg", "--file", tmp_path / "taken" / "symmpi.sys")
    done = bootgraft("kit", *target, "--windows", "nt4", *files, "--out", tmp_path / "kit", "--json")
    assert (done.status, faults(done.json, "kit")) == (0, [])
    assert (tmp_path / "kit" / "driver.reg").read_bytes().startswith(b"REGEDIT4\r\n")
    assert all(key.startswith("Services\\symmpi") for key in done.json["keys"])
    shown = bootgraft("drivers", "show", tmp_path / "taken", *target, "--windows", "nt4")
    assert (shown.status, "no drivers by INF files" in shown.stderr) == (3, True)


def test_no_driver_to_be_had(server1: BuiltMachine, tmp_path: Path, bootgraft: Bootgraft) -> None:
    done = bootgraft("kit", server1.disk, "--target", "kvm:virtio-blk", "--out", tmp_path / "x")
    assert (done.status, (tmp_path / "x").exists()) == (3, False)
    assert "no driver for kvm:virtio-blk was given" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "what"),
    [
        (("--out", "x"), 2, "it is not known for which Windows"),
        (("--windows", "95", "--out", "x"), 2, "no such Windows"),
        (("--windows", "2000", "--arch", "x64", "--out", "x"), 2, "there is no Windows 2000 for x64"),
        (("--windows", "2003"), 2, "the following arguments are required: --out"),
        (("--windows", "2003", "--out", "x"), 3, "has no driver for kvm:virtio-blk that only needs to be started"),
    ],
)
def test_wrong_command_lines(
    arguments: tuple[str, ...], status: int, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kit", *VIRTIO, *arguments]) == status
    assert what in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", ".", "..", "a/../b", "/a", "a\\b", "C:x", "a\nb"])
def test_a_name_that_no_file_may_have_is_refused(name: str) -> None:
    listed = (KitFileDocument(name=name, size=1, sha256=""),)
    with pytest.raises(ImageError, match="is no name for a file"):
        kit_command._files(listed, b"x", "kit")


def test_files_other_than_announced_are_refused() -> None:
    listed = (KitFileDocument(name="a", size=2, sha256=""),)
    with pytest.raises(ImageError, match="not what was announced"):
        kit_command._files(listed, b"x", "kit")
