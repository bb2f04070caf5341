"""What Hyper-V keeps beside a disk: checkpoints, and the files that track its changed blocks.

A checkpoint's disk is ``STEM_GUID.avhdx`` (``.avhd`` over a VHD), built on the disk or on an older checkpoint.
``NAME.vhdx.rct`` and ``NAME.vhdx.mrt`` are the maps of resilient change tracking, fine and coarse, from which a backup
knows what to copy. They are there as long as the tracking is on, whether the machine runs or not; what is written past
Hyper-V is on neither map.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

_CHECKPOINTS = (".avhdx", ".avhd")
_MAPS = (".rct", ".mrt")
_MAX_ENTRIES = 5000


def is_checkpoint_of(name: str, disk: Path) -> bool:
    """Tell whether a file is, by its name, a checkpoint of a disk."""
    return name.casefold().endswith(_CHECKPOINTS) and name.casefold().startswith(f"{disk.stem}_".casefold())


def notes(disk: Path) -> tuple[str, ...]:
    """Return what these files mean for a disk that is read or written, as sentences."""
    return tuple(_notes(disk))


def _notes(disk: Path) -> Iterator[str]:
    try:
        with os.scandir(disk.parent) as entries:
            names = sorted(entry.name for entry in islice(entries, _MAX_ENTRIES))
    except OSError:
        return
    checkpoints = [name for name in names if is_checkpoint_of(name, disk)]
    if checkpoints:
        yield (
            f"{checkpoints[0]} beside it is a checkpoint of Hyper-V's: if that is built on this disk, the machine's "
            "newer state is there and not here"
        )
    wanted = {f"{disk.name}{suffix}".casefold() for suffix in _MAPS}
    maps = [name for name in names if name.casefold() in wanted]
    if maps:
        yield (
            f"Hyper-V tracks this disk's changed blocks ({', '.join(maps)}) and does not see what is written here: "
            "make the next backup a full one"
        )
