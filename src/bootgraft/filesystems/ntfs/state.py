"""Whether an NTFS volume may be written: its journal, and a hibernated session in ``hiberfil.sys``.

Only reads. libntfs-3g asks the same questions when it mounts for writing; here they are answered for a read-only
mount too, and told apart. Formats: libntfs-3g's logfile.h for the restart page; the first four bytes of
``hiberfil.sys`` are ``hibr`` (Windows 2000 to 7) or ``HIBR`` while a session is saved, ``RSTR`` while it is being
brought back, and ``wake`` or ``WAKE`` or zeros once it is gone.
"""

from typing import Any

from bootgraft.filesystems.base import VolumeState
from bootgraft.filesystems.ntfs.handles import DATA, ROOT, Handles

LOG_FILE = 2
"""MFT record of ``$LogFile``."""

_SLEEPING = (b"hibr", b"HIBR", b"rstr", b"RSTR")
_HIBERNATION_HEADER = 4096  # bytes; a shorter file means that the session is saved on another volume
_MINOR, _MAJOR = slice(0x1A, 0x1C), slice(0x1C, 0x1E)  # $LogFile version in the restart page


def examine(handles: Handles) -> tuple[VolumeState, ...]:
    """Return all that forbids writing to a mounted volume: a hibernated session first, then the journal."""
    with handles.inode(LOG_FILE) as inode, handles.attribute(inode, DATA) as log:
        journal = _log_state(handles, log)
    found = (VolumeState.HIBERNATED if _is_hibernated(handles) else VolumeState.CLEAN, journal)
    return tuple(state for state in found if state is not VolumeState.CLEAN)


def _log_state(handles: Handles, log: Any) -> VolumeState:
    page = handles.ffi.new("uint8_t **")
    try:
        usable = bool(handles.lib.ntfs_check_logfile(log, page))
        if page[0]:
            head = bytes(handles.ffi.buffer(page[0], 0x1E))
            if (head[_MAJOR], head[_MINOR]) == (b"\x02\x00", b"\x00\x00"):
                return VolumeState.LOG_VERSION_2
        if usable and handles.lib.ntfs_is_logfile_clean(log, page[0]):
            return VolumeState.CLEAN
        return VolumeState.UNCLEAN
    finally:
        handles.lib.free(page[0])


def _is_hibernated(handles: Handles) -> bool:
    with handles.inode(ROOT) as root:
        reference = handles.lookup(root, "hiberfil.sys")
    if reference is None:
        return False
    with handles.inode(reference) as inode:
        if not handles.has(inode, DATA):
            return False
        with handles.attribute(inode, DATA) as data:
            if data.data_size < _HIBERNATION_HEADER:
                return True
            return handles.read(data, 0, 4) in _SLEEPING
