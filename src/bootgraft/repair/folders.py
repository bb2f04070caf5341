"""The folders that a file needs: a service may name one that is not there, as a package brings its own."""

from collections.abc import Iterator

from bootgraft.changes import Change, CreateDirectory, WriteFile
from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.windows.installation import Installation


def with_folders(installation: Installation, changes: tuple[Change, ...]) -> Iterator[Change]:
    """The changes, with the folders in the Windows directory that their new files lie in and that are not there.

    Raises FileSystemError where there can be no such folder.
    """
    made: set[str] = set()
    inside = f"{installation.directory}\\".casefold()
    for change in changes:
        if isinstance(change, WriteFile) and change.before is None:
            path = change.file.path
            if change.file == installation.volume.file(path) and path.casefold().startswith(inside):
                yield from missing_folders(installation, path, made)
        yield change


def missing_folders(installation: Installation, path: str, made: set[str]) -> Iterator[CreateDirectory]:
    """The folders above ``path``, inside the Windows directory, that are neither there nor in ``made``.

    Raises FileSystemError where there can be no such folder.
    """
    names = path[len(installation.directory) + 1 :].split("\\")
    if any(name in ("", ".", "..") or ":" in name for name in names):
        raise FileSystemError("a new file would lie outside its folder", where=path, advice="Leave it out")
    at = installation.directory
    for name in names[:-1]:
        at = f"{at}\\{name}"
        if at.casefold() in made:
            continue
        made.add(at.casefold())
        try:
            if not installation.volume.filesystem().stat(at).is_directory:
                raise FileSystemError("a file is in the place of a folder", where=at, advice="Rename it")
        except FileMissingError:
            yield CreateDirectory(installation.volume.file(at))
