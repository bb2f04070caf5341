"""A folder as a source: every file in it by Windows' paths, and nothing from elsewhere."""

import os
from pathlib import Path

import pytest

from bootgraft.drivers.archives import folder as folder_module
from bootgraft.drivers.archives.folder import Folder
from bootgraft.errors import DriverSourceError, FileMissingError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "Win7" / "x86").mkdir(parents=True)
    (tmp_path / "root" / "top.inf").write_bytes(b"top")
    (tmp_path / "root" / "Win7" / "x86" / "Deep.SYS").write_bytes(b"deep")
    (tmp_path / "outside.sys").write_bytes(b"secret")
    return tmp_path / "root"


def paths(root: Path, depth: int = 32) -> list[tuple[str, int]]:
    return sorted((member.path, member.size) for member in Folder(root, depth).members())


def test_every_file_by_its_path(root: Path) -> None:
    assert paths(root) == [("Win7\\x86\\Deep.SYS", 4), ("top.inf", 3)]
    folder = Folder(root)
    assert folder.read("win7\\X86\\deep.sys") == b"deep"
    with pytest.raises(FileMissingError, match="there is no win7"):
        folder.read("win7\\x86\\other.sys")


def test_it_goes_no_deeper_than_asked(root: Path) -> None:
    assert paths(root, 1) == [("top.inf", 3)]


def test_links_stay_inside(root: Path) -> None:
    (root / "inside.sys").symlink_to(root / "Win7" / "x86" / "Deep.SYS")
    (root / "outside.sys").symlink_to(root.parent / "outside.sys")
    (root / "absent.sys").symlink_to(root / "nothing")
    (root / "circle.sys").symlink_to(root / "circle.sys")
    (root / "up").symlink_to(root.parent)
    (root / "loop").symlink_to(root)
    assert [path for path, _ in paths(root)] == ["Win7\\x86\\Deep.SYS", "inside.sys", "top.inf"]


def test_only_plain_files(root: Path) -> None:
    os.mkfifo(root / "pipe.inf")
    (root / "odd\\name.inf").write_bytes(b"")
    assert [path for path, _ in paths(root)] == ["Win7\\x86\\Deep.SYS", "top.inf"]


def test_of_two_names_that_differ_in_case_the_first(root: Path) -> None:
    (root / "TOP.inf").write_bytes(b"upper")
    assert Folder(root).read("top.inf") == b"upper"
    assert len(Folder(root).members()) == 2


def test_a_folder_through_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert Folder(tmp_path / "link").read("top.inf") == b"top"


def test_too_many_files_and_too_long_ones(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "MAX_MEMBER_BYTES", 3)
    assert Folder(root).read("top.inf") == b"top"
    with pytest.raises(DriverSourceError, match="it has more than"):
        Folder(root).read("win7\\x86\\deep.sys")
    monkeypatch.setattr(folder_module, "MAX_MEMBERS", 1)
    with pytest.raises(DriverSourceError, match="it has more than 1 files") as caught:
        Folder(root)
    assert caught.value.where == str(root)


def test_what_is_gone_is_one_error(root: Path, tmp_path: Path) -> None:
    folder = Folder(root)
    (root / "top.inf").unlink()
    with pytest.raises(DriverSourceError, match="cannot be read"):
        folder.read("top.inf")
    with pytest.raises(DriverSourceError, match="cannot be read"):
        Folder(tmp_path / "absent")
