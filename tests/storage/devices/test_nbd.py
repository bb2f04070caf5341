"""NBD devices against nbdkit and qemu-nbd, and the bindings against libnbd's declarations."""

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storage.nbdservers import nbdkit, serve, tcp_listener, unix_listener

from bootgraft.errors import ImageError, MissingDependencyError, ReadOnlyError
from bootgraft.storage.devices import _libnbd, _libnbd_build, nbd
from bootgraft.storage.devices.nbd import open_uri
from bootgraft.storage.devices.patience import limited

MIB = 2**20


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[str]:
    with nbdkit(tmp_path, "memory", "1M") as uri:
        yield uri


def test_the_generated_module_is_what_the_declarations_say() -> None:
    generated = _libnbd_build.generate()
    version = f"_version = {_libnbd_build.TARGET.read_text().split('_version = ')[1].split(',')[0]}"
    if version not in generated:
        pytest.skip("this cffi writes another version of its format")
    assert generated == _libnbd_build.TARGET.read_text()


def test_every_declared_function_is_in_the_library() -> None:
    library = _libnbd.ffi.dlopen("libnbd.so.0")
    for line in _libnbd_build.DECLARATIONS.split(";"):
        if "(" in line and "nbd_" in line.split("(")[0]:
            assert getattr(library, line.split("(")[0].split()[-1].lstrip("*"))


def test_reads_what_it_wrote(memory: str) -> None:
    with open_uri(memory, writable=True) as device:
        assert device.size == MIB
        assert device.can_flush
        assert not device.read_only
        assert device.server_pid is None
        device.write(1001, b"hello")
        device.write(MIB - 3, b"end")
        device.write(5, b"")
        device.flush()
        assert device.read(1000, 7) == b"\0hello\0"
        assert device.read(MIB - 4, 4) == b"\0end"
        assert device.read(MIB, 0) == b""
    device.close()
    with open_uri(memory, writable=False) as device:
        assert device.read(1001, 5) == b"hello"


def test_qemu_nbd_over_tcp_with_an_export_name(tmp_path: Path) -> None:
    image = tmp_path / "disk.raw"
    image.write_bytes(bytes(MIB))
    listener, port = tcp_listener()
    with serve(["qemu-nbd", "-t", "-e2", "-f", "raw", "-x", "disk one", str(image)], listener):
        with open_uri(f"nbd://127.0.0.1:{port}/disk%20one", writable=True) as device:
            device.write(MIB - 2, b"ab")
            device.flush()
            assert image.read_bytes()[-3:] == b"\0ab"
        with pytest.raises(ImageError, match="no export named 'other'") as caught:
            open_uri(f"nbd://127.0.0.1:{port}/other", writable=False)
        assert "nbdinfo" in caught.value.advice


def test_qemu_nbd_on_a_unix_socket(tmp_path: Path) -> None:
    image = tmp_path / "disk.raw"
    image.write_bytes(b"x" * MIB)
    command = ["qemu-nbd", "-t", "--read-only", "-f", "raw", str(image)]
    with serve(command, unix_listener(tmp_path / "s")):
        uri = f"NBD+UNIX:///?socket={tmp_path}/s"
        with open_uri(uri, writable=False) as device:
            assert device.read(0, MIB) == b"x" * MIB
            device.flush()
            with pytest.raises(ReadOnlyError):
                device.write(0, b"y")
        with pytest.raises(ReadOnlyError, match="read-only"):
            open_uri(uri, writable=True)


def test_a_server_without_flush_is_not_written_to(tmp_path: Path) -> None:
    plugin = ["eval", "get_size=echo 1M", "pread=head -c $3 /dev/zero", "pwrite=cat >/dev/null", "can_write=exit 0"]
    with nbdkit(tmp_path, *plugin) as uri:
        with pytest.raises(ReadOnlyError, match="flush") as caught:
            open_uri(uri, writable=True)
        assert "qemu-nbd" in caught.value.advice
        with open_uri(uri, writable=False) as device:
            assert not device.can_flush
            assert device.read(0, 10) == bytes(10)


@pytest.mark.parametrize("uri", ["http://host/disk", "nbd", "/nbd:", "server1.vmdk", "nbdx://host"])
def test_other_uris_are_refused(uri: str) -> None:
    with pytest.raises(ImageError, match="not an NBD URI"):
        open_uri(uri, writable=False)


@pytest.mark.parametrize(
    "uri", ["nbd://127.0.0.1:1/", "nbd+unix:///?socket=/nonexistent/socket", "nbd+unix:///", "nbd://127.0.0.1:port/"]
)
def test_nobody_there_is_said(uri: str) -> None:
    with pytest.raises(ImageError, match=r"cannot be used: (connect|cannot parse|unable)") as caught:
        open_uri(uri, writable=False)
    assert caught.value.where == uri


