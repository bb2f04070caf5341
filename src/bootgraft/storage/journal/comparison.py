"""Does an image still read as its journal says? Asked before every undo and resume: if not, the machine has run.

Windows that has run works on what it found: putting one part of its volume back to an older state destroys it.
A repair that was interrupted leaves each sector old or new. A sector is what disks write whole; one that holds some
old and some new bytes is refused like any other unknown content.
"""

import hashlib
from collections.abc import Sequence

from bootgraft.errors import JournalError
from bootgraft.events import Monitor, Progress, silent
from bootgraft.storage.devices.blockdevice import SECTOR, BlockDevice
from bootgraft.storage.journal.diskmarks import Readable
from bootgraft.storage.journal.head import Witness
from bootgraft.storage.journal.journalfile import JournalFile, Stored, pieces


def digest_of(device: Readable, offset: int, length: int) -> bytes:
    """Return the SHA-256 of ``length`` bytes at ``offset``."""
    digest = hashlib.sha256()
    for start, count in pieces(length):
        digest.update(device.read(offset + start, count))
    return digest.digest()


def compare(
    file: JournalFile,
    stretches: Sequence[Stored],
    devices: Sequence[BlockDevice],
    *,
    allow_old: bool,
    torn: frozenset[int] = frozenset(),
    monitor: Monitor = silent,
) -> None:
    """Return where every stretch reads *new* (sector by sector *old* or *new* if ``allow_old``) and every witness fits.

    ``devices`` are in the order of the journal's disks. A sector of one of those that are numbered in ``torn`` may also
    read as zeros: their images are built on others, their stretches are whole clusters, and of a new one a power loss
    may have left nothing but its name.

    Raises:
        JournalError: something reads otherwise; it says which byte of which disk.
    """
    total = sum(stored.extent.length for stored in stretches)
    progress = Progress(monitor, "comparing the image with the undo journal", total)
    for stored in stretches:
        extent = stored.extent
        for start, length in pieces(extent.length):
            now = devices[extent.disk].read(extent.offset + start, length)
            new = file.content(stored, start, length, new=True)
            progress.advance(length)
            if now == new:
                continue
            old = file.content(stored, start, length, new=False) if allow_old else new
            at = _first_unknown(now, old, new, zeros=extent.disk in torn)
            if at is not None:
                neither = "neither the old nor the new content" if allow_old else "not what the repair wrote"
                raise _has_run(file, extent.disk, extent.offset + start + at, neither)
    for witness in file.head.witnesses:
        _check_witness(file, witness, devices[witness.disk])


def _first_unknown(now: bytes, old: bytes, new: bytes, *, zeros: bool) -> int | None:
    """Return the first byte of ``now`` that is new in no sector that is wholly new or old; None where all are.

    ``zeros`` admits a sector of zeros too.
    """
    for start in range(0, len(now), SECTOR):
        sector = slice(start, start + SECTOR)
        if now[sector] not in (old[sector], new[sector]) and not (zeros and not any(now[sector])):
            pairs = zip(now[sector], new[sector], strict=True)
            return start + next(index for index, (is_now, is_new) in enumerate(pairs) if is_now != is_new)
    return None


def _check_witness(file: JournalFile, witness: Witness, device: BlockDevice) -> None:
    """Raise where a witness changed."""
    if digest_of(device, witness.offset, witness.length) != witness.sha256:
        raise _has_run(
            file,
            witness.disk,
            witness.offset,
            f"the {witness.length} bytes there, which Windows changes whenever it runs, are no longer the same",
        )


def _has_run(file: JournalFile, disk: int, offset: int, finding: str) -> JournalError:
    """Return the error for a disk that was written since."""
    return JournalError(
        f"the machine has run, or its disk was written otherwise, since the repair (disk {disk}, byte {offset}: "
        f"{finding}); going on would destroy its volume, so nothing was written",
        where=f"{file.head.disks[disk].name} and its journal {file.path}",
        advice="Keep the disk as it is. To go back before the repair, restore the machine from a backup; to keep the "
        "machine as it is and forget the repair, move the journal away",
        id="machine-ran-since",
    )
