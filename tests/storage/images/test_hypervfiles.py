"""What Hyper-V keeps beside a disk."""

from pathlib import Path

import pytest
from tests.storage.imagekit import create

from bootgraft.storage.images import hypervfiles
from bootgraft.storage.images.opening import find_children, identify

GUID = "3F2504E0-4F89-11D3-9A0C-0305E82C3301"


@pytest.mark.parametrize(("driver", "suffix"), [("vhdx", "vhdx"), ("vpc", "vhd")])
def test_maps_of_changed_blocks_are_no_sign_of_use_but_miss_what_is_written(
    tmp_path: Path, driver: str, suffix: str
) -> None:
    disk = create(tmp_path / f"Server 1.{suffix}", driver)
    assert identify(str(disk)).notes == ()
    for name in (f"Server 1.{suffix}.rct", f"server 1.{suffix}.MRT", f"Server 2.{suffix}.rct"):
        (tmp_path / name).write_bytes(b"x")
    info = identify(str(disk))
    assert info.notes[0] == (
        f"Hyper-V tracks this disk's changed blocks (Server 1.{suffix}.rct, server 1.{suffix}.MRT) and does not see "
        "what is written here: make the next backup a full one"
    )
    assert len(info.notes) == 1
    assert info.read_only_reason is None
    assert find_children(info) == ()


def test_a_checkpoint_is_told_of(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vhdx", "vhdx")
    create(tmp_path / f"Disk_{GUID}.avhdx", "vhdx")
    create(tmp_path / f"other_{GUID}.avhdx", "vhdx")
    (note,) = identify(str(disk)).notes
    assert note.startswith(f"Disk_{GUID}.avhdx beside it is a checkpoint of Hyper-V's")
    assert find_children(identify(str(disk))) == (), "by its header it is built on nothing"


def test_a_checkpoint_that_cannot_be_read_counts_as_built_on_the_disk(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vhdx", "vhdx")
    checkpoint, other = tmp_path / f"disk_{GUID}.avhdx", tmp_path / f"other_{GUID}.avhdx"
    for path in (checkpoint, other):
        create(path, "vhdx")
        with path.open("r+b") as file:
            file.truncate(192 << 10)  # before the region tables: a copy that is under way, or was cut off
    assert find_children(identify(str(disk))) == (checkpoint,)


def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    assert hypervfiles.notes(tmp_path / "nowhere" / "disk.vhdx") == ()


def test_a_folder_of_thousands_is_not_searched_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypervfiles, "_MAX_ENTRIES", 0)
    (tmp_path / "disk.vhdx.rct").touch()
    assert hypervfiles.notes(tmp_path / "disk.vhdx") == ()
