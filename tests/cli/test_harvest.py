"""``bootgraft drivers harvest``: a package out of a working machine, and what the child may not make of it."""

from pathlib import Path

import pytest
from tests.endtoend.story import Bootgraft, Build, hashes
from tests.machines.build import BuiltMachine
from tests.report.contract import faults

from bootgraft.cli import harvest as harvest_command
from bootgraft.errors import BootgraftError, ImageError
from bootgraft.report.documents.drivers import HarvestedDocument


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
    listed = (HarvestedDocument(name=name, origin="", size=1, sha256=""),)
    with pytest.raises(ImageError, match="is no name for a file"):
        harvest_command._files(listed, b"x", "image")


@pytest.mark.parametrize("files", [[("a", 2)], [("a", 1), ("b", 1)], []])
def test_files_other_than_announced_are_refused(files: list[tuple[str, int]]) -> None:
    listed = [HarvestedDocument(name=name, origin="", size=size, sha256="") for name, size in files]
    with pytest.raises(ImageError, match="not what was announced"):
        harvest_command._files(listed, b"x", "image")


def test_a_folder_that_cannot_be_made_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BootgraftError, match="the package cannot be written"):
        harvest_command._write(tmp_path / "file" / "folder", {"a.sys": b"x"})
