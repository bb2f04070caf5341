"""Ways out of a cage: each function does the thing itself, and raises OSError where it is kept from it.

All are given the process that they come from, which has the image open, and the folder where the image lies.
"""

import ctypes
import fcntl
import os
import resource
import signal
import socket
import struct
import termios
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from bootgraft.confinement.syscalls import this_architecture

_LIBC = ctypes.CDLL(None, use_errno=True)
KNOWN = ctypes.create_string_buffer(b"what only the parent should know")
"""At the same address in the parent, from which the captive is forked."""
LIMIT = 64
"""Descriptors that a captive is limited to."""


class Captive(Struct, frozen=True):
    """What an escape has to do with: the process above, its descriptor of the image and its terminal, the folder."""

    parent: int
    image_descriptor: int
    terminal: int
    port: int
    folder: Path

    @property
    def image(self) -> Path:
        return self.folder / "disk.raw"


def checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def call(name: str, *values: object) -> int:
    architecture = this_architecture()
    assert architecture is not None
    arguments = [ctypes.c_long(each) if isinstance(each, int) else each for each in values]
    return checked(_LIBC.syscall(ctypes.c_long(architecture.numbers[name]), *arguments))


def read_a_secret(captive: Captive) -> None:
    (captive.folder / "secret").read_bytes()


def read_the_shadow(captive: Captive) -> None:
    Path("/etc/shadow").read_bytes()


def attach_to_the_parent(captive: Captive) -> None:
    attach, detach = 16, 17
    checked(_LIBC.ptrace(attach, captive.parent, None, None))
    os.waitpid(captive.parent, os.WUNTRACED)
    _LIBC.ptrace(detach, captive.parent, None, None)


class _Stretch(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def read_the_parents_memory(captive: Captive) -> None:
    got = ctypes.create_string_buffer(16)
    mine, theirs = _Stretch(ctypes.addressof(got), 16), _Stretch(ctypes.addressof(KNOWN), 16)
    checked(_LIBC.process_vm_readv(captive.parent, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0))
    assert got.raw == KNOWN.raw[:16]


def read_the_parents_memory_as_a_file(captive: Captive) -> None:
    with Path(f"/proc/{captive.parent}/mem").open("rb", buffering=0) as memory:
        memory.seek(ctypes.addressof(KNOWN))
        assert memory.read(16) == KNOWN.raw[:16]


def write_the_parents_memory(captive: Captive) -> None:
    with Path(f"/proc/{captive.parent}/mem").open("r+b", buffering=0) as memory:
        memory.seek(ctypes.addressof(KNOWN))
        memory.write(b"what")


def write_a_new_file(captive: Captive) -> None:
    (captive.folder / "new").write_bytes(b"x")


def make_a_nameless_file(captive: Captive) -> None:
    os.close(os.open(captive.folder, os.O_TMPFILE | os.O_RDWR))


def open_the_image_for_writing(captive: Captive) -> None:
    os.close(os.open(captive.image, os.O_RDWR))


def open_the_parents_descriptor(captive: Captive) -> None:
    os.close(os.open(f"/proc/{captive.parent}/fd/{captive.image_descriptor}", os.O_RDWR))


def take_the_parents_descriptor(captive: Captive) -> None:
    call("pidfd_getfd", call("pidfd_open", captive.parent, 0), captive.image_descriptor, 0)


def open_the_image_by_its_handle(captive: Captive) -> None:
    handle = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    at_current_folder = -100
    path = ctypes.c_char_p(os.fsencode(captive.image))
    call("name_to_handle_at", at_current_folder, path, handle, ctypes.byref(mount), 0)
    call("open_by_handle_at", at_current_folder, handle, os.O_RDONLY)


def truncate_the_image(captive: Captive) -> None:
    os.truncate(captive.image, captive.image.stat().st_size)


def link_the_image(captive: Captive) -> None:
    os.link(captive.image, captive.folder / "link")


def make_a_symbolic_link(captive: Captive) -> None:
    (captive.folder / "symbolic").symlink_to("disk.raw")


def rename_a_file(captive: Captive) -> None:
    (captive.folder / "spare").rename(captive.folder / "renamed")


def remove_a_file(captive: Captive) -> None:
    (captive.folder / "removable").unlink()


def make_a_folder(captive: Captive) -> None:
    (captive.folder / "folder").mkdir()


def make_a_pipe(captive: Captive) -> None:
    os.mkfifo(captive.folder / "pipe")


def change_the_images_mode(captive: Captive) -> None:
    captive.image.chmod(0o666)


def change_the_images_times(captive: Captive) -> None:
    os.utime(captive.image)


def connect_by_tcp(captive: Captive) -> None:
    with socket.socket() as connection:
        connection.connect(("127.0.0.1", captive.port))


def listen_by_tcp(captive: Captive) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()


def connect_to_a_socket_in_the_folder(captive: Captive) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(captive.folder / "s"))


