"""Frames between the two processes: what goes in comes out, and what is no frame is refused."""

import ast
import inspect
import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft import errors
from bootgraft.errors import BootgraftError, ImageError, ReadOnlyError
from bootgraft.worker.ipc import channel as channel_module
from bootgraft.worker.ipc.channel import (
    MAX_PAYLOAD,
    MAX_READ,
    READ_REQUEST,
    Channel,
    ChannelClosedError,
    Frame,
    ProxyDevice,
    decode_error,
    encode_error,
)

FAMILY = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, BootgraftError)
]  # every class that errors.py defines


@contextmanager
def pair() -> Iterator[tuple[Channel, Channel]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours), Channel(theirs)


@contextmanager
def raw_pair() -> Iterator[tuple[socket.socket, Channel]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, Channel(theirs)


@given(frames=st.lists(st.tuples(st.sampled_from(Frame), st.lists(st.binary(max_size=300), max_size=3)), max_size=5))
@settings(max_examples=60, deadline=None)
def test_frames_come_out_as_they_went_in(frames: list[tuple[Frame, list[bytes]]]) -> None:
    with pair() as (one, other):
        for frame, payload in frames:
            one.send(frame, *payload)
        assert [other.receive() for _ in frames] == [(frame, b"".join(payload)) for frame, payload in frames]


def test_a_frame_larger_than_the_socket_buffer() -> None:
    payload = bytes(range(256)) * 40_000
    with pair() as (one, other):
        sender = threading.Thread(target=one.send, args=(Frame.DATA, payload))
        sender.start()
        assert other.receive() == (Frame.DATA, payload)
        sender.join()


@pytest.mark.parametrize("kind", [0, 9, 255])
def test_a_frame_of_no_known_kind_is_nonsense(kind: int) -> None:
    with raw_pair() as (one, other):
        one.sendall(struct.pack("<BI", kind, 0))
        with pytest.raises(ValueError, match=str(kind)):
            other.receive()


def test_a_frame_longer_than_any_is_refused_before_memory_is_taken() -> None:
    with raw_pair() as (one, other):
        one.sendall(struct.pack("<BI", Frame.DATA, MAX_PAYLOAD + 1))
        with pytest.raises(ValueError, match="a frame of"):
            other.receive()


@pytest.mark.parametrize("sent", [b"", b"\x03", struct.pack("<BI", Frame.DATA, 10), struct.pack("<BI", 3, 10) + b"123"])
def test_the_end_of_the_connection_is_reported_wherever_it_comes(sent: bytes) -> None:
    with raw_pair() as (one, other):
        one.sendall(sent)
        one.close()
        with pytest.raises(ChannelClosedError):
            other.receive()


def test_sending_to_nobody() -> None:
    with pair() as (one, other):
        other.close()
        with pytest.raises(ChannelClosedError) as caught:
            one.send(Frame.EVENT, b"{}")
    assert "Nothing was written" in caught.value.advice


@pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.__name__)
def test_every_error_arrives_as_what_it_was(kind: type[BootgraftError]) -> None:
    error = kind("it is broken", where="disk 0 partition 2: \\WÜRST", advice="Repair it")
    arrived = decode_error(encode_error(error))
    assert type(arrived) is kind
    assert (arrived.what, arrived.where, arrived.advice) == (error.what, error.where, error.advice)
    assert arrived.exit_status == error.exit_status
    assert arrived.id == error.id == kind.usual_id


def test_an_id_of_its_own_arrives_and_an_unknown_one_does_not() -> None:
    error = ImageError("it is broken", where="disk 0", advice="Fix it", id="image-missing")
    assert decode_error(encode_error(error)).id == "image-missing"
    assert decode_error(encode_error(error).replace(b"image-missing", b"image-mossing")).id == "image-unusable"


@given(text=st.text(st.characters(exclude_categories=[]), max_size=40))
@settings(max_examples=60, deadline=None)
def test_errors_keep_any_text(text: str) -> None:
    error = ImageError(text, where=text, advice=text)
    assert decode_error(encode_error(error)).what == text


