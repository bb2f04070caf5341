r"""A source of driver packages: every INF in it, and the files beside them, wherever they lie.

A package's file may be packed (``viostor.sy_``), as on installation media.
"""

from collections.abc import Iterable, Sequence

from bootgraft.drivers.archives.archive import Archive, read_each
from bootgraft.drivers.inf.install import Library
from bootgraft.drivers.inf.sourceinf import SourceInf
from bootgraft.drivers.inf.text import InfFile
from bootgraft.errors import DriverSourceError, FileSystemError
from bootgraft.events import Monitor, Progress, Unit, silent

MAX_INFS = 10_000
"""INFs in one source: virtio-win.iso has some 500, a CD with every vendor's drivers 3,000."""

MAX_FETCHED = 64 * 2**20
"""Bytes of packages' files that are kept, so that their source is gone through once for all packages."""


class PackageTree:
    """A folder, an archive or a volume with driver packages in it. ``origin`` names it for people.

    ``only`` is the name of the one INF in its top folder that counts.
    """

    def __init__(self, archive: Archive, origin: str, *, only: str | None = None, monitor: Monitor = silent) -> None:
        self._archive = archive
        self._paths = {member.path.casefold(): member.path for member in archive.members()}
        self._infs: dict[str, SourceInf] = {}
        self._fetched: dict[str, bytes] = {}
        self._room = MAX_FETCHED
        self._only = only
        self._monitor = monitor
        self.origin = origin

    def infs(self) -> tuple[SourceInf, ...]:
        """Every INF, by its path.

        Raises:
            DriverSourceError: there are too many.
        """
        paths = sorted(path for folded, path in self._paths.items() if folded.endswith(".inf"))
        if self._only is not None:
            paths = [path for path in paths if path.casefold() == self._only.casefold()]
        if len(paths) > MAX_INFS:
            raise DriverSourceError(
                f"it has more than {MAX_INFS} INF files", where=self.origin, advice="Give the driver's own folder"
            )
        unread = [path for path in paths if path not in self._infs]
        if unread:
            self._fetch_infs(unread)
        return tuple(map(self._inf, paths))

    def place(self, path: str) -> str:
        """A file of the source by its full name, for people."""
        return self.origin if self._only == path else f"{self.origin}: {path}"

    def library(self, folder: str) -> Library:
        """What gives the INFs that lie in a folder by their name."""

        def find(name: str) -> InfFile | None:
            path = self.find(f"{folder}\\{name}")
            return None if path is None else self._inf(path).inf

        return find

    def find(self, path: str) -> str | None:
        """The path of a file as the source has it, packed or not; None where it has none."""
        folded = path.lstrip("\\").casefold()
        return self._paths.get(folded) or self._paths.get(f"{folded[:-1]}_")

    def read(self, path: str) -> bytes:
        """The content of a file that :meth:`find` gave, unpacked.

        Raises:
            DriverSourceError: it cannot be read.
        """
        data = self._kept(path)
        if data is None:
            try:
                data = self._archive.read(path)
            except FileSystemError as error:
                raise DriverSourceError(error.what, where=error.where, advice=error.advice, id=error.id) from error
        if not path.endswith("_"):
            return data
        from bootgraft.drivers.archives.expand import expand

        return expand(data, self.place(path))

    def fetch(self, paths: Iterable[str]) -> None:
        """Read files that will be asked for in one pass over the source; each that this leaves out is read by itself.

        Nothing is raised: what cannot be read is told where it is asked for.
        """
        wanted = tuple(path for path in dict.fromkeys(paths) if path not in self._fetched)
        try:
            for path, data in read_each(self._archive, wanted) if wanted else ():
                self._room -= len(data)
                if self._room < 0:
                    return
                self._fetched[path] = data
        except (DriverSourceError, FileSystemError):
            return

    def _kept(self, path: str) -> bytes | None:
        """The content of a file that was read before, as it lies in the source."""
        inf = self._infs.get(path)
        return self._fetched.get(path) if inf is None or inf.unread else inf.data

    def _fetch_infs(self, paths: Sequence[str]) -> None:
        """Read many in one pass over the source; at what cannot be read this ends, and each is read by itself."""
        progress = Progress(self._monitor, f"reading the INF files of {self.origin}", len(paths), Unit.INFS)
        try:
            for path, data in read_each(self._archive, paths):
                progress.advance(1)
                self._infs[path] = SourceInf(path, data)
        except (DriverSourceError, FileSystemError):
            return

    def _inf(self, path: str) -> SourceInf:
        known = self._infs.get(path)
        if known is None:
            known = self._infs[path] = self._read_inf(path)
        return known

    def _read_inf(self, path: str) -> SourceInf:
        try:
            return SourceInf(path, self.read(path))
        except DriverSourceError as error:
            return SourceInf(path, b"", f"{error.what} ({error.where})")