def test_tls_is_not_left_out_where_the_uri_asks_for_it(memory: str) -> None:
    with pytest.raises(ImageError, match="TLS"):
        open_uri(memory.replace("nbd+unix", "nbds+unix"), writable=False)


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (MIB, 1), (0, MIB + 1), (5, -1)])
def test_outside_the_device_is_refused(memory: str, offset: int, length: int) -> None:
    with open_uri(memory, writable=True) as device:
        with pytest.raises(ImageError, match="outside"):
            device.read(offset, length)
        if length > 0:
            with pytest.raises(ImageError, match="outside"):
                device.write(offset, bytes(length))


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, bytearray]]:
    """A server that refuses requests which are not of whole 4 KiB blocks, or are larger than 64 KiB; its content."""
    policy = ["blocksize-minimum=4096", "blocksize-preferred=4096", "blocksize-maximum=65536"]
    arguments = ["--filter=blocksize-policy", "memory", "256K", *policy, "blocksize-error-policy=error"]
    with nbdkit(tmp_path_factory.mktemp("strict"), *arguments) as uri:
        yield uri, bytearray(256 * 1024)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_requests_fit_the_blocks_that_the_server_takes(
    strict_server: tuple[str, bytearray], data: st.DataObject
) -> None:
    uri, model = strict_server
    with open_uri(uri, writable=True) as device:
        for _ in range(5):
            offset = data.draw(st.integers(0, device.size))
            length = data.draw(st.integers(0, min(100_000, device.size - offset)))
            assert device.read(offset, length) == model[offset : offset + length]
            content = data.draw(st.binary(max_size=50)) * data.draw(st.sampled_from([1, 100, 4000]))
            content = content[: device.size - offset]
            device.write(offset, content)
            model[offset : offset + len(content)] = content
        assert device.read(0, device.size) == model


def test_requests_are_cut_where_no_limit_is_stated(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nbd, "CHUNK", 1000)
    content = bytes(range(250)) * 100
    with open_uri(memory, writable=True) as device:
        device.write(77, content)
        assert device.read(77, len(content)) == content
        assert device.read(0, 77) == bytes(77)


def test_a_bad_sector_is_an_error_and_the_rest_still_reads(tmp_path: Path) -> None:
    program = 'if [ "$4" -ge 524288 ]; then echo EIO bad sector >&2; exit 1; fi; head -c $3 /dev/zero'
    with (
        nbdkit(tmp_path, "eval", "get_size=echo 1M", f"pread={program}") as uri,
        open_uri(uri, writable=False) as device,
    ):
        with pytest.raises(ImageError, match="Input/output error"):
            device.read(600_000, 512)
        assert device.read(0, 512) == bytes(512)


def test_a_server_that_hangs_does_not_hang_us(tmp_path: Path) -> None:
    with nbdkit(tmp_path, "--filter=delay", "memory", "1M", "rdelay=600") as uri:
        with open_uri(uri, writable=True) as device:
            with limited(0.05), pytest.raises(ImageError, match=r"no answer in 0\.05 seconds to a read of 512 bytes"):
                device.read(0, 512)
            with pytest.raises(ImageError, match="broken off"):
                device.read(0, 512)
            with pytest.raises(ImageError, match="broken off"):
                device.flush()
        with pytest.raises(ImageError, match="closed"):
            device.read(0, 512)


def test_a_server_that_does_not_greet_does_not_hang_us(tmp_path: Path) -> None:
    with limited(0.05), unix_listener(tmp_path / "s") as listener:
        listener.listen()
        with pytest.raises(ImageError, match=r"no answer in 0\.05 seconds"):
            open_uri(f"nbd+unix:///?socket={tmp_path}/s", writable=False)


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"NBDMAGIC" + bytes(200), b"\xff" * 400]
)
def test_a_server_of_something_else_is_an_error(tmp_path: Path, greeting: bytes) -> None:
    with unix_listener(tmp_path / "s") as listener:
        listener.listen()
        server = threading.Thread(target=lambda: greet(listener, greeting))
        server.start()
        with pytest.raises(ImageError, match="cannot be used"):
            open_uri(f"nbd+unix:///?socket={tmp_path}/s", writable=False)
        server.join()


def greet(listener: socket.socket, greeting: bytes) -> None:
    connection = listener.accept()[0]
    with connection, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(greeting)


def test_ctrl_c_is_answered_in_the_middle_of_a_request(tmp_path: Path) -> None:
    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        server = nbdkit(tmp_path, "--filter=delay", "memory", "1M", "rdelay=600")
        with server as uri, open_uri(uri, writable=False) as device:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(KeyboardInterrupt):
                device.read(0, MIB)
            with pytest.raises(ImageError, match="broken off"):
                device.read(0, 512)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoLibrary:
        def dlopen(self, name: str) -> None:
            raise OSError(f"cannot load library '{name}'")

    nbd._library.cache_clear()
    monkeypatch.setattr(_libnbd, "ffi", NoLibrary())
    with pytest.raises(MissingDependencyError) as caught:
        open_uri("nbd://127.0.0.1:1/", writable=False)
    assert "libnbd0" in caught.value.advice
    nbd._library.cache_clear()
