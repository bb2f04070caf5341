"""Bootgraft's command line out of a warm interpreter: a server has loaded all of it, and forks for each command.

A command is a process of its own as ever, with its own standard streams, folder, environment and exit status, and forks
its child as ever; only the half of a second's work that it takes to load the package is done once.
Tests of the processes themselves (signals, kills, imports, limits) start real ones.
"""

import errno
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import pty
import selectors
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any, Self

_ROOT = Path(__file__).parents[1]
_MAX_REQUEST = 1 << 20
_CHUNK = 1 << 16


class WarmInterpreter:
    """The server, as the tests see it. A context manager: the server ends with the block, or with its parent.

    In its processes the roots of the fixtures in ``cache`` count as Microsoft's.
    """

    def __init__(self, cache: Path) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MAX_REQUEST)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.warm", str(theirs.fileno()), cache],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()
        self._server.wait()

    def run(self, words: list[str], cwd: Path, environment: dict[str, str], timeout: float) -> tuple[int, str, str]:
        """Run one command to its end: its exit status (negative: the signal), standard output and standard error.

        Raises subprocess.TimeoutExpired, after which the server is gone.
        """
        (reads, writes), (error_reads, error_writes) = os.pipe(), os.pipe()
        request = {"words": words, "cwd": str(cwd), "environment": environment}
        status, (out, error) = self._ask(request, [writes, error_writes], [reads, error_reads], timeout)
        return status, _text(out), _text(error)

    def run_on_terminal(
        self, words: list[str], cwd: Path, environment: dict[str, str], timeout: float, columns: int
    ) -> tuple[int, bytes]:
        """Run one command on a terminal of so many columns: its exit status, and what it wrote there."""
        theirs, ours = _terminal(columns)
        request = {"words": words, "cwd": str(cwd), "environment": environment}
        status, (written,) = self._ask(request, [theirs, os.dup(theirs)], [ours], timeout)
        return status, written

    def _ask(
        self, request: dict[str, Any], writes: list[int], reads: list[int], timeout: float
    ) -> tuple[int, list[bytes]]:
        try:
            socket.send_fds(self._socket, [json.dumps(request).encode()], writes)
        finally:
            for each in writes:
                os.close(each)
        try:
            written = _drain(reads, time.monotonic() + timeout)
            self._socket.settimeout(timeout)
            return int(self._socket.recv(_CHUNK)), written
        except TimeoutError as late:
            os.killpg(self._server.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(request["words"], timeout) from late


def _terminal(columns: int) -> tuple[int, int]:
    """A new terminal: the end of those who write on it, and the end of its screen."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    return theirs, ours


def _drain(readers: list[int], deadline: float) -> list[bytes]:
    """Read the pipes to their ends, and close them."""
    data = {reader: bytearray() for reader in readers}
    try:
        with selectors.DefaultSelector() as selector:
            for reader in readers:
                selector.register(reader, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(deadline - time.monotonic())
                if not ready:
                    raise TimeoutError
                for key, _ in ready:
                    piece = _read(key.fd)
                    data[key.fd] += piece
                    if not piece:
                        selector.unregister(key.fd)
    finally:
        for reader in readers:
            os.close(reader)
    return [bytes(data[reader]) for reader in readers]


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK)
    except OSError as error:  # how a terminal says that nobody writes on it any more
        if error.errno != errno.EIO:
            raise
        return b""


def _text(data: bytes) -> str:
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")  # as subprocess does with text=True


def _serve(requests: socket.socket) -> dict[str, Any]:
    """Answer each request with the status of a process forked for it. In that process, return the request."""
    while True:
        text, descriptors, _, _ = socket.recv_fds(requests, _MAX_REQUEST, 2)
        if not text:
            sys.exit()
        number = os.fork()
        if number == 0:
            requests.close()
            for stream, descriptor in enumerate(descriptors, start=1):
                os.dup2(descriptor, stream)
        for descriptor in descriptors:
            os.close(descriptor)
        if number == 0:
            request: dict[str, Any] = json.loads(text)
            return request
        _, status = os.waitpid(number, 0)
        requests.send(str(os.waitstatus_to_exitcode(status)).encode())


def _load_everything() -> None:
    package = importlib.import_module("bootgraft")
    for module in pkgutil.walk_packages(package.__path__, "bootgraft."):
        importlib.import_module(module.name)
    gc.freeze()  # what is loaded is left alone, so that the processes go on sharing its memory


def main() -> None:
    """Serve, and in each process that is forked be one command."""
    from tests.trust import trust_roots_of_fixtures

    trust_roots_of_fixtures(Path(sys.argv[2]))
    _load_everything()
    from bootgraft.cli.main import main as run_command

    request = _serve(socket.socket(fileno=int(sys.argv[1])))
    sys.stdout = open(1, "w", encoding=sys.stdout.encoding, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding=sys.stderr.encoding, errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["bootgraft", *request["words"]]
    status = run_command()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # without taking apart all that is loaded, which would make it this process's own memory first


if __name__ == "__main__":
    main()