@pytest.mark.parametrize("name", ["SystemExit", "__name__", "__doc__", "NoSuchError", ""])
def test_an_error_of_another_family_is_only_a_bootgraft_error(name: str) -> None:
    payload = json.dumps({"class": name, "what": "w", "where": "x", "advice": "a"}).encode()
    assert type(decode_error(payload)) is BootgraftError


def test_an_error_class_of_another_module_comes_out_as_its_family() -> None:
    assert type(decode_error(encode_error(ChannelClosedError("a", where="b", advice="c")))) is BootgraftError


def answering(parent: Channel, data: bytes, asked: list[tuple[int, int, int]]) -> threading.Thread:
    """A parent that serves one device until the connection ends."""

    def serve() -> None:
        while True:
            try:
                _, payload = parent.receive()
            except ChannelClosedError:
                return
            number, offset, length = READ_REQUEST.unpack(payload)
            asked.append((number, offset, length))
            parent.send(Frame.DATA, data[offset : offset + length])

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_a_proxy_reads_what_the_parent_has() -> None:
    data = bytes(range(200))
    asked: list[tuple[int, int, int]] = []
    ours, theirs = socket.socketpair()
    with theirs:
        thread = answering(Channel(ours), data, asked)
        device = ProxyDevice(Channel(theirs), 3, len(data), "image")
        assert device.size == 200
        assert device.read(0, 200) == data
        assert device.read(7, 5) == data[7:12]
        assert device.read(200, 0) == b""
    thread.join()
    ours.close()
    assert asked == [(3, 0, 200), (3, 7, 5)]


def test_a_long_read_is_asked_for_in_pieces() -> None:
    size = MAX_READ + 1000
    asked: list[tuple[int, int, int]] = []
    ours, theirs = socket.socketpair()
    with theirs:
        thread = answering(Channel(ours), bytes(size), asked)
        assert len(ProxyDevice(Channel(theirs), 0, size, "image").read(0, size)) == size
    thread.join()
    ours.close()
    assert asked == [(0, 0, MAX_READ), (0, MAX_READ, 1000)]


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, -1), (0, 101), (100, 1), (2**63, 1)])
def test_a_proxy_never_asks_for_what_lies_outside(offset: int, length: int) -> None:
    with pair() as (one, _other), pytest.raises(ImageError) as caught:
        ProxyDevice(one, 0, 100, "server1.vmdk").read(offset, length)
    assert caught.value.where == "server1.vmdk"


def test_the_parents_fault_is_raised_in_the_child() -> None:
    with pair() as (parent, child):
        parent.send(Frame.FAULT, encode_error(ImageError("bad sector", where="server1.vmdk", advice="Copy it")))
        with pytest.raises(ImageError, match="bad sector"):
            ProxyDevice(child, 0, 100, "server1.vmdk").read(0, 10)


@pytest.mark.parametrize(("frame", "payload"), [(Frame.DATA, b"123"), (Frame.DONE, b"1234567890")])
def test_an_answer_that_is_invalid_ends_the_connection(frame: Frame, payload: bytes) -> None:
    with pair() as (parent, child):
        parent.send(frame, payload)
        with pytest.raises(ChannelClosedError):
            ProxyDevice(child, 0, 100, "server1.vmdk").read(0, 10)


def test_a_proxy_cannot_write() -> None:
    with pair() as (one, _other):
        device = ProxyDevice(one, 0, 100, "server1.vmdk")
        with pytest.raises(ReadOnlyError):
            device.write(0, b"x")
        device.flush()
        device.close()


def test_nothing_here_unpickles() -> None:
    forbidden = {"pickle", "marshal", "shelve", "multiprocessing", "dill", "cloudpickle"}
    source = Path(inspect.getfile(channel_module)).parents[2]
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
                names = {each.name.partition(".")[0] for each in node.names} | {module.partition(".")[0]}
                assert not names & forbidden, f"{path}:{node.lineno}"
