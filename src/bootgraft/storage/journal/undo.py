"""Take a repair back, or finish one that was interrupted. Both first make sure that the machine has not run since."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.errors import BootgraftError, JournalError, ReadOnlyError
from bootgraft.events import Monitor, silent
from bootgraft.storage.confine import resolve
from bootgraft.storage.devices.patience import begin_to_write
from bootgraft.storage.durable import explained
from bootgraft.storage.fileidentity import open_identified
from bootgraft.storage.images.container_recovery import recover_container
from bootgraft.storage.images.imageinfo import PreservedRange
from bootgraft.storage.images.opening import OpenImage
from bootgraft.storage.images.preserved_ranges import check_kept, is_behind_qemu, kept_bytes
from bootgraft.storage.journal.commit import half_written
from bootgraft.storage.journal.comparison import compare
from bootgraft.storage.journal.editedfile import current_content, make_way_for, replace_content
from bootgraft.storage.journal.head import EditedFile, JournalDisk, JournalState
from bootgraft.storage.journal.hostindex import forget_entries, remember
from bootgraft.storage.journal.journaldisks import Journal, covered_files, match_description, match_disks
from bootgraft.storage.journal.journalfile import JournalFile, Mark
from bootgraft.storage.journal.journalsearch import forget, interrupted, pointer_places
from bootgraft.storage.journal.pointers import add_journal
from bootgraft.storage.journal.writeback import write_back


class Description(Struct, frozen=True):
    """The machine's description as given on the command line, and what an undo is to make of it."""

    location: str
    restored: bytes


def undo(
    images: Sequence[OpenImage],
    journal: Journal,
    *,
    description: Description | None = None,
    monitor: Monitor = silent,
    dry_run: bool = False,
) -> None:
    """Write the old content of every disk that the journal covers, then remove the journal and its pointers.

    ``images`` were identified by ``identify_stored`` and are open for writing, in any order; those that qemu writes are
    closed on return. ``description`` is put
    back last, where the journal covers one. An undo that was
    interrupted is simply begun again. A container's descriptor is left as it is now, edits since the repair
    included; only after an interruption is it put back to what it was before the repair. ``dry_run`` makes sure
    that the undo is possible and writes nothing.

    Raises:
        JournalError: a disk is missing, the journal is damaged or the machine has run since: nothing was written; or
            an image could not be written to its end: ``undo`` again repairs it.
    """
    vm = None if description is None else description.location
    locations = _locations(images, vm)
    places = pointer_places(locations, journal.path)
    with _opened(journal, images, locations, vm) as file:
        ordered = ordered_images(images, journal, file)
        match_description(journal, locations, vm)
        stretches = file.verify()
        is_sealed = file.state is JournalState.SEALED
        kept = [kept_bytes(image.info) if is_sealed else _kept(image, disk) for image, disk in _pairs(ordered, file)]
        torn = torn_disks(ordered, file)
        compare(
            file, stretches, [image.device for image in ordered], allow_old=not is_sealed, torn=torn, monitor=monitor
        )
        if dry_run:
            return
        if description is not None and file.head.edited is not None:
            make_way_for(Path(description.location))
        for image in ordered:
            image.require_unused()
        remember(file, stretches, ordered, monitor)
        begin_to_write()
        file.mark(Mark.UNDOING)  # once more where it reads so: that may be all that is left of a flush that failed
        try:
            for image in ordered:
                recover_container(image)
            write_back(file, stretches, ordered, kept, new=False, reopen=True, monitor=monitor)
            if description is not None and file.head.edited is not None:
                replace_content(Path(description.location), description.restored)
        except BootgraftError as error:
            raise half_written(error, replace(journal, state=file.state), locations) from error
        forget_entries(journal.path, len(ordered))  # first, so that none is left that leads nowhere
        forget(places, journal.path)


def _locations(images: Sequence[OpenImage], vm: str | None) -> tuple[str, ...]:
    """The disks and the description as given on the command line."""
    disks = tuple(image.info.location for image in images)
    return disks if vm is None else (*disks, vm)


@contextmanager
def _opened(
    journal: Journal, images: Sequence[OpenImage], locations: Sequence[str], vm: str | None
) -> Iterator[JournalFile]:
    """Open and lock the journal, which must count for every file that is going to be written."""
    with ExitStack() as held:
        files = [path for image in images for path in _held_files(image, held)]
        if vm is not None and journal.head.edited is not None:
            files.append(resolve(Path(vm)))
        is_all_files = all(image.info.files for image in images)  # nobody knows who owns a URI
        file = JournalFile(journal.path, writable=True, about=files if is_all_files else ())
    with file:
        file.require_trusted(covered_files(file.head, locations))
        file.lock(exclusive=True)
        yield file


