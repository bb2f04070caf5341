"""Can all that was done to some disks be reverted? Asked before the first of several undos writes anything.

Each journal knows what its disks held after its own change; that comes to light only once the later ones are taken
back. So these are reverted on overlays first.
"""

from collections.abc import Sequence
from contextlib import ExitStack

from bootgraft.storage.images.opening import OpenImage
from bootgraft.storage.journal.comparison import compare
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.journaldisks import Journal, covered_files, match_description
from bootgraft.storage.journal.journalfile import JournalFile, pieces
from bootgraft.storage.journal.undo import ordered_images, torn_disks


def require_reversible(images: Sequence[OpenImage], journals: Sequence[Journal], *, vm: str | None) -> None:
    """Return where every journal can be undone, one after the other: the newest comes first. Nothing is written.

    ``images`` are open for writing, ``vm`` is the machine's description as given on the command line.

    Raises:
        JournalError: one cannot: a disk or the description was not given, a journal is damaged, or the machine has run.
        ImageError: an image cannot be read.
    """
    from bootgraft.storage.devices.overlay import Overlay  # the usual undo needs none

    disks = [image.info.location for image in images]
    locations = disks if vm is None else [*disks, vm]
    with ExitStack() as held:
        overlays = {id(image): Overlay(image.device) for image in images}
        for overlay in overlays.values():
            held.callback(overlay.close)
        for journal in journals:
            with JournalFile(journal.path, about=covered_files(journal.head, locations)) as file:
                match_description(journal, locations, vm)
                ordered = ordered_images(images, journal, file)
                below = [overlays[id(image)] for image in ordered]
                stretches = file.verify()
                compare(
                    file,
                    stretches,
                    below,
                    allow_old=file.state is not JournalState.SEALED,
                    torn=torn_disks(ordered, file),
                )
                for stored in stretches:
                    for start, length in pieces(stored.extent.length):
                        data = file.content(stored, start, length, new=False)
                        below[stored.extent.disk].write(stored.extent.offset + start, data)
