"""The file that is opened and written is the one that was looked at, whoever may write in its folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.machines.tools import run
from tests.storage.containers import Container
from tests.storage.openers import mounted

from bootgraft.errors import ImageError, ImageInUseError
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.storage.fileidentity import identify_file, open_files, open_identified, require_identified
from bootgraft.storage.images.container_recovery import recover_container
from bootgraft.storage.images.opening import OpenImage, identify, open_image
from bootgraft.storage.images.preserved_ranges import kept_bytes, restore_kept
from bootgraft.storage.journal.commit import commit
from bootgraft.storage.journal.journalsearch import new_journal_path
from bootgraft.storage.journal.transaction import DiskTransaction, Transaction

EXCHANGED = "put another file in its place"


def exchange(path: Path, other: Path) -> None:
    """Put another file in a file's place, as whoever may write to its folder can."""
    other.rename(path)


def copy_of(path: Path) -> Path:
    copy = path.with_name("copy-of-" + path.name)
    copy.write_bytes(path.read_bytes())
    return copy


def test_a_file_is_known_by_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a")
    before = identify_file(path)
    (tmp_path / "b").hardlink_to(path)
    assert identify_file(tmp_path / "b") == before
    exchange(path, copy_of(path))
    with pytest.raises(ImageInUseError, match=EXCHANGED):
        open_identified(path, before, os.O_RDONLY)
    os.close(open_identified(tmp_path / "b", before, os.O_RDONLY))


def test_a_link_in_the_path_is_followed_when_it_is_resolved_and_never_later(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    for each in (folder, elsewhere):
        each.mkdir()
        (each / "a").write_bytes(b"a")
    identity = identify_file(folder / "a")
    (folder / "a").unlink()
    (folder / "a").symlink_to(elsewhere / "a")
    with pytest.raises(ImageInUseError, match=EXCHANGED):
        identify_file(folder / "a")
    with pytest.raises(OSError, match="symbolic links"):
        open_identified(folder / "a", identity, os.O_RDONLY)
    (folder / "a").unlink()
    folder.rmdir()
    folder.symlink_to(elsewhere)
    with pytest.raises(ImageInUseError, match=EXCHANGED):
        identify_file(folder / "a")


def test_where_names_have_no_case_any_name_will_do(tmp_path: Path) -> None:
    disk = tmp_path / "ntfs.raw"
    with disk.open("wb") as file:
        file.truncate(2**22)
    run("mkntfs", "--quiet", "--fast", "--force", disk)
    with mounted(disk, tmp_path / "mnt", "-t", "lowntfs-3g", "-o", "ignore_case") as folder:
        (folder / "Disk.img").write_bytes(b"a")
        assert identify_file(folder / "DISK.IMG") == identify_file(folder / "disk.img")


def test_no_image_is_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    with pytest.raises(ImageInUseError, match=EXCHANGED):
        identify_file(tmp_path / "a")
    with pytest.raises(ImageError, match="cannot be looked at"):
        identify_file(tmp_path / "missing")


def test_what_another_process_has_open(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a")
    program = f"file = open({str(path)!r}); print(flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    process.stdout.readline()
    assert open_files(process.pid) == {identify_file(path)}
    process.communicate(b"\n")
    with pytest.raises(OSError, match="No such"):
        open_files(process.pid)


def test_more_files_than_were_identified_are_too_many(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_bytes(b"")
    known = [(path, identify_file(path)) for path in paths[:2]]
    both = frozenset(identity for _, identity in known)
    require_identified(known, both)
    require_identified((), frozenset())
    for opened in (both | {identify_file(paths[2])}, both - {known[1][1]}, both - both):
        with pytest.raises(ImageInUseError, match=EXCHANGED):
            require_identified(known, opened)


def test_a_descriptor_that_is_replaced_before_qemu_reads_it(tmp_path: Path) -> None:
    """It names a file in a folder that only its owner may enter; qemu, run by root, would follow it."""
    container = Container(tmp_path / "vm", "vmdk-2gb-sparse")
    extent = container.folder / "disk-s001.vmdk"
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    (victim / "v-s001.vmdk").write_bytes(extent.read_bytes())
    info = identify(container.location)
    evil = container.image.read_bytes().replace(extent.name.encode(), bytes(victim / "v-s001.vmdk"))
    (tmp_path / "evil").write_bytes(evil)
    exchange(container.image, tmp_path / "evil")
    for writable in (False, True):
        with pytest.raises(ImageInUseError, match=EXCHANGED):
            open_image(info, writable=writable)


@pytest.mark.parametrize("kind", ["raw", "vmdk-flat", "vmdk-2gb-sparse", "qcow2"])
def test_a_file_that_is_replaced_before_it_is_opened(tmp_path: Path, kind: str) -> None:
    container = Container(tmp_path / "vm", kind)
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    for path in identify(container.location).files:
        if kind == "vmdk-flat" and path == container.image:
            continue  # a flat VMDK's descriptor is read once, and never opened again
        info = identify(container.location)
        for make in (Path.symlink_to, Path.hardlink_to):
            (victim / path.name).write_bytes(path.read_bytes())
            kept = path.rename(tmp_path / "kept")
            make(path, victim / path.name)
            with pytest.raises(ImageInUseError, match=EXCHANGED):
                open_image(info, writable=True)
            kept.rename(path)
        open_image(info, writable=True).close()


def test_what_is_opened_anew_is_looked_at_anew(tmp_path: Path) -> None:
    """A VHD without its footer is repaired through the file itself, and opened once more."""
    container = Container(tmp_path / "vm", "vhd-dynamic")
    with container.image.open("r+b") as file:
        file.seek(-512, os.SEEK_END)
        file.write(bytes(512))
    image = open_image(identify(container.location, pending_log_ok=True), writable=True)
    exchange(container.image, copy_of(container.image))
    before = container.image.read_bytes()
    with pytest.raises(ImageInUseError, match=EXCHANGED):
        recover_container(image)
    assert container.image.read_bytes() == before


def test_a_descriptor_is_restored_in_the_image_s_own_file_only(tmp_path: Path) -> None:
    container = Container(tmp_path / "vm", "vmdk-2gb-sparse")
    info = identify(container.location)
    kept = kept_bytes(info)
    exchange(container.image, copy_of(container.image))
    with pytest.raises(ImageInUseError, match=EXCHANGED):
        restore_kept(info, kept)


def test_nothing_is_written_where_qemu_has_another_file_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    container = Container(tmp_path / "vm", "qcow2")
    with container.open() as image:
        overlay = Overlay(image.device)
        overlay.write(0, b"x" * 512)
        transaction = Transaction((DiskTransaction(image, overlay),), "changes")
        path = new_journal_path([container.location])
        before = container.image.read_bytes()

        def fail(self: OpenImage) -> None:
            raise ImageInUseError("another program put another file in its place", where="a", advice="Look")

        monkeypatch.setattr(OpenImage, "require_identified", fail)
        with pytest.raises(Exception, match=EXCHANGED):
            commit(transaction, journal=path)
    assert container.image.read_bytes() == before
