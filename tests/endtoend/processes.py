"""Bootgraft as a process that is watched, held or killed while it works; and other programs that hold its images."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import CommandResult

from bootgraft.storage.journal.hostindex import index_folder

_ROOT = Path(__file__).parents[2]


def start(
    *arguments: str | Path, victim: tuple[str, int] | None = None, environment: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start the command line; as a victim (see ``victim``) where that is asked for. Its output comes through pipes."""
    module = ("bootgraft.cli.main",) if victim is None else ("tests.endtoend.victim", victim[0], str(victim[1]))
    return subprocess.Popen(
        # Whoever runs the tests may ignore signals (nohup, a shell's background): a process would inherit that.
        ["env", "--default-signal=HUP,INT,TERM", sys.executable, "-m", *module, *map(str, arguments)],
        cwd=_ROOT,
        env={**os.environ, "NO_COLOR": "1", **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> CommandResult:
    """Let it go on, and wait for its end."""
    out, error = process.communicate("", timeout=60)
    return CommandResult(process.returncode, out, error)


def steps(*arguments: str | Path) -> list[str]:
    """The names of the steps that a command takes, which succeeds, and which is not the first one on its host."""
    index = index_folder()
    assert index is not None
    index.mkdir(0o700, parents=True, exist_ok=True)
    done = finish(start(*arguments, "--quiet", victim=("count", 0)))
    assert done.status == 0, done
    return done.stderr.split()


def writes_of(names: list[str]) -> tuple[int, int]:
    """The steps of a repair that are the first write to the image and the write of the seal."""
    published = names.index("rename")
    writes = [step for step, name in enumerate(names) if name in ("pwrite", "write") and step > published]
    return writes[0], writes[-1]


def kill_at(step: int, *arguments: str | Path) -> None:
    """Run a command that is killed just before the step (counted from 0)."""
    done = finish(start(*arguments, "--quiet", victim=("kill", step + 1)))
    assert done.status == -9, done


@contextmanager
def held_at(
    step: int, *arguments: str | Path, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A command that stands still just before the step; it is let go at the end of the block at the latest."""
    process = start(*arguments, "--quiet", victim=("hold", step + 1), environment=environment)
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == "held\n"
        yield process
    finally:
        if process.poll() is None:
            finish(process)


@contextmanager
def qemu_io(image: Path, driver: str, *options: str) -> Iterator[None]:
    """A qemu-io that has the image open, for writing unless ``-r`` is among the options."""
    line = ["qemu-io", *options, "-f", driver, str(image)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            holder.stdin.write("length\n")  # its answer tells that the image is open
            holder.stdin.flush()
            assert holder.stdout.readline()
            yield
        finally:
            holder.communicate("quit\n")


@contextmanager
def qemu_nbd(image: Path, driver: str, folder: Path) -> Iterator[None]:
    """A qemu-nbd that serves the image for writing, as the disk of a running machine is held."""
    number_file = folder / "nbd.pid"
    line = ["qemu-nbd", "-f", driver, "-t", "-k", str(folder / "s"), "--pid-file", str(number_file), "--fork"]
    subprocess.run([*line, str(image)], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    process = os.pidfd_open(int(number_file.read_text()))
    try:
        yield
    finally:
        signal.pidfd_send_signal(process, signal.SIGTERM)
        select.select([process], [], [], 60)
        os.close(process)
