"""Every write, flush and change of a name that a program and its children make in a folder, recorded by strace."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.powerloss.operations import Create, Flush, FlushFolder, Operation, Remove, Rename, Resize, Write

_LONGEST = 2**26
"""Bytes of one write: strace shows it whole."""
_CALLS = (
    "open,openat,creat,write,writev,pwrite64,pwritev,pwritev2,fsync,fdatasync,sync_file_range,ftruncate,truncate,"
    "fallocate,copy_file_range,sendfile,rename,renameat,renameat2,link,linkat,unlink,unlinkat,io_uring_enter,io_submit"
)
_LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>|\()(.*)")
_END = re.compile(r"\) += (-?\d+)(?:<.*>)?(?: .*)?$")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_DESCRIPTOR = re.compile(r"(-?\d+|AT_FDCWD)(?:<([^>]*)>)?")


def record(command: Sequence[str | Path], folder: Path, *, where: Path) -> list[Operation]:
    """Run a command, which must succeed, and return what it did to the files in ``folder``.

    Raises:
        RuntimeError: it failed, or it wrote in a way that is not followed.
    """
    with tempfile.NamedTemporaryFile("r", dir=folder.parent, suffix=".strace") as log:
        trace = ["strace", "-f", "-y", "-xx", "-qq", "-s", str(_LONGEST), "-e", f"trace={_CALLS}", "-e", "signal=none"]
        done = subprocess.run(
            [*trace, "-o", log.name, *command], cwd=where, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return list(_Reader(folder).operations(log))


class _Reader:
    """Makes operations of strace's lines; a call that another thread interrupts has two."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begun: dict[str, tuple[str, int]] = {}

    def operations(self, lines: Iterator[str]) -> Iterator[Operation]:
        count = 0
        for line in lines:
            found = _LINE.match(line.rstrip("\n"))
            if found is None:
                continue
            thread, name, rest = found.groups()
            if rest.endswith("<unfinished ...>"):
                self._begun[thread] = rest.removesuffix("<unfinished ...>"), count
                continue
            before, covers = self._begun.pop(thread) if "resumed>" in line.split("(")[0] else ("", count)
            end = _END.search(rest)
            if end is None or int(end[1]) < 0:
                continue
            for operation in self._made(name, before + rest[: end.start()], int(end[1]), covers):
                count += 1
                yield operation

    def _made(self, name: str, words: str, result: int, covers: int) -> Iterator[Operation]:
        first = _DESCRIPTOR.match(words)
        path = self._here(_plain(first[2] or "")) if first is not None else None
        match name:
            case "open" | "openat" | "creat":
                created = self._here(_texts(words)[0].decode())
                if created is not None and "O_CREAT" in words:
                    if "O_EXCL" not in words:
                        raise RuntimeError(f"a file that may be there is created: {words[:200]}")
                    yield Create(created)
            case "rename" | "renameat" | "renameat2":
                old, new = (self._here(text.decode()) for text in _texts(words))
                if old is not None and new is not None:
                    yield Rename(old, new)
            case "unlink" | "unlinkat":
                removed = self._here(_texts(words)[0].decode())
                if removed is not None:
                    yield Remove(removed)
            case _ if path is not None:
                yield from self._on_file(name, path, words, result, covers)

    def _on_file(self, name: str, path: Path, words: str, result: int, covers: int) -> Iterator[Operation]:
        numbers = re.findall(r", (\w+)", _TEXT.sub("", words))
        match name:
            case "pwrite64" | "pwritev":
                data = b"".join(_texts(words))[:result]
                if len(data) != result:
                    raise RuntimeError(f"strace shows {len(data)} of {result} bytes")
                yield Write(path, int(numbers[-1]), data)
            case "pwritev2" if numbers[-1] == "0":  # as os.pwritev calls it
                yield from self._on_file("pwritev", path, words.rpartition(",")[0], result, covers)
            case "fsync" | "fdatasync":
                yield FlushFolder(path, covers) if path.is_dir() else Flush(path, covers)
            case "ftruncate":
                yield Resize(path, int(numbers[-1]))
            case "fallocate" if re.search(r">, 0, \d+, \d+$", words):
                yield Resize(path, int(numbers[-2]) + int(numbers[-1]), only_grows=True)
            case "fallocate" if ">, FALLOC_FL_ZERO_RANGE, " in words:
                yield Write(path, int(numbers[-2]), bytes(int(numbers[-1])))
            case _:
                raise RuntimeError(f"{name} is not followed: {words[:200]}")

    def _here(self, text: str) -> Path | None:
        """The path of a file in the folder, or the folder; None for any other."""
        path = Path(text)
        return path if path == self._folder or path.is_relative_to(self._folder) else None


def _texts(words: str) -> list[bytes]:
    return [bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(words)]


def _plain(text: str) -> str:
    return bytes.fromhex(text.replace("\\x", "")).decode() if text.startswith("\\x") else text
