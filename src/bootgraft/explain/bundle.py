"""Where logs lie: a file, a gzipped or rotated one, a folder, a diagnostic bundle (ZIP), a pipe. Nothing is unpacked.

Archives are hostile input: their directory, their names, how far their members expand and how many there are is
bounded. An archive within an archive is not opened, except for those that Converter itself nests in its bundles
(``worker-diagnostics-task-4-omo.zip`` with ``agentTask-task-6.zip`` in it: https://qiita.com/items/a080345414f4bdf98392).
One that is not safe to read, or damaged, ends the reading only where it is what the user gave: among others it is named
and left out.
"""

import gzip
import os
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import IO, cast

from msgspec import Struct, field

from bootgraft.errors import ArchiveError, LogError
from bootgraft.explain.copies import Copies
from bootgraft.explain.reading import CHUNK

STANDARD_INPUT = "-"
MAX_FILES = 2000
MAX_MEMBERS = 20000
MAX_FOLDERS = 10000
MAX_DIRECTORY = 8 << 20
"""Bytes of a ZIP's directory, which is held in memory."""
MAX_UNPACKED = 16 << 30
MAX_NESTED = 256 << 20
MAX_DEPTH = 2
BOMB_RATIO = 250
"""Logs pack 10 to 40 times; what packs better than this, beyond BOMB_FREE bytes, is no log."""
BOMB_FREE = 64 << 20

_GZIP, _ZIP = b"\x1f\x8b", b"PK"
_LOG = re.compile(r"\.(?:log|txt|out|err|json|jsonl)(?:[.-]\d{1,8})?(?:\.gz)?$|\.log\.", re.I)
_ARCHIVE = re.compile(r"\.(?:zip|7z|rar|tar|tgz|tar\.gz|cab)$", re.I)
_NESTED = re.compile(r"(?:^|/)(?:(?:agent|worker|server|client)-diagnostics|[a-z]+Task)[-.][^/]*\.zip$", re.I)
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class LogFile(Struct, frozen=True):
    """One log: its name, with the archives around it, and its bytes, which can be read once.

    ``size`` is how many they are; 0 where only reading them would tell.
    """

    name: str
    chunks: Iterator[bytes]
    size: int = 0


