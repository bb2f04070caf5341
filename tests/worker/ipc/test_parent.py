"""The parent with a real child, with children that die and with children that talk nonsense."""

import errno
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct, field
from tests.machines.build import BuiltMachine
from tests.storage.sample_disks import MemoryDisk, SparseDisk
from tests.worker.fake_child import fake_child

from bootgraft.confinement import reader
from bootgraft.errors import BootConfigError, BootgraftError, ImageError
from bootgraft.events import Event, EventKind, silent
from bootgraft.report.device import DeviceSpec
from bootgraft.report.documents.verdict import CheckDocument
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.opening import identify, open_image
from bootgraft.worker.ipc import parent as parent_module
from bootgraft.worker.ipc import process
from bootgraft.worker.ipc.job import AnyOutcome, DriverSource, GivenSources, Job, Operation, Request
from bootgraft.worker.ipc.parent import Worker

SIZE = 64 * 1024
TARGET = "vmware:lsilogic"
SOURCE = Path(parent_module.__file__).parents[3]

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the test runner's threads take no locks


def job_on(*sizes: int, operation: Operation = Operation.CHECK) -> Job:
    specs = tuple(DeviceSpec(f"disk{n}.raw", "raw", size) for n, size in enumerate(sizes))
    return Job(request=Request(operation=operation, targets=(TARGET,)), devices=specs, disks=len(specs))


