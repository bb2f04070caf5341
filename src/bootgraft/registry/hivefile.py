"""A hive where it lies on a volume: with the logs and the alternate that Windows keeps beside it."""

from collections.abc import Sequence

from bootgraft.errors import FileMissingError, HiveError
from bootgraft.filesystems.base import FileSystem, OpenFile, split
from bootgraft.registry import alternate
from bootgraft.registry.hive import Hive


def open_hive_file(filesystem: FileSystem, path: str, *, name: str, writable: bool) -> Hive:
    """Open the hive at ``path``; one whose last write was not finished as Windows would, after replaying its logs.

    ``name`` is what errors call it. ``writable`` says whether a commit may follow.

    Raises:
        FileSystemError: the file or a log cannot be read or, as FileMissingError, the file is not there.
        HiveError: the file is no sound hive; as DirtyHiveError, transactions are pending and cannot be replayed.
    """
    file = OpenFile(filesystem, path)
    second = _alternate(filesystem, path) if writable else None
    try:
        return Hive.open(file, name=name, alternate=second)
    except HiveError:
        from bootgraft.registry.logs.recovery import LOG_SUFFIXES, recover  # most hives lie clean

        recovered = recover(file, _beside(filesystem, path, LOG_SUFFIXES), name=name)
        if recovered.pending is None:
            raise  # it is not dirty but damaged
        return Hive.open(recovered.storage, name=name, pending=recovered.pending, alternate=second)


def _alternate(filesystem: FileSystem, path: str) -> OpenFile | None:
    if split(path)[1].casefold() != "system":
        return None
    return next(iter(_beside(filesystem, path, (alternate.SUFFIX,)).values()), None)


def _beside(filesystem: FileSystem, path: str, suffixes: Sequence[str]) -> dict[str, OpenFile]:
    """The files whose names are that of the hive with one of these added, by name."""
    found = {}
    for suffix in suffixes:
        try:
            entry = filesystem.stat(path + suffix)
        except FileMissingError:
            continue
        if not entry.is_directory:
            found[entry.name] = OpenFile(filesystem, path + suffix)
    return found
