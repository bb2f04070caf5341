"""The child as a process: that a fork takes nothing along which a new process would not have, and leaves nothing."""

import io
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.machines.build import BuiltMachine
from tests.worker.fake_child import fake_child

from bootgraft.worker import child
from bootgraft.worker.ipc import process

SOURCE = Path(process.__file__).parents[3]

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the test runner's threads take no locks


def started(endpoint: socket.socket) -> process.ChildProcess:
    with process.signals_held() as held:
        return process.start(endpoint, held)


@pytest.fixture(autouse=True)
def _forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_has_other_threads", lambda: False)


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], str]:
    """A function that has a forked child tell what something in it comes to."""

    def run(work: Callable[[], object]) -> str:
        def serve(endpoint: int) -> int:
            with socket.socket(fileno=endpoint) as parent:
                parent.sendall(str(work()).encode())
            return 0

        monkeypatch.setattr(child, "serve", serve)
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                running = started(theirs)
            told = ours.recv(65536).decode()
        assert running.wait(30) == 0
        return told

    return run


def test_it_has_our_modules_and_nothing_as_input_and_output(inside: Callable[[Callable[[], object]], str]) -> None:
    streams = [os.path.realpath(f"/proc/self/fd/{number}") for number in (0, 1)]
    told = inside(lambda: [os.path.realpath(f"/proc/self/fd/{number}") for number in (0, 1)])
    assert told == str([os.devnull, os.devnull]) != str(streams)


def test_signals_do_there_what_they_do_to_a_new_process(inside: Callable[[Callable[[], object]], str]) -> None:
    kept = signal.signal(signal.SIGTERM, lambda *_: None), signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        told = inside(lambda: [signal.getsignal(each).value for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)])  # type: ignore[union-attr]
        blocked = inside(lambda: signal.pthread_sigmask(signal.SIG_BLOCK, []))
    finally:
        signal.signal(signal.SIGTERM, kept[0])
        signal.signal(signal.SIGHUP, kept[1])
    assert told == str([signal.SIG_DFL.value, signal.SIG_IGN.value, signal.SIG_DFL.value])
    assert blocked == str(signal.pthread_sigmask(signal.SIG_BLOCK, []))


def test_no_module_comes_out_of_the_folder_where_the_user_is(
    inside: Callable[[Callable[[], object]], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for first in ("", str(tmp_path)):
        monkeypatch.setattr(sys, "path", [first, *sys.path])
        assert first not in inside(lambda: sys.path[0]).split() or not first
    monkeypatch.setattr(sys, "path", ["/elsewhere", *sys.path])
    assert inside(lambda: sys.path[0]) == "/elsewhere"


def test_what_an_exception_leaves_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said on standard error itself, and nothing of the frames above gets to see it."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(child, "serve", lambda _endpoint: sys.exit("a way out"))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        running = started(theirs)
        assert running.wait(30) == 1
    assert "SystemExit: a way out" in running.complaint()
    running.close()


FLOOD = b"\x1b]0;typed\x07\xff\n" + b"x" * 2**20
"""An escape sequence, a byte of no character, and more than any pipe holds."""


@pytest.mark.parametrize("forked", [True, False])
def test_what_it_writes_is_kept_from_the_terminal(
    forked: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def serve(_endpoint: int) -> int:
        os.write(2, FLOOD)
        try:
            os.write(2, FLOOD)
        except BlockingIOError:
            return 3
        return 0

    monkeypatch.setattr(child, "serve", serve)
    monkeypatch.setattr(process, "_has_other_threads", lambda: not forked)
    body = f"try:\n    os.write(2, {FLOOD[:14]!r} + bytes(2**20)); os.write(2, b'x')\nexcept OSError: sys.exit(3)"
    monkeypatch.setattr(sys, "executable", str(fake_child(tmp_path, body)))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        running = started(theirs)
        ours.sendall(bytes(5))
        assert running.wait(30) == 3
    said = running.complaint()
    assert said.startswith("\\x1b]0;typed\\x07\\xff\n")
    assert all(each.isprintable() or each == "\n" for each in said)
    assert running.complaint() == ""
    running.close()
    assert capfd.readouterr() == ("", "")


EXIT = """
import atexit, os, socket, sys
from bootgraft.worker.ipc import process
atexit.register(print, "handler")
print("buffered")
ours, theirs = socket.socketpair()
with process.signals_held() as held:
    running = process.start(theirs, held)
theirs.close()
ours.close()
assert running.wait(30) == 1
"""


def test_neither_buffers_nor_exit_handlers_are_taken_along() -> None:
    done = subprocess.run(
        [sys.executable, "-c", EXIT],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("buffered\nhandler\n", "")


def test_it_is_reaped_however_it_ends() -> None:
    for how in (signal.SIGKILL, None):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            running = started(theirs)
            assert running.wait(0) is None
            if how is not None:
                os.kill(running.pid, how)
            assert running.end() == running.end() == running.poll() == -signal.SIGKILL
        with pytest.raises(ProcessLookupError):
            os.kill(running.pid, 0)


def test_where_children_are_not_to_be_waited_for() -> None:
    """A caller may have SIGCHLD ignored, and that is inherited."""
    kept = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            running = started(theirs)
            assert running.end() == 0
        with pytest.raises(ProcessLookupError):
            os.kill(running.pid, 0)
    finally:
        signal.signal(signal.SIGCHLD, kept)
        with suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)


def test_another_thread_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert process._has_other_threads()
    finally:
        done.set()
        thread.join()


def test_without_proc_there_may_be_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(os, "stat", lambda _path: (_ for _ in ()).throw(FileNotFoundError))
    assert process._has_other_threads()
    monkeypatch.undo()
    alone = "from bootgraft.worker.ipc import process; print(process._has_other_threads())"
    done = subprocess.run(
        [sys.executable, "-c", alone],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"


INTERRUPTED = """
import os, signal, sys
real = os.fork
def fork():
    number = real()
    if number:
        os.kill(os.getpid(), signal.SIGINT)
    return number
os.fork = fork
from bootgraft.cli.main import main
sys.exit(main())
"""


def test_ctrl_c_while_the_child_is_started(server1: BuiltMachine) -> None:
    done = subprocess.run(
        ["env", "--default-signal=INT", sys.executable, "-c", INTERRUPTED, "inspect", str(server1.disk)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "bootgraft: interrupted.\n")
