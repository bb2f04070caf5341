"""A flush that failed, on a real file system over a disk that fails for a moment: nothing is done until it is there.

The page cache goes on reading as if all had been written, so each verdict here is taken after a remount.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.storage.containers import AFTER, BEFORE, CHANGES, Container
from tests.storage.failing_disk import FailingDisk, failing_disk
from tests.storage.nbdservers import nbdkit

from bootgraft.errors import JournalError
from bootgraft.events import Event, Monitor, silent
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.storage.images.opening import OpenImage, identify_stored, open_image
from bootgraft.storage.journal.commit import commit
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.journalsearch import require_journal
from bootgraft.storage.journal.transaction import DiskTransaction, Transaction
from bootgraft.storage.journal.undo import resume, undo

KINDS = [
    *(
        ("EIO", kind)
        for kind in ("raw", "vmdk-flat", "vmdk-sparse", "vmdk-2gb-sparse", "vhd-dynamic", "vhdx", "vdi", "qcow2")
    ),
    *(("ENOSPC", kind) for kind in ("raw", "qcow2")),
]
"""How the disk fails (ENOSPC: a thin one has run full), and the image's format."""


@pytest.fixture
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FailingDisk]:
    with failing_disk(tmp_path, error=getattr(request, "param", "EIO")) as made:
        yield made


def opened(location: str) -> OpenImage:
    return open_image(identify_stored(location), writable=True)


def again(container: Container, work: Any) -> None:
    with opened(container.location) as image:
        work([image], journal_of(container))


def again_until_done(container: Container, work: Any) -> None:
    """Do it again as the advice says: an error that nobody was told yet is told to whoever asks next (fsync(2))."""
    for _ in range(3):
        with suppress(JournalError):
            return again(container, work)
    return again(container, work)


def journal_of(container: Container) -> Any:
    return require_journal([container.location], container.folder.parent.parent / "j")


def repaired(container: Container, image: OpenImage, monitor: Monitor = silent) -> None:
    """Commit under a journal that lies on another disk, which does not fail."""
    commit(changes(image), journal=container.folder.parent.parent / "j", monitor=monitor)


def changes(image: OpenImage) -> Transaction:
    overlay = Overlay(image.device)
    for offset, data in CHANGES.items():
        overlay.write(offset, data)
    return Transaction((DiskTransaction(image, overlay),), "changes")


@contextmanager
def failing_from(disk: FailingDisk, step: str) -> Iterator[Monitor]:
    """Have the disk fail from the step on whose text starts so."""
    with ExitStack() as failing:

        def monitor(event: Event) -> None:
            if event.text.startswith(step):
                failing.enter_context(disk.failing())

        yield monitor


@pytest.mark.parametrize(("disk", "kind"), KINDS, indirect=["disk"])
def test_an_undo_whose_flush_failed_is_done_again(disk: FailingDisk, kind: str) -> None:
    container = Container(disk.folder / "vm", kind)
    with container.open() as image:
        repaired(container, image)
    disk.synchronise()
    disk.remount()
    with disk.failing(), pytest.raises(JournalError, match=r"(?s)interrupted.*bootgraft undo"):
        again(container, undo)
    again_until_done(container, undo)
    disk.remount()
    assert container.content() == BEFORE
    container.check()


@pytest.mark.parametrize("work", [undo, resume])
@pytest.mark.parametrize(("disk", "kind"), KINDS, indirect=["disk"])
def test_a_repair_whose_flush_failed_is_undone_and_finished(disk: FailingDisk, kind: str, work: Any) -> None:
    container = Container(disk.folder / "vm", kind)
    disk.synchronise()
    disk.remount()
    with failing_from(disk, "writing the new content") as monitor:
        with container.open() as image, pytest.raises(JournalError, match=r"(?s)interrupted.*--resume"):
            repaired(container, image, monitor)
        with pytest.raises(JournalError):  # the disk fails still
            again(container, work)
    again_until_done(container, work)
    disk.remount()
    assert container.content() == (BEFORE if work is undo else AFTER)
    container.check()


def test_a_seal_whose_flush_failed_is_set_again(disk: FailingDisk) -> None:
    """The journal lies on the disk that fails, the image does not."""
    container = Container(disk.folder.parent / "vm", "raw")
    journal = disk.folder / "j"
    with (
        failing_from(disk, "waiting until the image is on stable storage") as monitor,
        container.open() as image,
        pytest.raises(JournalError, match="interrupted"),
    ):
        commit(changes(image), journal=journal, monitor=monitor)
    with opened(container.location) as image:
        resume([image], require_journal([container.location], journal))
    disk.remount()
    assert require_journal([container.location], journal).state is JournalState.SEALED


def test_an_export_whose_flush_failed_is_written_again(disk: FailingDisk, tmp_path: Path) -> None:
    container = Container(disk.folder / "vm", "raw")
    disk.synchronise()
    disk.remount()
    (tmp_path / "server").mkdir()
    journal = tmp_path / "j"
    with nbdkit(tmp_path / "server", "file", container.location) as uri:
        with opened(uri) as image:
            repaired(container, image)
        disk.synchronise()
        with disk.failing(), opened(uri) as image, pytest.raises(JournalError, match="interrupted"):
            undo([image], require_journal([uri], journal))
        for _ in range(3):
            with suppress(JournalError), opened(uri) as image:
                undo([image], require_journal([uri], journal))
                break
    assert not journal.exists()
    disk.remount()
    assert container.content() == BEFORE
