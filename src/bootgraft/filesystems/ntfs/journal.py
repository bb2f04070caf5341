"""Emptying the journal (``$LogFile``) of an NTFS volume that was not shut down cleanly.

What was pending in it is lost, so this is only done where the user asked for it, and on an overlay. Windows takes a
journal of 0xFF bytes for a new one (libntfs-3g's logfile.c, ``ntfs_empty_logfile``). The volume is marked dirty in the
same breath: Windows runs chkdsk at its next start, which finds what was left half done.
"""

from typing import Any

from bootgraft.filesystems.ntfs.device import Operations
from bootgraft.filesystems.ntfs.library import Library, load
from bootgraft.filesystems.ntfs.readahead import ReadAhead
from bootgraft.filesystems.ntfs.volume import check_layout
from bootgraft.storage.devices.blockdevice import BlockDevice

_FORENSIC = 0x04000000
"""volume.h, NTFS_MNT_FORENSIC: the mount itself changes nothing, and asks after neither journal nor hiberfil.sys."""

_DIRTY = 0x0001
"""layout.h, VOLUME_IS_DIRTY."""


def reset_journal(device: BlockDevice, *, name: str) -> None:
    """Empty the journal of the NTFS volume that fills ``device``, and mark the volume for chkdsk.

    Raises:
        FileSystemError: the volume cannot be mounted, or what was written could not be completed.
        MissingDependencyError: libntfs-3g is not installed.
    """
    library = load()
    operations = Operations(library, ReadAhead(device), name)
    with operations.turn():
        library.ffi.errno = 0
        volume = library.lib.ntfs_device_mount(operations.pointer, _FORENSIC)
        if not volume:
            failure = library.error("the volume cannot be mounted as NTFS", where=name)
            operations.free()
            raise failure
        try:
            check_layout(operations, volume, name)
            _empty(library, volume, name)
        except BaseException:
            library.lib.ntfs_umount(volume, 0)
            raise
        library.ffi.errno = 0
        if library.lib.ntfs_umount(volume, 0):
            raise library.error("the volume cannot be unmounted: its journal is only half emptied", where=name)


def _empty(library: Library, volume: Any, name: str) -> None:
    library.ffi.errno = 0
    if library.lib.ntfs_volume_write_flags(volume, volume.flags | _DIRTY):
        raise library.error("the volume cannot be marked for chkdsk", where=name)
    if library.lib.ntfs_logfile_reset(volume):
        raise library.error("the journal ($LogFile) cannot be emptied", where=name)
