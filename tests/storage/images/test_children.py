"""Finding what is built on an image."""

from pathlib import Path

import pytest
from tests.machines.formats import snapshot_child
from tests.storage.imagekit import create, patch, qemu_img, real
from tests.storage.images import test_vdi, test_vhd, test_vhdx

from bootgraft.errors import ImageError
from bootgraft.storage.images import children
from bootgraft.storage.images.opening import find_children, identify


def names(image: Path) -> list[str]:
    return [path.name for path in find_children(identify(str(image)))]


@pytest.mark.parametrize("subformat", ["monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse"])
def test_a_vmware_snapshot(tmp_path: Path, subformat: str) -> None:
    base = create(tmp_path / "disk.vmdk", "vmdk", subformat=subformat)
    create(tmp_path / "other.vmdk", "vmdk", subformat=subformat)
    assert names(base) == []
    child = snapshot_child(base, tmp_path, "disk-000001")
    grandchild = snapshot_child(child, tmp_path, "disk-000002")
    assert names(base) == ["disk-000001.vmdk"]
    assert names(child) == ["disk-000002.vmdk"]
    assert names(grandchild) == []
    assert names(tmp_path / "other.vmdk") == []


def test_a_bare_flat_file_has_its_descriptors_children(tmp_path: Path) -> None:
    base = create(tmp_path / "disk.vmdk", "vmdk", subformat="monolithicFlat")
    flat = tmp_path / "disk-flat.vmdk"
    assert names(flat) == []
    snapshot_child(base, tmp_path, "disk-000001")
    assert names(flat) == ["disk-000001.vmdk"]


def test_a_real_esxi_snapshot(tmp_path: Path) -> None:
    for name in ("vmfs_thick.vmdk", "vmfs_thick-flat.vmdk", "vmfs_thick-000001.vmdk"):
        real(f"vmdk/strozfriedberg/{name}", tmp_path)
    for name in ("vmfs_thick.vmdk", "vmfs_thick-flat.vmdk"):
        assert names(tmp_path / name) == ["vmfs_thick-000001.vmdk"]


def test_a_hint_that_leads_nowhere_is_settled_by_the_content_id(tmp_path: Path) -> None:
    base = create(tmp_path / "disk.vmdk", "vmdk")
    child = snapshot_child(base, tmp_path, "child")
    renamed = base.rename(tmp_path / "renamed.vmdk")
    assert names(renamed) == ["child.vmdk"]
    twin = tmp_path / "disk.vmdk"  # the hint's own target: the one with the same content id is not meant
    twin.write_bytes(renamed.read_bytes())
    assert names(renamed) == []
    assert names(twin) == [child.name]


@pytest.mark.parametrize("driver", ["raw", "qcow2", "vmdk", "vpc", "vhdx", "vdi"])
def test_a_qcow2_overlay_over_anything(tmp_path: Path, driver: str) -> None:
    base = create(tmp_path / "base", driver)
    assert names(base) == []
    for name, given in (("a.qcow2", "base"), ("b.qcow2", str(base)), ("c.qcow2", f"file:{base}")):
        qemu_img("create", "-q", "-u", "-f", "qcow2", "-b", given, "-F", driver, tmp_path / name, "8M")
    qemu_img("create", "-q", "-u", "-f", "qcow2", "-b", "a.qcow2", "-F", "qcow2", tmp_path / "d.qcow2", "8M")
    assert names(base) == ["a.qcow2", "b.qcow2", "c.qcow2"]


def test_a_differencing_vhd(tmp_path: Path) -> None:
    parent = create(tmp_path / "parent.vhd", "vpc", "8M", force_size="on")
    test_vhd.differencing(tmp_path, parent)
    other = create(tmp_path / "other.vhd", "vpc", "8M", force_size="on")
    assert names(parent) == ["child.vhd"]
    assert names(other) == []
    assert names(parent.rename(tmp_path / "renamed.vhd")) == ["child.vhd"]


def test_a_differencing_vhdx(tmp_path: Path) -> None:
    parent = create(tmp_path / "parent.vhdx", "vhdx")
    test_vhdx.differencing(tmp_path, parent)
    other = create(tmp_path / "other.vhdx", "vhdx")
    assert names(parent) == ["child.vhdx"]
    assert names(other) == []
    assert names(parent.rename(tmp_path / "renamed.vhdx")) == ["child.vhdx"]


def test_a_differencing_vdi_in_the_snapshot_folder(tmp_path: Path) -> None:
    parent = create(tmp_path / "parent.vdi", "vdi")
    (tmp_path / "Snapshots").mkdir()
    test_vdi.linked(tmp_path / "Snapshots", parent)
    other = create(tmp_path / "other.vdi", "vdi")
    assert names(parent) == ["child.vdi"]
    assert names(other) == []


def test_what_else_lies_there_is_nobodys_child(tmp_path: Path) -> None:
    base = create(tmp_path / "disk.vmdk", "vmdk")
    (tmp_path / "notes.txt").write_text("hello\n" * 100)
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "empty").touch()
    (tmp_path / "broken.vmdk").write_bytes(b"KDMV" + b"\xff" * 1000)
    (tmp_path / "broken.qcow2").write_bytes(b"QFI\xfb\0\0\0\3" + b"\xff" * 1000)
    (tmp_path / "broken.vhdx").write_bytes(b"vhdxfile" + b"\xff" * 1000)
    (tmp_path / "broken.txt.vmdk").write_text('# Disk DescriptorFile\nRW 1 FLAT "\n')
    assert names(base) == []


def test_too_many_files_are_not_passed_over_in_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_MAX_ENTRIES", 3)
    base = create(tmp_path / "disk.raw", "raw")
    for number in range(3):
        (tmp_path / str(number)).touch()
    with pytest.raises(ImageError, match="more than 3 files"):
        names(base)


def test_an_image_on_no_folder_has_none() -> None:
    assert find_children(identify("nbd://localhost/disk")) == ()


def test_a_vmdk_overwritten_in_the_middle_of_the_search_is_no_traceback(tmp_path: Path) -> None:
    base = create(tmp_path / "disk.vmdk", "vmdk")
    info = identify(str(base))
    patch(base, 0, b"XXXX")
    with pytest.raises(ImageError):
        find_children(info)
