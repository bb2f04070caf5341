"""Where libntfs-3g begins to look for free clusters: not in what is known to be full.

It looks through ``$Bitmap`` 4 KiB at a time (lcnalloc.c, 2022.10.3), each through a callback of ours: 14,000 of them
before the first file grows on a nearly full volume of 2 TB. A megabyte at once is read and compared in half the time.
The library begins behind the zone that is kept for the MFT, and where all from there on is full it notes that
(``full_zones``) and goes on elsewhere. Only this note, or the place to begin at, is set here, to what it would come to
by itself: it allocates the same clusters, and asks ``$Bitmap`` for each.
"""

from bootgraft.filesystems.ntfs.handles import Handles

_WINDOW = 4096
"""Bytes of ``$Bitmap`` that the library takes into account at once (NTFS_LCNALLOC_BSIZE)."""
_DATA_ZONE = 2  # bit of ntfs_volume.full_zones (lcnalloc.c: ZONE_DATA1)
_FIRST, _AT_ONCE = 2**16, 2**20
"""Bytes of ``$Bitmap`` to read first, as most volumes have room at once, and from then on."""
_FULL = b"\xff" * _AT_ONCE


def skip_full(handles: Handles) -> None:
    """Have the library begin where there is room; to be called before it may allocate what is not for the MFT.

    Raises FileSystemError where ``$Bitmap`` cannot be read.
    """
    volume = handles.volume
    zone = int(volume.mft_zone_end)
    if volume.data1_zone_pos != zone or volume.full_zones & _DATA_ZONE or zone >= volume.nr_clusters:
        return  # the library knows already, or there is no such zone
    start = at = zone >> 3
    windows = -(-(int(volume.nr_clusters) - zone) // (8 * _WINDOW))
    end = min(start + windows * _WINDOW, int(volume.lcnbmp_na.data_size))
    length = _FIRST
    while at < end:
        piece = handles.read(volume.lcnbmp_na, at, min(length, end - at))
        if not _FULL.startswith(piece):
            at += _first_with_room(piece)
            if at > start:
                volume.data1_zone_pos = at * 8
            return
        at += len(piece)
        length = _AT_ONCE
    volume.full_zones |= _DATA_ZONE


def _first_with_room(piece: bytes) -> int:
    """Where the first window begins of which not all bits are set."""
    starts = range(0, len(piece), _WINDOW)
    return next(at for at in starts if not _FULL.startswith(piece[at : at + _WINDOW]))
