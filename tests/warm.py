"""Bootgraft's command line out of a warm interpreter: a server has loaded all of it, and forks for each command.

A command is a process of its own as ever, with its own standard streams, folder, environment and exit status, and so is
the child that it starts; only the half of a second's work that two interpreters do to load the package is done once.
Tests of the processes themselves (signals, kills, imports, limits) start real ones.
"""

import gc
import importlib
import json
import os
import pkgutil
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, Self

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
        ends = [os.pipe(), os.pipe()]
        request = json.dumps({"words": words, "cwd": str(cwd), "environment": environment})
        try:
            socket.send_fds(self._socket, [request.encode()], [write for _, write in ends])
        finally:
            for _, write in ends:
                os.close(write)
        try:
            out, error = _drain([read for read, _ in ends], time.monotonic() + timeout)
            self._socket.settimeout(timeout)
            status = int(self._socket.recv(_CHUNK))
        except TimeoutError as late:
            os.killpg(self._server.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(words, timeout) from late
        return status, _text(out), _text(error)


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
                    piece = os.read(key.fd, _CHUNK)
                    data[key.fd] += piece
                    if not piece:
                        selector.unregister(key.fd)
    finally:
        for reader in readers:
            os.close(reader)
    return [bytes(data[reader]) for reader in readers]


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


def _start(words: list[str], **how: Any) -> Any:
    """``subprocess.Popen`` for bootgraft's parent process: where it starts its child as it does, that is forked."""
    from bootgraft.worker import child

    expected = [sys.executable, "-P", "-m", child.__name__, *map(str, how.get("pass_fds", ()))]
    null = subprocess.DEVNULL
    if words != expected or how != {"stdin": null, "stdout": null, "pass_fds": how["pass_fds"], "process_group": 0}:
        return subprocess.Popen(words, **how)
    # From 3.12 on Python warns of threads: here the timer that holds back messages, whose lock no child takes.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        number = os.fork()
    return _Forked(number) if number else _be_the_child(*how["pass_fds"])


def _be_the_child(endpoint: int) -> NoReturn:
    """Be what the new process would be; end without a way back to the frames of the parent."""
    from bootgraft.worker import child

    status = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        for stream in range(2):
            os.dup2(os.open(os.devnull, os.O_RDWR), stream)
        os.closerange(3, endpoint)
        os.closerange(endpoint + 1, os.sysconf("SC_OPEN_MAX"))
        sys.argv = ["child", str(endpoint)]
        status = child.main()
    except BaseException:  # noqa: BLE001  as the interpreter would
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


class _Forked:
    """What bootgraft uses of a ``subprocess.Popen``."""

    def __init__(self, number: int) -> None:
        self.pid = number
        self.returncode: int | None = None
        self._handle = os.pidfd_open(number)

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._handle], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("child", timeout or 0)
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            os.close(self._handle)
        return self.returncode

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def main() -> None:
    """Serve, and in each process that is forked be one command."""
    from tests.trust import trust_roots_of_fixtures

    trust_roots_of_fixtures(Path(sys.argv[2]))
    _load_everything()
    from bootgraft.cli.main import main as run_command
    from bootgraft.worker.ipc import parent

    vars(parent)["subprocess"] = SimpleNamespace(**{**vars(subprocess), "Popen": _start})
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