def connect_to_an_abstract_socket(captive: Captive) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"\0bootgraft-escape-{captive.port}")


def become_another_program(captive: Captive) -> None:
    os.execv("/bin/true", ["true"])


def start_a_program(captive: Captive) -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def start_a_process(captive: Captive) -> None:
    number = os.fork()
    if number == 0:
        os._exit(0)
    os.waitpid(number, 0)


def end_the_parent(captive: Captive) -> None:
    os.kill(captive.parent, signal.SIGTERM)


def signal_the_parents_thread(captive: Captive) -> None:
    call("tgkill", captive.parent, captive.parent, signal.SIGTERM)


def have_a_socket_signal_the_parent(captive: Captive) -> None:
    one, other = os.pipe()
    fcntl.fcntl(one, fcntl.F_SETOWN, captive.parent)
    fcntl.fcntl(one, fcntl.F_SETFL, os.O_ASYNC)
    os.write(other, b"x")


def limit_the_parent(captive: Captive) -> None:
    resource.prlimit(captive.parent, resource.RLIMIT_CPU, (1, 1))


def raise_its_own_limit(captive: Captive) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * LIMIT, 2 * LIMIT))


def mount_something(captive: Captive) -> None:
    checked(_LIBC.mount(b"none", os.fsencode(captive.folder / "mountpoint"), b"tmpfs", 0, None))


def become_root_of_a_namespace(captive: Captive) -> None:
    new_user = 0x10000000
    call("unshare", new_user)


def have_calls_made_by_a_ring(captive: Captive) -> None:
    call("io_uring_setup", 1, ctypes.create_string_buffer(120))


def use_the_keyring(captive: Captive) -> None:
    get_keyring_id, of_the_process = 0, -2
    call("keyctl", get_keyring_id, of_the_process, 1)


def type_into_the_terminal(captive: Captive) -> None:
    fcntl.ioctl(captive.terminal, termios.TIOCSTI, b"x")


ESCAPES: dict[str, Callable[[Captive], None]] = {
    each.__name__: each
    for each in (
        read_a_secret,
        read_the_shadow,
        attach_to_the_parent,
        read_the_parents_memory,
        read_the_parents_memory_as_a_file,
        write_the_parents_memory,
        write_a_new_file,
        make_a_nameless_file,
        open_the_image_for_writing,
        open_the_parents_descriptor,
        take_the_parents_descriptor,
        open_the_image_by_its_handle,
        truncate_the_image,
        link_the_image,
        make_a_symbolic_link,
        rename_a_file,
        remove_a_file,
        make_a_folder,
        make_a_pipe,
        change_the_images_mode,
        change_the_images_times,
        connect_by_tcp,
        listen_by_tcp,
        connect_to_a_socket_in_the_folder,
        connect_to_an_abstract_socket,
        become_another_program,
        start_a_program,
        start_a_process,
        end_the_parent,
        signal_the_parents_thread,
        have_a_socket_signal_the_parent,
        limit_the_parent,
        raise_its_own_limit,
        mount_something,
        become_root_of_a_namespace,
        have_calls_made_by_a_ring,
        use_the_keyring,
        type_into_the_terminal,
    )
}
