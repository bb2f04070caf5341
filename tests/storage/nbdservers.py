"""NBD servers by other people for the tests: started on a socket that listens already, so that nothing has to wait."""

import contextlib
import os
import select
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

LAUNCH = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&0 </dev/null'


@contextlib.contextmanager
def serve(command: list[str], listener: socket.socket) -> Iterator[None]:
    """Run a server that takes over ``listener`` as a systemd service does."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    listener.listen(5)
    process = subprocess.Popen(["sh", "-c", LAUNCH, "sh", *command], stdin=listener.fileno(), stderr=subprocess.DEVNULL)
    listener.close()
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def nbdkit(folder: Path, *arguments: str, export: str = "") -> Iterator[str]:
    """Run nbdkit on a unix socket; its URI."""
    path = folder / "nbdkit.sock"
    with serve(["nbdkit", "-f", *arguments], unix_listener(path)):
        yield f"nbd+unix:///{export}?socket={path}"


def unix_listener(path: Path) -> socket.socket:
    """A bound unix socket."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    return listener


def tcp_listener() -> tuple[socket.socket, int]:
    """A bound loopback socket and its port."""
    listener = socket.socket(socket.AF_INET)
    listener.bind(("127.0.0.1", 0))
    return listener, listener.getsockname()[1]


def wait_for_end(pid: int, seconds: float = 60) -> bool:
    """Wait for the end of a process that need not be a child of ours; whether it ended in time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    finally:
        os.close(descriptor)