class Bundle(Struct):
    """What the user gave, ``alone`` or not; ``notes`` says, once it was read, what was left out or ended early."""

    path: Path
    alone: bool = True
    notes: list[str] = field(default_factory=list)
    copies: Copies = field(default_factory=Copies)
    _unpacked: int = 0
    _files: int = 0

    @property
    def title(self) -> str:
        """What a message calls it."""
        return "standard input" if str(self.path) == STANDARD_INPUT else str(self.path)

    def files(self) -> Iterator[LogFile]:
        """The logs, in the natural order of their names. Raises LogError where it is unsafe to read on."""
        if str(self.path) == STANDARD_INPUT:
            yield from self._pipe(sys.stdin.buffer, self.title)
            return
        mode = self.path.stat().st_mode
        if stat.S_ISDIR(mode):
            yield from self._folder()
        elif stat.S_ISREG(mode):
            yield from self._file(self.path, self.path.name)
        elif stat.S_ISFIFO(mode):  # as `explain-log <(kubectl logs POD)` gives it
            with self.path.open("rb", buffering=0) as pipe:
                yield from self._pipe(pipe, self.path.name)
        else:
            raise self._error("it is neither a file, a folder nor a pipe", "Give a log, a ZIP of logs or a folder")

    def _folder(self) -> Iterator[LogFile]:
        found: list[str] = []
        walk = os.walk(self.path, onerror=self._unread, followlinks=False)
        for number, (folder, _, names) in enumerate(walk, 1):
            if number > MAX_FOLDERS:
                raise self._error(f"it holds more than {MAX_FOLDERS} folders", "Give the folder of one conversion")
            for name in names:
                if _LOG.search(name) or name.lower().endswith(".zip"):
                    found.append(f"{folder}/{name}")  # noqa: PERF401  # counted while it grows
            if len(found) > MAX_FILES:
                raise self._error(f"it holds more than {MAX_FILES} logs", "Give the folder of one conversion")
        for each in sorted(found, key=_natural):
            path = Path(each)
            if stat.S_ISREG(path.lstat().st_mode):
                yield from self._file_among_others(path, str(path.relative_to(self.path)))

    def _unread(self, error: OSError) -> None:
        self.notes.append(f"{error.filename} was not read ({error.strerror})")

    def _file_among_others(self, path: Path, name: str) -> Iterator[LogFile]:
        try:
            file = path.open("rb")
        except OSError as error:
            self._unread(error)
            return
        with file:
            yield from self._opened(file, name)

    def _file(self, path: Path, name: str) -> Iterator[LogFile]:
        with path.open("rb") as file:
            yield from self._opened(file, name)

    def _opened(self, file: IO[bytes], name: str) -> Iterator[LogFile]:
        start = file.read(4)
        file.seek(0)
        if start.startswith(_ZIP):
            yield from self._archive(file, name, 0)
        elif start.startswith(_GZIP):
            yield LogFile(name, self._gunzip(file, name))
        else:
            yield LogFile(name, _chunks(file.read), os.fstat(file.fileno()).st_size)

    def _pipe(self, pipe: IO[bytes], name: str) -> Iterator[LogFile]:
        """What can be read once only; archives in it are copied first, because their directory is at their end."""
        start = pipe.read(4) or b""
        while 0 < len(start) < 4 and (more := pipe.read(4 - len(start))):
            start += more
        rest = _chunks(getattr(pipe, "read1", pipe.read))
        if not start.startswith((_ZIP, _GZIP)):
            yield LogFile(name, chain((start,), rest))
            return
        with self.copies.take() as copy:
            self._copy(chain((start,), rest), copy, name)
            if start.startswith(_ZIP):
                yield from self._archive(copy, name, 0)
            else:
                yield LogFile(name, self._gunzip(copy, name))

    def _copy(self, chunks: Iterable[bytes], copy: IO[bytes], name: str) -> None:
        for chunk in chunks:
            copy.write(chunk)
            if copy.tell() > MAX_NESTED:
                raise self._refusal(f"the archive {name} is larger than {MAX_NESTED >> 20} MiB", "Unpack it yourself")
        copy.seek(0)

    def _archive(self, file: IO[bytes], name: str, depth: int) -> Iterator[LogFile]:
        try:
            archive = self._open(file, name)
        except ArchiveError as error:
            if depth == 0 and not self._among_others:
                raise
            self._leave_out(error)
            return
        with archive:
            for member in sorted(archive.infolist(), key=lambda each: _natural(each.filename)):
                yield from self._member(archive, member, f"{name}/{member.filename}", depth)

    def _open(self, file: IO[bytes], name: str) -> zipfile.ZipFile:
        """The archive, whose members are known to be safe to unpack. Raises ArchiveError."""
        try:
            self._require_small_directory(file, name)
            archive = zipfile.ZipFile(file)
        except _DAMAGED as error:
            raise self._refusal(f"the archive {name} is damaged ({error})", "Export the logs again") from error
        members = archive.infolist()
        for member in members:
            self._require_safe(member, name)
        total, size = sum(member.file_size for member in members), file.seek(0, os.SEEK_END)
        if total > BOMB_FREE and total > BOMB_RATIO * size:  # members that share their bytes
            raise self._bomb(name)
        return archive

    @property
    def _among_others(self) -> bool:
        """Whether the user gave more than one archive that cannot be read: others, or a folder."""
        return not self.alone or self.path.is_dir()

    def _leave_out(self, error: ArchiveError) -> None:
        self.notes.append(f"{error.what}: it was not read")

    def _member(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, depth: int) -> Iterator[LogFile]:
        if member.is_dir() or stat.S_ISLNK(member.external_attr >> 16):
            return
        nested = bool(_NESTED.search(member.filename)) and depth < MAX_DEPTH
        if _ARCHIVE.search(member.filename) and not nested:
            self.notes.append(f"{name} is an archive in an archive and was not opened: unpack it and give the folder")
        elif member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            self.notes.append(f"{name} is encrypted or packed in an unusual way and was not read: unpack it")
        elif nested or _LOG.search(member.filename):
            try:
                content = cast("zipfile.ZipExtFile", archive.open(member))
            except _DAMAGED as error:
                self.notes.append(f"{name} is damaged and was not read ({error})")
                return
            with content:
                if nested:
                    yield from self._nested(content, name, depth)
                elif member.filename.lower().endswith(".gz"):
                    yield LogFile(name, self._gunzip(content, name))
                else:
                    yield LogFile(name, self._counted(self._until_damaged(content.read1, name)), member.file_size)

    def _nested(self, content: zipfile.ZipExtFile, name: str, depth: int) -> Iterator[LogFile]:
        with self.copies.take() as copy:
            try:
                self._copy(self._counted(self._until_damaged(content.read1, name)), copy, name)
            except ArchiveError as error:
                self._leave_out(error)
                return
            yield from self._archive(copy, name, depth + 1)

    def _gunzip(self, file: IO[bytes] | zipfile.ZipExtFile, name: str) -> Iterator[bytes]:
        with closing(gzip.GzipFile(fileobj=file, mode="rb")) as content:
            unpacked = 0
            for chunk in self._counted(self._until_damaged(content.read1, name)):
                unpacked += len(chunk)
                if unpacked > BOMB_FREE and unpacked > BOMB_RATIO * max(file.tell(), 1):
                    bomb = self._bomb(name)
                    if not self._among_others:
                        raise bomb
                    self.notes.append(f"{bomb.what}: no more of it was read")
                    return
                yield chunk

    def _until_damaged(self, read: Callable[[int], bytes], name: str) -> Iterator[bytes]:
        """What can be unpacked: a log that was cut off still tells what is before the cut."""
        try:
            yield from _chunks(read)
        except (*_DAMAGED, gzip.BadGzipFile) as error:
            self.notes.append(f"{name} is damaged or cut off; what is before that was read ({error})")

    def _counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        self._files += 1
        if self._files > MAX_FILES:
            raise self._error(f"it holds more than {MAX_FILES} logs", "Unpack it and give the logs of one conversion")
        for chunk in chunks:
            self._unpacked += len(chunk)
            if self._unpacked > MAX_UNPACKED:
                raise self._error(f"it unpacks to more than {MAX_UNPACKED >> 30} GiB", "Give fewer logs at a time")
            yield chunk

    def _require_safe(self, member: zipfile.ZipInfo, name: str) -> None:
        parts = re.split(r"[/\\]", member.filename)
        if ".." in parts or not parts[0] or re.match(r"[A-Za-z]:", member.filename):
            raise self._refusal(
                f"the archive {name} has a member that points out of it ({member.filename!r})",
                "No converter writes such an archive: find out where it comes from",
            )
        if member.file_size > BOMB_FREE and member.file_size > BOMB_RATIO * max(member.compress_size, 1):
            raise self._bomb(f"{name}/{member.filename}")

    def _require_small_directory(self, file: IO[bytes], name: str) -> None:
        """The ZIP's own summary, read before the directory is: zipfile holds all of that in memory.

        Raises BadZipFile where there is none, ArchiveError where it is too large.
        """
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 65536 - 42))
        tail = file.read()
        file.seek(0)
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or at + 22 > len(tail):
            raise zipfile.BadZipFile("its directory is missing")
        members, length = struct.unpack_from("<HI", tail, at + 10)
        if tail[max(0, at - 20) :].startswith(b"PK\x06\x07") or members > MAX_MEMBERS or length > MAX_DIRECTORY:
            raise self._refusal(f"the archive {name} has too many members", "Unpack it and give the folder")

    def _bomb(self, name: str) -> ArchiveError:
        return self._refusal(f"{name} unpacks to over {BOMB_RATIO} times its size, as no log does", "Do not unpack it")

    def _refusal(self, what: str, advice: str) -> ArchiveError:
        return ArchiveError(what, where=self.title, advice=advice)

    def _error(self, what: str, advice: str) -> LogError:
        return LogError(what, where=self.title, advice=advice)


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(CHUNK):
        yield chunk


def _natural(name: str) -> list[tuple[int, str]]:
    """Rotated logs in their order: ``agent-9.log`` before ``agent-10.log``."""
    return [(int(each), "") if each.isdecimal() and len(each) < 20 else (0, each) for each in re.split(r"(\d+)", name)]