def _held_files(image: OpenImage, held: ExitStack) -> Iterator[Path]:
    """Yield names of an image's files under which nobody can put other ones; they hold as long as ``held``."""
    for path, identity in zip(image.info.files, image.info.identities, strict=False):
        with explained(path, action="looking at the image's owner"):
            descriptor = open_identified(path, identity, os.O_PATH)
        held.callback(os.close, descriptor)
        yield Path(f"/proc/self/fd/{descriptor}")


def resume(
    images: Sequence[OpenImage], journal: Journal, *, description: str | None = None, monitor: Monitor = silent
) -> bool:
    """Finish a repair that was interrupted; False where it was finished already.

    ``description`` is the machine's, as given on the command line.

    Raises:
        JournalError: as for undo; or an undo was interrupted, which only ``undo`` finishes.
    """
    locations = _locations(images, description)
    with _opened(journal, images, locations, description) as file:
        if file.state is JournalState.SEALED:
            file.mark(Mark.SEALED)  # it may only read so: the flush of the seal may be what failed
            return False
        if file.state is JournalState.UNDOING:
            raise interrupted(replace(journal, state=file.state), locations)
        ordered = ordered_images(images, journal, file)
        match_description(journal, locations, description)
        stretches = file.verify()
        torn = torn_disks(ordered, file)
        compare(file, stretches, [image.device for image in ordered], allow_old=True, torn=torn, monitor=monitor)
        edited = None if description is None else file.head.edited
        if edited is not None:
            _require_unchanged(edited, Path(description or ""))
            make_way_for(Path(description or ""))
        for image in ordered:
            image.require_unused()
        begin_to_write()
        for change in add_journal(pointer_places(locations, journal.path), journal.path):
            change.prepare()
            change.publish()
        remember(file, stretches, ordered, monitor)
        try:
            for image in ordered:
                recover_container(image)
            kept = [_kept(image, disk) for image, disk in _pairs(ordered, file)]
            if edited is not None and description is not None:
                replace_content(Path(description), edited.new)
            write_back(file, stretches, ordered, kept, new=True, reopen=True, monitor=monitor)
            file.mark(Mark.SEALED)
            forget_entries(journal.path, len(ordered))
        except BootgraftError as error:
            raise half_written(error, replace(journal, state=file.state), locations) from error
    return True


def _require_unchanged(edited: EditedFile, path: Path) -> None:
    """Raise JournalError where the description reads neither as before the repair nor as after it."""
    if current_content(path) not in (edited.old, edited.new):
        raise JournalError(
            "the machine's description was edited since the repair was interrupted; nothing was written",
            where=str(path),
            advice="Revert the repair instead (`bootgraft undo`, which keeps those edits), and repair again",
        )


def _pairs(ordered: Sequence[OpenImage], file: JournalFile) -> list[tuple[OpenImage, JournalDisk]]:
    """Return each image with what the journal says of it."""
    return list(zip(ordered, file.head.disks, strict=True))


def _kept(image: OpenImage, disk: JournalDisk) -> tuple[PreservedRange, ...]:
    """Return the container bytes to put back: its own, where it is no container of the journal's format."""
    return disk.kept if image.info.format.value == disk.format else kept_bytes(image.info)


def torn_disks(ordered: Sequence[OpenImage], file: JournalFile) -> frozenset[int]:
    """Return the numbers of the disks of which new clusters may read as zeros: see ``compare``.

    ``ordered`` are the images of the journal's disks. A journal that holds no lengths has no whole clusters either.
    """
    if file.state is JournalState.SEALED:
        return frozenset()
    pairs = enumerate(_pairs(ordered, file))
    return frozenset(number for number, (image, disk) in pairs if image.info.cluster and disk.lengths)


def ordered_images(images: Sequence[OpenImage], journal: Journal, file: JournalFile) -> list[OpenImage]:
    """Return the images in the order of the journal's disks.

    Raises:
        JournalError: one is missing, or is not the disk that was repaired.
        ReadOnlyError: one was not opened for writing.
    """
    current = replace(journal, head=file.head, state=file.state)
    ordered = [images[place] for place in match_disks(current, [image.info.location for image in images])]
    for image, disk in _pairs(ordered, file):
        info = image.info
        if not image.writable:
            raise ReadOnlyError("the image is open for reading only", where=info.location, advice="Open it for writing")
        # It may have been converted or exported since; but how a container was that grows, only its journal knows.
        is_same = info.format.value == disk.format
        if image.device.size != disk.size or (not is_same and is_behind_qemu(info)):
            raise JournalError(
                f"this undo journal is for a {disk.format} disk of {disk.size} bytes, and {info.location} is "
                f"{info.format.value} of {image.device.size} bytes; nothing was written",
                where=str(journal.path),
                advice=f"Give the disk that was repaired, {disk.name}, with the same --format as then; or where it was "
                "converted and is gone, convert what it became to raw (`qemu-img convert -O raw`), and give that",
            )
        check_kept(info, _kept(image, disk), where=str(journal.path))
    return ordered
