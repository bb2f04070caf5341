"""How a refusal is judged: its exit status, one message in two forms, and files that are exactly as they were."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from msgspec import Struct
from tests.conftest import CommandResult

from bootgraft.errors import ErrorId

Run = Callable[..., CommandResult]
TARGET = ("--target", "vmware:lsilogic")
_CHUNK = 1 << 18
_MESSAGE = re.compile(r"bootgraft: (?P<head>[^\n]+)\.\n(?P<advice>(  [^\n]+\n)+)")


class Refusal(Struct, frozen=True):
    """The three parts of an error."""

    what: str
    where: str
    advice: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.advice}"


class Photograph(Struct, frozen=True):
    """Every file below some folders: its kind, mode, time of last change and content."""

    files: dict[str, tuple[object, ...]]

    @staticmethod
    def of(*folders: Path) -> "Photograph":
        """Take it now."""
        paths = [path for folder in folders for path in sorted(folder.rglob("*"))]
        return Photograph({str(path): _look(path) for path in paths})

    def differences(self, other: "Photograph") -> list[str]:
        """Say what is new, gone or changed in ``other``."""
        names = sorted(self.files.keys() | other.files.keys())
        return [name for name in names if self.files.get(name) != other.files.get(name)]


def _look(path: Path) -> tuple[object, ...]:
    status = path.lstat()
    if path.is_symlink():
        return (status.st_mode, path.readlink())
    if path.is_file():
        return (status.st_mode, status.st_mtime_ns, digest(path))
    return (status.st_mode,)


def digest(path: Path) -> str:
    """A digest of a file's size and content, which skips holes and zeros: equal for equal files, and quick."""
    found = hashlib.sha256(str(path.stat().st_size).encode())
    with path.open("rb") as file:
        for start in _chunks(file.fileno(), path.stat().st_size):
            data = os.pread(file.fileno(), _CHUNK, start)
            if data.count(0) != len(data):
                found.update(f" {start} ".encode() + data)
    return found.hexdigest()


def _chunks(descriptor: int, size: int) -> Iterator[int]:
    """The starts of the chunks that are not entirely holes."""
    at = 0
    while at < size:
        try:
            at = os.lseek(descriptor, at, os.SEEK_DATA) // _CHUNK * _CHUNK
        except OSError:  # ENXIO: nothing but a hole follows
            return
        yield at
        at += _CHUNK


def read_refusal(result: CommandResult, status: int = 3) -> Refusal:
    """Read an error off the text or the JSON document that a command ended with.

    There is nothing beside it: no traceback, no second message, nothing on the other stream.
    """
    assert "Traceback" not in result.stdout + result.stderr, result.stderr
    assert result.status == status, result
    if result.stdout:
        assert not result.stderr, result
        error = result.json["error"]
        assert error.pop("exit_status") == status
        assert error.pop("id") in get_args(ErrorId)
        return Refusal(**error)
    match = _MESSAGE.fullmatch(result.stderr)
    assert match is not None, result.stderr
    advice = "\n".join(line[2:] for line in match["advice"].splitlines())
    last = advice.rpartition("\n")[2]
    assert last.endswith(".") != last.startswith("    "), advice  # a command has no stop, a sentence has one
    return Refusal(match["head"], "", advice.removesuffix("."))


def refused(run: Run, *commands: Sequence[str | Path], watch: Path, status: int = 3, **options: Any) -> Refusal:
    """Run commands that are all refused in the same words: the last one with ``--json``, those before it as text.

    A single command is run both ways. ``watch`` is the folder in which nothing may change.
    """
    before = Photograph.of(watch)
    texts = commands[:-1] or commands
    told = [read_refusal(run(*command, "--quiet", **options), status) for command in texts]
    refusal = read_refusal(run(*commands[-1], "--quiet", "--json", **options), status)
    for each in told:
        assert each.what == f"{refusal.where}: {refusal.what}"
        assert _in_words(each.advice) == _in_words(refusal.advice.rstrip("."))
    assert before.differences(Photograph.of(watch)) == []
    assert refusal.what
    assert refusal.where
    assert refusal.advice
    return refusal


def _in_words(advice: str) -> list[str]:
    """An advice without the commands, which are those of the command that was given."""
    return [line for line in advice.split("\n") if not line.startswith("    ")]


def prefixed(*prefix: str | Path) -> Run:
    """A function that runs the command line at the end of another program's: ``prlimit --fsize=0 bootgraft …``."""
    return started_by(*prefix, sys.executable)


def started_by(*interpreter: str | Path) -> Run:
    """A function that runs the command line by the given Python interpreter, the words before it included."""

    def start(*arguments: str | Path) -> CommandResult:
        command = [str(word) for word in (*interpreter, "-m", "bootgraft.cli.main", *arguments)]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )
        return CommandResult(done.returncode, done.stdout, done.stderr)

    return start


def unprivileged() -> Run:
    """A function that runs the command line as a user to whom permissions apply."""
    if os.geteuid() != 0:
        return prefixed()
    return prefixed("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def check_and_repair(image: Path, *options: str | Path) -> tuple[tuple[str | Path, ...], ...]:
    """The two commands on an image."""
    return ("check", image, *TARGET), ("repair", image, *TARGET, *options)


def diagnosed(run: Run, *images: Path, watch: Path, donor: Path, **options: Any) -> dict[str, Any]:
    """Check and repair a machine that bootgraft cannot repair: both say why with exit status 1, and nothing is written.

    Returns the check's document.
    """
    before = Photograph.of(watch)
    check = run("check", *images, *TARGET, "--json", **options)
    repair = run("repair", *images, *TARGET, "--drivers", donor, "--quiet", **options)
    for result in (check, repair):
        assert result.status == 1, result
        assert "Traceback" not in result.stderr
    assert repair.stdout == "Nothing was written.\n"
    assert before.differences(Photograph.of(watch)) == []
    document: dict[str, Any] = check.json
    return document


def only_finding(document: dict[str, Any], identifier: str) -> str:
    """The one finding of a check's document, as text: title, explanation and evidence."""
    (finding,) = document["findings"]
    assert finding["id"] == identifier
    return " | ".join((finding["title"], finding["explanation"], *finding["evidence"]))
