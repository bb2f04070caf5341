"""Fill an NTFS volume without writing data: files that own nearly every cluster, of which not one is written.

libntfs-3g does it as for any program: a file's clusters are allocated and its initialised size stays 0, as after
``SetEndOfFile`` on Windows. ``ntfsresize -f -i``, which counts every cluster, agrees.
"""

import ctypes
import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LIBRARY = "libntfs-3g.so.89"
_AT_DATA = 0x80
_REGULAR = 0o100000
_CLUSTER = 4096
_CHUNK = 1 << 20
_LEFT = 1 << 30
"""Bytes that stay free."""
_MOST_FREE = 4 << 30
"""Bytes that the first file does not take, lest the library run short: the pieces after it take them."""
_MOST_PIECES = 32


def fill(disk: Path, span: tuple[int, int]) -> None:
    """Fill the NTFS volume at ``span`` (offset, length in bytes) of a raw image but for a gigabyte.

    That lies where the library looks last, so that finding it takes the whole of $Bitmap.
    """
    offset, length = span
    with tempfile.TemporaryDirectory(dir=disk.parent) as folder:
        volume = Path(folder) / "volume"
        with volume.open("wb") as made:
            made.truncate(length)
        _copy_data(disk, offset, volume, 0, length)
        _allocate(volume, length)
        _copy_data(volume, 0, disk, offset, length)


def _allocate(volume: Path, length: int) -> None:
    library = _library()
    most = (length - _MOST_FREE) // _CLUSTER * _CLUSTER
    rest = [f"rest-{number}" for number in range(_MOST_PIECES)]
    with _mounted(library, volume) as mounted:
        for name in ("most", *rest):
            _create(library, mounted, name)
        _resize(library, mounted, "most", most)
    for name in rest:
        _take_all(library, volume, name)
    # Of all that, the first file got its end last, from where the library looks only when all else is full.
    with _mounted(library, volume) as mounted:
        if _free(library, mounted) > 0:
            raise OSError(errno.ENOSPC, "the volume could not be filled", str(volume))
        _resize(library, mounted, "most", most - _LEFT)


def _take_all(library: ctypes.CDLL, volume: Path, name: str) -> None:
    """Give the file all that is free, or a half, a quarter, ...: short of room, the library gives up too early."""
    with _mounted(library, volume) as mounted:
        clusters = _free(library, mounted) // _CLUSTER
    while clusters > 0:
        try:
            with _mounted(library, volume) as mounted:
                _resize(library, mounted, name, clusters * _CLUSTER)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            clusters //= 2
        else:
            return


@contextmanager
def _mounted(library: ctypes.CDLL, volume: Path) -> Iterator[int]:
    mounted = _checked(library.ntfs_mount(os.fsencode(volume), 0))
    try:
        yield mounted
    finally:
        _succeeded(library.ntfs_umount(mounted, 0))


def _create(library: ctypes.CDLL, mounted: int, name: str) -> None:
    root = _checked(library.ntfs_pathname_to_inode(mounted, None, b"/"))
    spelt = name.encode("utf-16-le")
    inode = _checked(library.ntfs_create(root, 0, spelt, len(name), _REGULAR))
    _succeeded(library.ntfs_inode_close(inode))
    _succeeded(library.ntfs_inode_close(root))


def _resize(library: ctypes.CDLL, mounted: int, name: str, size: int) -> None:
    """Give a file in the root directory this size, all allocated."""
    inode = _checked(library.ntfs_pathname_to_inode(mounted, None, name.encode()))
    data = _checked(library.ntfs_attr_open(inode, _AT_DATA, None, 0))
    try:
        _succeeded(library.ntfs_attr_truncate_solid(data, size))
    finally:
        library.ntfs_attr_close(data)
        _succeeded(library.ntfs_inode_close(inode))


def _free(library: ctypes.CDLL, mounted: int) -> int:
    """Bytes in free clusters, counted in $Bitmap."""
    inode = _checked(library.ntfs_pathname_to_inode(mounted, None, b"/$Bitmap"))
    data = _checked(library.ntfs_attr_open(inode, _AT_DATA, None, 0))
    piece = ctypes.create_string_buffer(_CHUNK)
    at, free = 0, 0
    while (count := library.ntfs_attr_pread(data, at, _CHUNK, piece)) > 0:
        free += 8 * count - int.from_bytes(piece.raw[:count]).bit_count()
        at += count
    library.ntfs_attr_close(data)
    _succeeded(library.ntfs_inode_close(inode))
    return free * _CLUSTER


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(_LIBRARY, use_errno=True)
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    for name, result, arguments in (
        ("ntfs_mount", pointer, (ctypes.c_char_p, ctypes.c_ulong)),
        ("ntfs_pathname_to_inode", pointer, (pointer, pointer, ctypes.c_char_p)),
        ("ntfs_create", pointer, (pointer, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint8, ctypes.c_uint32)),
        ("ntfs_attr_open", pointer, (pointer, ctypes.c_int, pointer, ctypes.c_uint32)),
        ("ntfs_attr_truncate_solid", ctypes.c_int, (pointer, size)),
        ("ntfs_attr_pread", size, (pointer, size, size, ctypes.c_char_p)),
        ("ntfs_attr_close", None, (pointer,)),
        ("ntfs_inode_close", ctypes.c_int, (pointer,)),
        ("ntfs_umount", ctypes.c_int, (pointer, ctypes.c_int)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _checked(pointer: int | None) -> int:
    if not pointer:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), _LIBRARY)
    return pointer


def _succeeded(status: int) -> None:
    if status != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), _LIBRARY)


def _copy_data(source: Path, source_at: int, target: Path, target_at: int, length: int) -> None:
    """Copy what is data, not holes, of a stretch of one file into another."""
    with source.open("rb") as reading, target.open("r+b") as writing:
        for start, end in _data_runs(reading.fileno(), source_at, source_at + length):
            reading.seek(start)
            writing.seek(target_at + start - source_at)
            while (left := end - reading.tell()) > 0:
                writing.write(reading.read(min(left, _CHUNK)))


def _data_runs(descriptor: int, begin: int, limit: int) -> Iterator[tuple[int, int]]:
    end = begin
    while end < limit:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError:  # ENXIO: only a hole is left
            return
        if start >= limit:
            return
        end = min(limit, os.lseek(descriptor, start, os.SEEK_HOLE))
        yield start, end
