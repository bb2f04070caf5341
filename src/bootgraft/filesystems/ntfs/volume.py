"""An NTFS volume on a BlockDevice, through libntfs-3g: no mount point, no privileges.

The library is C and meets hostile bytes here, so whoever calls this for an image runs it in a child process that has
no writable handle to the image. It is never asked to recover a journal or to ignore a hibernated session: a volume
that is not clean is opened read-only, whatever was asked for, and says so in :attr:`NtfsVolume.state`. What empties
a journal, with the user's consent and before any mount, is :mod:`.journal`.

Seen with libntfs-3g 2022.10.3, and kept so by the tests: mounting a clean volume for writing and unmounting it writes
nothing, and ``$LogFile`` keeps Windows' own restart pages even when files are written. An operation that fails may
leave its work half done on the volume, so the overlay below has to be given up with it.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from bootgraft.errors import FileMissingError, FileSystemError, MissingDependencyError, UnsafeVolumeError
from bootgraft.filesystems.base import Entry, FileSystemKind, VolumeState, parts, split
from bootgraft.filesystems.ntfs import content as ntfs_content
from bootgraft.filesystems.ntfs import directory as ntfs_directory
from bootgraft.filesystems.ntfs import state as ntfs_state
from bootgraft.filesystems.ntfs.device import Operations
from bootgraft.filesystems.ntfs.entries import DIRECTORY, REFERENCE_MASK, WINDOWS_ATTRIBUTES, FileName, NameSpace, fold
from bootgraft.filesystems.ntfs.handles import DATA, INDEX_ROOT, ROOT, VOLUME_NAME, Handles
from bootgraft.filesystems.ntfs.library import LIBNTFS, Library, load
from bootgraft.filesystems.ntfs.readahead import ReadAhead
from bootgraft.storage.devices.blockdevice import BlockDevice

_VOLUME = 3  # MFT record of $Volume
_UPCASE = 10  # MFT record of $UpCase
_PLAIN, _READ_ONLY = 0, 1  # volume.h: NTFS_MNT_NONE, NTFS_MNT_RDONLY
_NOT_CLEAN = (errno.EOPNOTSUPP, errno.EPERM)  # what a writable mount says of an unclean or hibernated volume

_WHY_NOT = {
    VolumeState.CLEAN: ("the volume was opened for reading only", "Open it for writing"),
    VolumeState.UNCLEAN: (
        "the volume's journal ($LogFile) has changes that are not on the volume yet: writing now would destroy it",
        "Start this Windows and shut it down, or run chkdsk /f on the disk in a working Windows; then convert again",
    ),
    VolumeState.HIBERNATED: (
        "the volume holds a hibernated session (hiberfil.sys): a write now would destroy it when Windows resumes",
        "Start the source machine, shut it down fully (shutdown /s /t 0, with fast start-up off), then convert again",
    ),
    VolumeState.LOG_VERSION_2: (
        "the volume's journal ($LogFile) has version 2.0: Windows 8 or later was not shut down fully",
        "Start the source machine, shut it down fully (shutdown /s /t 0, with fast start-up off), then convert again",
    ),
}


class NtfsVolume:
    """A mounted NTFS volume, a FileSystem (see base.py). Close it: unmounting is part of writing."""

    def __init__(self, library: Library, operations: Operations, volume: Any, *, writable: bool, name: str) -> None:
        self._library = library
        self._operations = operations
        self._handles = Handles(library, volume, name)
        self._name = name
        self._writable = writable
        self._closed = False
        self._references = {"\\": ROOT}  # by path, of what has been looked up
        self._upcase = memoryview(b"").cast("H")
        self._obstacles = ntfs_state.examine(self._handles)
        self._label = self._read_label()

    @property
    def kind(self) -> FileSystemKind:
        """NTFS."""
        return FileSystemKind.NTFS

    @property
    def label(self) -> str:
        """The volume label, empty where there is none."""
        return self._label

    @property
    def state(self) -> VolumeState:
        """Whether it may be written; found out on read-only mounts too."""
        return self._obstacles[0] if self._obstacles else VolumeState.CLEAN

    @property
    def obstacles(self) -> tuple[VolumeState, ...]:
        """All that forbids writing: a sleeping session first, then the journal."""
        return self._obstacles

    @property
    def writable(self) -> bool:
        """Whether it was asked for and the volume is clean."""
        return self._writable

    def listdir(self, path: str, /) -> tuple[Entry, ...]:
        """All entries of a directory in index order, as the index describes them; without NTFS's own files."""
        with self._turn(), self._directory(path) as directory:
            return tuple(entry.name.entry() for entry in ntfs_directory.entries(self._handles, directory))

    def stat(self, path: str, /) -> Entry:
        """Return the entry at ``path``, by its long name or its DOS name in any case, as the file itself has it."""
        with self._turn(), self._inode(path) as inode:
            attributes = ntfs_content.file_attributes(self._handles, inode) & WINDOWS_ATTRIBUTES
            is_directory = self._is_directory(inode)
            size, is_compressed = 0, False
            if not is_directory and self._handles.has(inode, DATA):
                with self._handles.attribute(inode, DATA) as data:
                    size, is_compressed = int(data.data_size), ntfs_content.is_compressed(data)
            return Entry(
                name=self._name_of(inode, path),
                is_directory=is_directory,
                size=size,
                attributes=attributes | (DIRECTORY if is_directory else 0),
                reparse_tag=ntfs_content.reparse_tag(self._handles, inode),
                wof_algorithm=ntfs_content.wof_algorithm(self._handles, inode),
                is_ntfs_compressed=is_compressed,
            )

    def read(self, path: str, offset: int = 0, length: int | None = None, /) -> bytes:
        """Return up to ``length`` bytes (to the end where None) from ``offset``.

        Raises:
            FileSystemError: the file is encrypted or kept elsewhere, or it is WOF-compressed and its stream damaged or
                libwim not installed; or this is more than ``content.READ_LIMIT``.
        """
        with self._turn(), self._inode(path) as inode:
            kind = ntfs_content.wof_algorithm(self._handles, inode)
            if kind is not None:
                return ntfs_content.read_compressed(self._handles, inode, kind, path, offset, length)
            ntfs_content.refuse_unreadable(self._handles, inode, path)
            with self._handles.attribute(inode, DATA) as data:
                return ntfs_content.read(self._handles, data, path, offset, length)

    def write(self, path: str, offset: int, data: bytes, /) -> None:
        """Replace bytes of an existing file in place, growing it where they reach past its end.

        Raises:
            UnsafeVolumeError: the volume is not clean or was opened for reading.
            FileSystemError: as :meth:`read`; the file is NTFS-compressed; or the volume is full.
        """
        with self._turn():
            self._require_writable()
            with self._content(path) as (inode, attribute):
                ntfs_content.write(self._handles, inode, attribute, path, offset, data)

    def truncate(self, path: str, size: int, /) -> None:
        """Set the size of an existing file to ``size`` bytes; new bytes are zeros. Raises as :meth:`write`."""
        with self._turn():
            self._require_writable()
            with self._content(path) as (inode, attribute):
                ntfs_content.truncate(self._handles, inode, attribute, path, size)

    def store_plainly(self, path: str, data: bytes, /) -> None:
        """Replace the whole content of an existing file, which is then neither compressed nor a hole anywhere.

        Raises:
            UnsafeVolumeError: the volume is not clean or was opened for reading.
            FileSystemError: the content is kept elsewhere or encrypted, or the volume is full: what was there is lost
                then, and the overlay below has to be given up.
        """
        from bootgraft.filesystems.ntfs import plain as ntfs_plain  # few changes are of loaders

        with self._turn():
            self._require_writable()
            with self._inode(path) as inode:
                ntfs_plain.store(self._handles, inode, path, data)

    def create(self, path: str, data: bytes, /, *, filetime: int | None = None) -> None:
        """Create a file in an existing directory, with the security of its neighbours.

        ``filetime`` is its times in 100 ns since 1601, now where None.

        Raises:
            UnsafeVolumeError: the volume is not clean or was opened for reading.
            FileSystemError: an entry of that name, in any case, is there already; Windows does not allow the name;
                or the volume is full.
        """
        from bootgraft.filesystems.ntfs import create as ntfs_create  # most volumes are only read

        parent = split(path)[0]
        with self._turn():
            self._require_writable()
            with self._directory(parent):
                pass
            ntfs_create.create(self._handles, self._reference(parent), path, data, filetime=filetime)

    def create_directory(self, path: str, /) -> None:
        """Create an empty directory in an existing one, with the security of the directories beside it.

        Raises as :meth:`create`.
        """
        from bootgraft.filesystems.ntfs import create as ntfs_create

        parent = split(path)[0]
        with self._turn():
            self._require_writable()
            with self._directory(parent):
                pass
            ntfs_create.create_directory(self._handles, self._reference(parent), path)

    def extents(self, path: str, /) -> tuple[tuple[int, int], ...]:
        """(offset, length) in bytes from the start of the volume of a file's content, holes left out.

        Content that is resident gives the place of its MFT record. NTFS's own files (``\\$LogFile``) work too.
        """
        with self._turn(), self._content(path, readable=False) as (inode, _data):
            return ntfs_content.extents(self._handles, inode)

    def distrust(self) -> None:
        """Take the library's word against ours: it refused to mount for writing what looks clean."""
        self._obstacles = self._obstacles or (VolumeState.UNCLEAN,)

    def close(self) -> None:
        """Unmount; a second call does nothing.

        Raises:
            FileSystemError: what was written could not be completed.
        """
        if self._closed:
            return
        with self._operations.turn():
            self._closed = True
            self._library.mounted(-1)
            self._library.ffi.errno = 0
            if self._library.lib.ntfs_umount(self._handles.volume, 0):
                raise self._handles.failed("the volume cannot be unmounted: what was written is incomplete")
        self._operations.forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._closed:
            raise FileSystemError("the volume is closed", where=self._name, advice="Open it again")
        with self._operations.turn():
            yield

    def _require_writable(self) -> None:
        if not self._writable:
            what, advice = _WHY_NOT[self.state]
            raise UnsafeVolumeError(what, where=self._name, advice=advice)

    @contextmanager
    def _inode(self, path: str) -> Iterator[Any]:
        with self._handles.inode(self._reference(path)) as inode:
            yield inode

    @contextmanager
    def _directory(self, path: str) -> Iterator[Any]:
        with self._inode(path) as inode:
            if not self._is_directory(inode):
                raise FileSystemError("it is a file", where=f"{self._name} {path}", advice="Name a directory")
            yield inode

    @contextmanager
    def _content(self, path: str, *, readable: bool = True) -> Iterator[tuple[Any, Any]]:
        with self._inode(path) as inode:
            if readable:
                ntfs_content.refuse_unreadable(self._handles, inode, path)
            with self._handles.attribute(inode, DATA) as data:
                yield inode, data

    def _is_directory(self, inode: Any) -> bool:
        return self._handles.has(inode, INDEX_ROOT, index=True)

    def _reference(self, path: str) -> int:
        """Return the file reference at ``path``, looked up name by name."""
        reached, reference = "\\", ROOT
        for name in parts(path):
            reached = f"{reached.rstrip(chr(92))}\\{name}"
            known = self._references.get(reached)
            if known is None:
                with self._handles.inode(reference) as directory:
                    known = self._handles.lookup(directory, name) if self._is_directory(directory) else None
                if known is None:
                    raise FileMissingError(
                        f"there is no {reached}", where=self._name, advice="Check the path; case does not matter"
                    )
                self._references[reached] = known
            reference = known
        return reference

    def _name_of(self, inode: Any, path: str) -> str:
        """Return the long name on disk of what ``path`` led to."""
        parent, typed = split("\\" + "\\".join(parts(path)))
        if not typed:
            return "\\"
        directory = self._reference(parent) & REFERENCE_MASK
        names = [name for name in self._handles.file_names(inode) if name.parent & REFERENCE_MASK == directory]
        return self._long_name(names, typed)

    def _long_name(self, names: list[FileName], typed: str) -> str:
        long_names = [name.name for name in names if name.space != NameSpace.DOS]
        if typed in long_names or not long_names:
            return typed
        table = self._upcase_table()
        wanted = fold(typed, table)
        return next((name for name in long_names if fold(name, table) == wanted), long_names[0])

    def _upcase_table(self) -> memoryview:
        if not self._upcase:
            with self._handles.inode(_UPCASE) as inode:
                value = self._handles.value(inode, DATA)
            self._upcase = memoryview(value[: len(value) & ~1]).cast("H")
        return self._upcase

    def _read_label(self) -> str:
        with self._handles.inode(_VOLUME) as inode:
            value = self._handles.value(inode, VOLUME_NAME)
        return value[: len(value) & ~1].decode("utf-16-le", "replace").rstrip("\0")