class Run(Struct):
    """One run of a child that is a script."""

    overlay: Overlay = field(default_factory=lambda: Overlay(MemoryDisk(bytearray(range(256)) * (SIZE // 256))))
    events: list[Event] = field(default_factory=list)

    def __call__(self) -> AnyOutcome:
        with Worker() as worker:
            return worker.run(job_on(SIZE), [self.overlay.base], [self.overlay], self.events.append)


@pytest.fixture(params=["forked", "started"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with a child that is forked, whatever threads the test runner has, once with one that is started."""
    monkeypatch.setattr(process, "_has_other_threads", lambda: request.param == "started")


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Run]:
    def become(body: str) -> Run:
        monkeypatch.setattr(process, "_has_other_threads", lambda: True)
        monkeypatch.setattr(sys, "executable", str(fake_child(tmp_path, body)))
        return Run()

    return become


def test_a_child_serves_events_runs_and_the_outcome(child: Callable[[str], Run]) -> None:
    run = child(
        """
send(READ, struct.pack("<HQI", 0, 250, 10))
assert receive() == (DATA, bytes([250, 251, 252, 253, 254, 255, 0, 1, 2, 3]))
send(EVENT, json.dumps(dict(kind="step", text="reading", done=1, total=2)).encode())
send(RUN, struct.pack("<HQQh", 0, 512, 3, -1) + b"abc")
send(RUN, struct.pack("<HQQh", 0, 8192, 8192, 7))
send(DONE, json.dumps({**OUTCOME, "status": 1, "text": ["no"]}).encode())
"""
    )
    outcome = run()
    assert (outcome.status, outcome.text) == (1, ("no",))
    assert run.events == [Event(EventKind.STEP, "reading", 1, 2)]
    assert run.overlay.read(511, 5) == b"\xffabc\x03"
    assert run.overlay.read(8192, 8192) == b"\x07" * 8192
    assert run.overlay.base.read(8192, 2) == b"\0\1"


def test_the_childs_error_is_raised_as_what_it_was(child: Callable[[str], Run]) -> None:
    fault = '{"class": "BootConfigError", "what": "w", "where": "x", "advice": "a"}'
    with pytest.raises(BootConfigError, match="x: w"):
        child(f"send(FAULT, b'{fault}')")()


@pytest.mark.parametrize(("offset", "length"), [(SIZE, 1), (0, SIZE + 1), (2**63, 512)])
def test_a_read_outside_the_device_is_the_childs_fault_to_bear(
    child: Callable[[str], Run], offset: int, length: int
) -> None:
    run = child(f'send(READ, struct.pack("<HQI", 0, {offset}, {length})); kind, said = receive(); send(FAULT, said)')
    with pytest.raises(ImageError, match="lie outside"):
        run()


NONSENSE = {
    "a kind that is none": "parent.sendall(struct.pack('<BI', 99, 0))",
    "a frame longer than any": "parent.sendall(struct.pack('<BI', DATA, 2**32 - 1))",
    "a job": "send(JOB, b'{}')",
    "data that nobody asked for": "send(DATA, b'x')",
    "half a read request": "send(READ, b'abc')",
    "a read of no such device": "send(READ, struct.pack('<HQI', 9, 0, 512))",
    "a read of more than is served": "send(READ, struct.pack('<HQI', 0, 0, 2**31))",
    "half a run": "send(RUN, b'abc')",
    "a run for no such disk": "send(RUN, struct.pack('<HQQh', 1, 0, 3, -1) + b'abc')",
    "a run beyond the end": f"send(RUN, struct.pack('<HQQh', 0, {SIZE - 1}, 3, -1) + b'abc')",
    "a fill beyond the end": "send(RUN, struct.pack('<HQQh', 0, 0, 2**63, 0))",
    "a run of another length": "send(RUN, struct.pack('<HQQh', 0, 0, 4, -1) + b'abc')",
    "a fill with data": "send(RUN, struct.pack('<HQQh', 0, 0, 3, 0) + b'abc')",
    "a fill with no byte": "send(RUN, struct.pack('<HQQh', 0, 0, 3, 256))",
    "a negative fill": "send(RUN, struct.pack('<HQQh', 0, 0, 3, -2) + b'abc')",
    "an event that is no JSON": "send(EVENT, b'{')",
    "an event that is a list": "send(EVENT, b'[1]')",
    "an event of no known kind": """send(EVENT, b'{"kind": "x", "text": "", "done": 0, "total": 0}')""",
    "an event without end": """send(EVENT, b'{"kind": "step", "text": "", "done": Infinity, "total": 0}')""",
    "an outcome that is text": """send(DONE, b'"x"')""",
    "an outcome that is nothing": "send(DONE)",
    "an outcome in another encoding": r"send(DONE, b'\xff\xfe')",
    "an outcome with a document that is none": "send(DONE, json.dumps({**OUTCOME, 'document': '{'}).encode())",
    "an outcome with a document of another command": """send(DONE, json.dumps(
        {**OUTCOME, "document": dict(schema="bootgraft-reg-query/1", keys=[])}).encode())""",
    "an outcome of no known status": "send(DONE, json.dumps({**OUTCOME, 'status': 3}).encode())",
    "an outcome too deep to read": "send(DONE, b'[' * 200000)",
    "a fault that is a list": "send(FAULT, b'[]')",
    "a fault without its parts": """send(FAULT, b'{"class": "ImageError"}')""",
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_ends_the_work_even_where_the_child_lives_on(child: Callable[[str], Run], body: str) -> None:
    run = child(f"{body}\nsignal.pause()")
    with pytest.raises(ImageError) as caught:
        run()
    assert "sent an invalid reply" in caught.value.what
    assert caught.value.where == "disk0.raw"
    assert not run.overlay.changed


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed (SIGKILL)"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "was killed (SIGSEGV)"),
        ("os.kill(os.getpid(), signal.SIGSYS)", "was killed (SIGSYS), as a filter"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "used up its processor time"),
        ("os.kill(os.getpid(), signal.SIGRTMIN + 3)", f"was killed (signal {signal.SIGRTMIN + 3})"),
        ("sys.exit(7)", "ended with status 7"),
        ("send(READ, struct.pack('<HQI', 0, 0, 512)); os._exit(0)", "ended with status 0"),
        ("parent.sendall(b'\\x06'); sys.exit(1)", "ended with status 1"),
    ],
)
def test_a_child_that_dies(child: Callable[[str], Run], body: str, said: str) -> None:
    with pytest.raises(ImageError) as caught:
        child(body)()
    assert said in caught.value.what
    assert "Nothing was written" in caught.value.advice


@pytest.mark.parametrize(
    ("reads", "where", "others"),
    [
        ((), "disk0.raw, disk1.raw, sources, a.reg", None),
        ((0,), "disk0.raw", "disk1.raw, sources, a.reg"),
        ((0, 1), "disk1.raw", "disk0.raw, sources, a.reg"),
        ((1, 0), "disk0.raw", "disk1.raw, sources, a.reg"),
    ],
)
def test_a_crash_is_said_of_what_was_read_last(
    child: Callable[[str], Run], reads: Sequence[int], where: str, others: str | None
) -> None:
    body = "".join(f"send(READ, struct.pack('<HQI', {each}, 0, 512)); receive();" for each in reads)
    run = child(f"{body}os.kill(os.getpid(), signal.SIGSEGV)")
    sources = GivenSources(drivers=(DriverSource("disk1.raw", 1), DriverSource("sources")), reg_files=("a.reg",))
    job = msgspec.structs.replace(job_on(SIZE, SIZE), disks=1, sources=sources)
    with Worker() as worker, pytest.raises(ImageError) as caught:
        worker.run(job, [run.overlay.base] * 2, [run.overlay], silent)
    assert caught.value.where == where
    assert ("open, too, was" in caught.value.advice) is bool(others)
    assert caught.value.advice.endswith(others or "on a copy")


@pytest.mark.parametrize(
    ("body", "blamed"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", True),
        ("os.kill(os.getpid(), signal.SIGKILL)", False),
        ("sys.exit(1)", False),
    ],
)
def test_only_a_crash_is_blamed_on_the_volume(child: Callable[[str], Run], body: str, blamed: bool) -> None:
    with pytest.raises(ImageError) as caught:
        child(body)()
    assert ("damaged" in caught.value.what) is blamed
    assert ("chkdsk" in caught.value.advice) is blamed


def refuse(*_arguments: object, **_options: object) -> int:
    raise OSError(errno.EAGAIN, "Resource temporarily unavailable")


@pytest.mark.usefixtures("both_ways")
def test_a_child_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fork", refuse)
    monkeypatch.setattr(os, "posix_spawn", refuse)
    with pytest.raises(BootgraftError, match=r"cannot be started \(Resource temporarily unavailable\).*ulimit -a"):
        Worker()


def test_where_no_fork_is_to_be_had_the_child_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_has_other_threads", lambda: False)
    monkeypatch.setattr(os, "fork", refuse)
    started: list[int] = []

    def spawn(*arguments: Any, **options: Any) -> int:
        started.append(real(*arguments, **options))
        return started[-1]

    real = os.posix_spawn
    monkeypatch.setattr(os, "posix_spawn", spawn)
    with Worker() as worker:
        assert started == [worker._process.pid]


def test_a_child_that_hangs_up_and_lives_on_is_ended(
    child: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent_module, "_PATIENCE", 0.05)
    with pytest.raises(ImageError, match="SIGKILL"):
        child("parent.close(); signal.pause()")()


@pytest.mark.usefixtures("both_ways")
def test_closing_ends_a_child_that_waits() -> None:
    worker = Worker()
    pid = worker._process.pid
    worker.close()
    worker.close()
    assert not Path(f"/proc/{pid}").exists()


class Watching(Struct):
    """A device that looks at the child while that waits for its bytes."""

    device: MemoryDisk | SparseDisk
    look: Callable[[], None]

    @property
    def size(self) -> int:
        return self.device.size

    def read(self, offset: int, length: int, /) -> bytes:
        self.look()
        return self.device.read(offset, length)

    def write(self, offset: int, data: bytes, /) -> None:
        raise AssertionError(offset)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.usefixtures("both_ways")
def test_the_child_has_no_handle_to_the_image(server1: BuiltMachine) -> None:
    seen: set[tuple[str, str]] = set()
    limits: list[str] = []
    info = identify(str(server1.disk), format=ImageFormat.RAW)
    with open_image(info, writable=True) as image, Worker() as worker:
        running = Path(f"/proc/{worker._process.pid}")

        def look() -> None:
            for descriptor in (running / "fd").iterdir():
                seen.add((descriptor.name, str(descriptor.readlink())))
            limits.extend((running / "limits").read_text().splitlines())

        device = Watching(SparseDisk(server1.disk), look)
        job = job_on(image.device.size)
        outcome = worker.run(job, [device], [Overlay(image.device)], silent)
        assert os.getsid(worker._process.pid) == worker._process.pid  # it has no terminal, and Ctrl-C does not reach it
    assert outcome.status == 1
    assert isinstance(outcome.document, CheckDocument)
    assert outcome.document.stop_code == "0x7b"
    assert not [target for _, target in seen if str(server1.disk.parent) in target]
    assert {target for name, target in seen if name in ("0", "1")} == {"/dev/null"}
    assert [target.partition("[")[0] for name, target in seen if name == "2"] == ["pipe:"]
    others = {target for name, target in seen if name not in ("0", "1", "2")}
    nameless = {target for target in others if target.endswith(" (deleted)")}  # the overlay's temporary file
    assert len(nameless) <= 1
    assert len(others - nameless) == 1
    assert (others - nameless).pop().startswith("socket:")
    memory = {word for line in limits if line.startswith("Max address space") for word in line.split()[3:5]}
    assert all(2**31 < int(each) < 2**33 for each in memory)  # beyond what the process has when it is begun
    assert memory
    assert any(line.split()[:6] == ["Max", "core", "file", "size", "0", "0"] for line in limits)


@pytest.mark.usefixtures("both_ways")
def test_a_repair_through_a_real_child_changes_only_the_overlay(server1: BuiltMachine, donor: BuiltMachine) -> None:
    disks = [SparseDisk(server1.disk), SparseDisk(donor.disk)]
    overlay = Overlay(disks[0])
    specs = tuple(DeviceSpec(f"{name}.raw", "raw", disk.size) for name, disk in zip("ab", disks, strict=True))
    before = server1.disk.read_bytes()
    events: list[Event] = []
    with Worker() as worker:
        request = Request(operation=Operation.REPAIR, targets=(TARGET,))
        sources = GivenSources(drivers=(DriverSource("b.raw", 1),))
        job = Job(request=request, devices=specs, disks=1, sources=sources)
        outcome = worker.run(job, disks, [overlay], events.append)
    assert (outcome.status, outcome.proven) == (0, True)
    assert overlay.changed
    assert outcome.witnesses
    assert {event.kind for event in events} == {EventKind.STEP}
    assert server1.disk.read_bytes() == before
    with Worker() as worker:
        outcome = worker.run(job_on(overlay.size), [overlay], [Overlay(overlay)], silent)
    assert outcome.status == 0


@pytest.mark.usefixtures("both_ways")
def test_a_fault_of_our_own_is_one_error_and_its_traceback() -> None:
    spec = DeviceSpec("disk0.raw", "raw", SIZE)
    job = Job(request=Request(operation=Operation.CHECK), devices=(spec,), disks=0)  # a machine without disks
    events: list[Event] = []
    with Worker() as worker, pytest.raises(BootgraftError) as caught:
        worker.run(job, [MemoryDisk(bytearray(SIZE))], [], events.append)
    assert type(caught.value) is BootgraftError
    assert "bootgraft itself failed on it (IndexError" in caught.value.what
    assert [event.kind for event in events] == [EventKind.WARNING]
    assert "Traceback" in events[0].text


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("os.kill(os.getpid(), signal.SIGABRT)", EventKind.NOTE),  # as glibc ends what freed its memory twice
        ("sys.exit(1)", EventKind.WARNING),
        ("send(DONE, json.dumps(OUTCOME).encode())", EventKind.NOTE),
    ],
)
def test_what_a_library_says_is_told_when_the_child_has_ended(
    child: Callable[[str], Run], end: str, kind: EventKind
) -> None:
    run = child(f"os.write(2, b'free(): \\x1b[2J\\n'); {end}")
    with suppress(ImageError):
        run()
    assert run.events == [Event(kind, "the process that reads volumes wrote:\nfree(): \\x1b[2J")]


def test_what_the_cage_lacks_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_has_other_threads", lambda: False)
    monkeypatch.setattr(process, "shield", lambda: None)
    monkeypatch.setattr("bootgraft.worker.child.confine", lambda _sources: (reader.NO_LANDLOCK,))
    events: list[Event] = []
    with Worker() as worker, pytest.raises(BootgraftError):
        worker.run(job_on(SIZE), [MemoryDisk(bytearray(SIZE))], [Overlay(MemoryDisk(bytearray(SIZE)))], events.append)
    assert events[:1] == [Event(EventKind.NOTE, reader.NO_LANDLOCK)]


PARENT = """
import signal
from bootgraft.events import silent
from bootgraft.report.device import DeviceSpec
from bootgraft.report.documents.verdict import CheckDocument
from bootgraft.worker.ipc.job import Job, Operation, Request
from bootgraft.worker.ipc.parent import Worker

class Device:
    size = 65536
    def read(self, offset, length):
        print(worker._process.pid, flush=True)
        signal.pause()

worker = Worker()
job = Job(request=Request(operation=Operation.CHECK), devices=(DeviceSpec("x", "raw", 65536),), disks=1)
worker.run(job, [Device()], [], silent)
"""


@pytest.mark.parametrize("before", ["", "import threading; threading.Timer(60, print).start()"])
def test_the_child_ends_with_its_parent(before: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", before + PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        try:
            parent.kill()
            parent.wait()
            poll = select.poll()
            poll.register(child, select.POLLIN)
            assert poll.poll(30_000), "the child outlived its parent"
        finally:
            os.close(child)


class _StoppedError(BaseException):
    """What a handler of ours raises, as one for Ctrl-C does."""


@pytest.mark.parametrize("way", ["fork", "posix_spawn"])
def test_a_signal_while_it_is_started_leaves_no_child(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    real = getattr(os, way)

    def interrupted(*arguments: object, **settings: object) -> int:
        number: int = real(*arguments, **settings)
        if number:
            begun.append(number)
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)  # the test runner has more threads
        return number

    def stop(_number: int, _frame: object) -> None:
        raise _StoppedError

    monkeypatch.setattr(process, "_has_other_threads", lambda: way == "posix_spawn")
    monkeypatch.setattr(os, way, interrupted)
    before = set(Path("/proc/self/fd").iterdir())
    kept = signal.signal(signal.SIGTERM, stop)
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    try:
        with pytest.raises(_StoppedError):
            Worker()
    finally:
        signal.signal(signal.SIGTERM, kept)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == held
    with pytest.raises(ChildProcessError):  # it was waited for
        os.waitpid(begun[0], os.WNOHANG)
    assert set(Path("/proc/self/fd").iterdir()) == before