def mount_ntfs(device: BlockDevice, *, writable: bool, name: str) -> NtfsVolume:
    """Mount the NTFS volume that fills ``device``; ``name`` is what errors say as where.

    With ``writable`` a volume that is not clean is mounted all the same, read-only: look at its ``state``.

    Raises:
        FileSystemError: it is not NTFS or is too damaged to mount.
        MissingDependencyError: libntfs-3g is not installed.
    """
    library = load()
    if writable:
        volume = _attach(library, device, writable=True, name=name)
        if volume is not None:
            return volume
    volume = _attach(library, device, writable=False, name=name)
    if volume is None:
        raise FileSystemError(
            "the volume's state cannot be determined", where=name, advice="Run chkdsk /f on it in Windows"
        )
    if writable:
        volume.distrust()
    return volume


def _attach(library: Library, device: BlockDevice, *, writable: bool, name: str) -> NtfsVolume | None:
    """Mount one way; return None where the volume may not be written but ``writable`` was asked for."""
    operations = Operations(library, ReadAhead(device), name)
    with operations.turn():
        library.ffi.errno = 0
        volume = library.lib.ntfs_device_mount(operations.pointer, _PLAIN if writable else _READ_ONLY)
        if not volume:
            failure, reason = library.error("the volume cannot be mounted as NTFS", where=name), library.ffi.errno
            operations.free()
            if writable and reason in _NOT_CLEAN:
                return None
            raise failure
        try:
            check_layout(operations, volume, name)
            mounted = NtfsVolume(library, operations, volume, writable=writable, name=name)
            operations.reraise()
        except BaseException:
            library.lib.ntfs_umount(volume, 0)
            raise
        if writable and mounted.state is not VolumeState.CLEAN:
            library.lib.ntfs_umount(volume, 0)
            return None
        library.mounted(1)
        return mounted


def check_layout(operations: Operations, volume: Any, name: str) -> None:
    """Compare what the declared structures show with the boot sector: another library might lay them out otherwise."""
    sector = operations.boot_sector()
    size, clusters = int.from_bytes(sector[0x0B:0x0D], "little"), sector[0x0D]
    cluster = size * (clusters if clusters <= 0x80 else 1 << (256 - clusters))
    if volume.dev != operations.pointer or (volume.sector_size, volume.cluster_size) != (size, cluster):
        raise MissingDependencyError(
            f"the installed {LIBNTFS.soname} is not the library that this program knows",
            where=name,
            advice=f"Install your distribution's own package again: apt install --reinstall {LIBNTFS.packages[0]}",
        )
