"""Image formats through qemu: ``qemu-nbd`` as a child that nobody but us can reach and that ends when we do.

``qemu-nbd`` takes its listening socket as a systemd service does (LISTEN_FDS, LISTEN_PID, descriptor 3; see
sd_listen_fds(3) and qemu-nbd(8)). Without ``-t`` it ends when its only client disconnects, but only once that client
got through the negotiation; before that it would wait for another one for ever. Until then a watching shell, which
sees the end of a pipe that only we hold open, ends it.
"""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from bootgraft.confinement.server import ServedFile, ServerCage
from bootgraft.errors import DamagedImageError, ImageError, ImageInUseError, MissingDependencyError, ReadOnlyError
from bootgraft.storage.devices.nbd import Connection, NbdDevice
from bootgraft.storage.devices.patience import seconds_to_wait
from bootgraft.storage.newfile import create_new

EXIT_TIMEOUT = 120.0
"""Seconds for qemu-nbd to write out its caches and end after the last request."""

BROKEN_EXIT_TIMEOUT = 2.0
"""Seconds for qemu-nbd to end by itself after the connection broke; then it is killed."""

KILL_TIMEOUT = 10.0
"""Seconds for a killed qemu-nbd to be gone."""

_QUOTE_LIMIT = 2000  # characters of qemu's that an error message quotes

_CUT_SHORT = (
    "The image is cut short or damaged: copy the whole file again from where it came from ('qemu-img check' tests it)"
)

_SYMPTOMS: Final[tuple[tuple[str, type[ImageError], str], ...]] = (
    (
        'write" lock',  # Failed to get "write" lock; Failed to get shared "write" lock
        ImageInUseError,
        "Shut the virtual machine down, and end every other program that has the image open ('lsof IMAGE' names them)",
    ),
    ("log that needs to be replayed", ReadOnlyError, "Replay it first: qemu-img check -r all IMAGE, on a copy"),
    ("Permission denied", ReadOnlyError, "Run as a user who may read and write the image, or change its permissions"),
    ("Read-only file system", ReadOnlyError, "Copy the image to storage that can be written, or use --overlay"),
    ("No such file or directory", ImageError, "A file that belongs to the image is missing; put it back in its place"),
    ("end of file", DamagedImageError, _CUT_SHORT),  # VHDX BAT entry N end offset M points after end of file
    ("reading from file failed", DamagedImageError, _CUT_SHORT),
    ("Unknown driver", ImageError, "This build of qemu lacks the format; install the full package qemu-utils"),
    ("not whitelisted", ImageError, "This build of qemu lacks the format; install the full package qemu-utils"),
    (
        "no answer in",
        ImageError,
        "Its storage does not answer: look for a network or disk that hangs (dmesg), or give --timeout SECONDS",
    ),
    (
        "Cannot fork",
        ImageError,
        "Raise the limits on processes and memory ('ulimit -a' shows them), and try again",
    ),
    ("No space left on device", ImageError, "Free space on the storage that holds the image, then try again"),
)

# Descriptors 0 and 1 arrive as the listening socket and the watched pipe: the two that a shell surely can take.
_LAUNCH = """
exec 3<&0 4<&1 </dev/null >/dev/null
(exec 3<&-; read -r connected <&4 || kill -KILL $$) &
exec 4<&-
export LISTEN_PID=$$ LISTEN_FDS=1
exec "$@"
"""


class Backing(Struct, frozen=True):
    """One image of a backing chain: its file and qemu's name of its format."""

    path: Path
    driver: str


def open_qemu(
    path: Path,
    driver: str,
    *,
    writable: bool,
    backing: Sequence[Backing] = (),
    parts: Sequence[Path] = (),
    below: Sequence[Path] = (),
) -> NbdDevice:
    """Open an image file in one of qemu's formats.

    ``driver`` is qemu's name of the format (raw, qcow2, vmdk, vpc, vhdx, vdi): qemu never guesses it. ``backing``
    lists the images below it, the nearest first; they are opened read-only, in place of what the image's header says.
    ``parts`` are the other files that the image itself is made of, ``below`` those of the images below it. qemu-nbd can
    reach these files and no others.
    A VHD's size is taken from its "current size" field rather than from its CHS geometry, which other makers round.

    Raises:
        ImageError: qemu cannot open it; the message quotes what qemu says.
        ImageInUseError: another process has it open.
        ReadOnlyError: ``writable`` is wanted and the file's permissions do not allow it.
        MissingDependencyError: qemu-nbd or libnbd is not installed.
    """
    options = _block_options("", path, driver)
    for depth, image in enumerate(backing, start=1):
        options += _block_options("backing." * depth, image.path, image.driver)
    arguments = [find_program("qemu-nbd"), "--image-opts", "--cache=writeback", "--discard=ignore"]
    arguments += ["--detect-zeroes=off", *([] if writable else ["--read-only"]), ",".join(options)]
    files = [ServedFile(os.fspath(each), writable) for each in (path, *parts)]
    files += [ServedFile(os.fspath(each)) for each in (*(image.path for image in backing), *below)]
    with ServerCage(arguments[0], files) as cage:
        server, client = _start(arguments, path, cage, writable=writable)
    try:
        connection = Connection(server.explain)
        try:
            connection.connect_socket(client.detach())
        except BaseException:
            connection.close()
            raise
    except BaseException:
        client.close()
        server.kill()
        raise
    server.release()
    return NbdDevice(connection, where=str(path), writable=writable, server=server)


def create_overlay(out: Path, backing: Path, backing_driver: str, below: Sequence[Path] = ()) -> None:
    """Create a qcow2 image over ``backing``, in qemu's format ``backing_driver``.

    ``below`` are the other files that the backing image and those below it are made of: qemu-img can reach these and
    the two images, and no others.
    A backing file in the overlay's own folder is recorded by a relative name, so that the two can be moved together.
    How a VHD's size is found is recorded with it; see ``open_qemu``.

    Raises:
        ImageError: ``out`` exists already (it is never overwritten), or qemu-img fails; the message quotes it.
        MissingDependencyError: qemu-img is not installed.
    """
    program = find_program("qemu-img")
    try:
        os.close(create_new(out))
    except FileExistsError as error:
        advice = "Choose another name, or delete it if it is not needed"
        raise ImageError("the overlay exists already", where=str(out), advice=advice, id="output-exists") from error
    except OSError as error:
        advice = "Choose a folder that can be written"
        raise ImageError(
            f"the overlay cannot be created: {error.strerror}", where=str(out), advice=advice, id="output-failed"
        ) from error
    recorded = _recorded_name(out, backing, backing_driver)
    arguments = [program, "create", "-q", "-f", "qcow2", "-b", recorded, "-F", backing_driver]
    files = [ServedFile(os.fspath(out), writable=True), *(ServedFile(os.fspath(each)) for each in (backing, *below))]
    patience = seconds_to_wait()
    try:
        with ServerCage(program, files) as cage:
            done = subprocess.run(
                [*arguments, os.path.abspath(out)],  # noqa: PTH100  (Path.absolute keeps "..")
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=_environment(),
                preexec_fn=cage.enter,  # as with qemu-nbd
                timeout=patience,
                check=False,
            )
    except BaseException as error:
        out.unlink(missing_ok=True)
        if isinstance(error, subprocess.TimeoutExpired):
            fault = f"no answer in {patience:.3g} seconds"
            raise explain_qemu("", fault=fault, where=str(out), program="qemu-img") from error
        raise
    if done.returncode != 0:
        out.unlink(missing_ok=True)
        said = tidy(done.stderr[:_QUOTE_LIMIT].decode("utf-8", "backslashreplace"))
        raise explain_qemu(said, fault=_status(done.returncode), where=str(out), program="qemu-img")


def _recorded_name(out: Path, backing: Path, driver: str) -> str:
    """The backing file as the overlay's header names it."""
    absolute = os.path.abspath(backing)  # noqa: PTH100  (Path.absolute keeps "..")
    if driver == "vpc":
        file = {"driver": "file", "filename": absolute}
        return "json:" + json.dumps({"driver": driver, "force_size_calc": "current_size", "file": file})
    if Path(absolute).parent == Path(os.path.abspath(out)).parent:  # noqa: PTH100
        return f"./{backing.name}"  # "./" keeps a colon in the name from being read as a protocol
    return absolute


def find_program(name: str) -> str:
    """Return the path of one of qemu's programs. Raises MissingDependencyError where it is not installed."""
    for folder in os.get_exec_path():
        program = os.path.join(folder, name)  # noqa: PTH118  (no Path: PATH may hold what Path would change)
        if os.access(program, os.X_OK):
            return program
    raise MissingDependencyError(
        f"the program {name} is not installed",
        where=name,
        advice="Install the package qemu-utils (Debian, Ubuntu), qemu-img (Fedora, RHEL) or qemu-tools (SUSE). Without "
        "it only raw images, block devices and flat VMDK extents can be opened",
    )


def _block_options(prefix: str, path: Path, driver: str) -> list[str]:
    """The --image-opts of one node, with the protocol below it spelled out: nothing is left to qemu's probing."""
    protocol = "host_device" if _is_device(path) else "file"
    filename = os.path.abspath(path).replace(",", ",,")  # noqa: PTH100  (Path.absolute keeps "..")
    options = [f"{prefix}driver={driver}", f"{prefix}file.driver={protocol}", f"{prefix}file.filename={filename}"]
    return [*options, f"{prefix}force_size_calc=current_size"] if driver == "vpc" else options


def _is_device(path: Path) -> bool:
    try:
        return stat.S_ISBLK(path.stat().st_mode)
    except OSError:
        return False  # qemu will say what is wrong with it


def _start(arguments: list[str], path: Path, cage: ServerCage, *, writable: bool) -> tuple["QemuNbd", socket.socket]:
    """Start qemu-nbd; return it and the client's end of the connection.

    The socket has no name in any file system, so there is none to leave behind; and no other process can get at it:
    with a backlog of 0 the queue is full with the one connection that we make ourselves, and after the shutdown no
    further one is taken, while the queued one is still there for qemu-nbd to accept (unix(7); Linux).
    """
    lifeline, held = os.pipe()
    said, speaking = os.pipe()
    os.set_blocking(said, False)
    os.set_blocking(speaking, False)  # qemu loses what no longer fits rather than stop its work
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind("")  # Linux picks a free abstract name
            listener.listen(0)
            client.settimeout(0)  # a full queue is an error, not something to wait for
            client.connect(listener.getsockname())
            listener.shutdown(socket.SHUT_RD)
            process = subprocess.Popen(
                ["/bin/sh", "-c", _LAUNCH, "qemu-nbd", *arguments],
                stdin=listener.fileno(),
                stdout=lifeline,
                stderr=speaking,
                env=_environment(),
                preexec_fn=cage.enter,  # some system calls, with everything imported: no lock that a thread may hold
                start_new_session=True,  # Ctrl-C is ours to answer; it must not stop qemu in the middle of a write
            )
    except OSError as error:
        for descriptor in (held, said):
            os.close(descriptor)
        client.close()
        raise ImageError(
            f"qemu-nbd cannot be started: {error.strerror}",
            where=str(path),
            advice="Raise the limits on processes, memory and open files ('ulimit -a' shows them), and try again",
        ) from error
    finally:
        os.close(lifeline)
        os.close(speaking)
    return QemuNbd(process, said=said, held=held, path=path, options=arguments[-1], writable=writable), client


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C", "LC_ALL": "C"}


class QemuNbd:
    """A running qemu-nbd: the Server of an NbdDevice.

    ``said`` is the pipe that its standard error comes through, ``held`` the one that keeps it alive until ``release``.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], *, said: int, held: int, path: Path, options: str, writable: bool
    ) -> None:
        self._process = process
        self._said = said
        self._held = held
        self._text = ""
        self._path = path
        self._options = options
        self._writable = writable

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def release(self) -> None:
        """Send the watching shell away: from the negotiation's end on, qemu-nbd ends when its client does."""
        held, self._held = self._held, -1
        if held >= 0:
            with contextlib.suppress(BrokenPipeError):  # somebody killed the watcher
                os.write(held, b"\n")
            os.close(held)

    def explain(self, fault: str, /, *, lost: bool) -> ImageError:
        """Turn libnbd's ``fault`` into an error that quotes qemu-nbd; where it is ``lost``, its last words included."""
        if lost and self._wait(BROKEN_EXIT_TIMEOUT):
            fault = f"{fault} ({_status(self._process.returncode)})"
        return explain_qemu(self._listen(), fault=fault, where=str(self._path), program="qemu-nbd")

    def finish(self, *, broken: bool) -> None:
        """Wait for its end, for long only where nothing went wrong before; then kill it. It is reaped in any case.

        Raises:
            ImageError: the image was open for writing, and qemu-nbd did not end in good order.
        """
        ended = self._wait(BROKEN_EXIT_TIMEOUT if broken else EXIT_TIMEOUT)
        self.kill()
        status = self._process.returncode
        if self._writable and not broken and status != 0:
            fault = _status(status) if ended else f"it did not end in {EXIT_TIMEOUT:g} seconds"
            raise ImageError(
                f"qemu-nbd did not close the image cleanly: {self._listen() or fault}",
                where=str(self._path),
                advice="Run the same command again: it compares the image with the journal and says how to go on",
            )

    def kill(self) -> None:
        """End it at once, where it has not ended yet, and reap it; a second call does nothing."""
        if self._process.poll() is None:
            self._process.kill()
        self.release()  # before the process id is given back: the watcher would kill whoever gets it next
        # Storage that hangs below it keeps even a killed process; it ends when that answers.
        self._wait(KILL_TIMEOUT)
        self._listen()
        if self._said >= 0:
            os.close(self._said)
            self._said = -1

    def _wait(self, timeout: float) -> bool:
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _listen(self) -> str:
        """All that it said so far, as one line."""
        if self._said >= 0:
            with contextlib.suppress(BlockingIOError):
                while part := os.read(self._said, 65536):
                    self._text = (self._text + part.decode("utf-8", "backslashreplace"))[:_QUOTE_LIMIT]
        return tidy(self._text.replace(f"Failed to blk_new_open '{self._options}': ", ""))


def tidy(said: str) -> str:
    """What one of qemu's programs said, in one line and without its own name and control characters."""
    lines = (line.removeprefix("qemu-nbd: ").removeprefix("qemu-img: ").strip() for line in said.splitlines())
    text = ", ".join(line.rstrip(".") for line in lines if line)
    return "".join(character if character.isprintable() else "?" for character in text)


def explain_qemu(said: str, *, fault: str, where: str, program: str) -> ImageError:
    """Make an error out of what one of qemu's programs ``said`` (see ``tidy``), or of ``fault`` where it was silent."""
    words = f"{program} says: {said}" if said else f"{program} failed: {fault}"
    for symptom, kind, advice in _SYMPTOMS:
        if symptom in (said or fault):
            return kind(words, where=where, advice=advice)
    return ImageError(words, where=where, advice="Check the image with 'qemu-img info' and 'qemu-img check'")


def _status(status: int) -> str:
    """Say how a process ended, by its returncode as subprocess gives it."""
    if status >= 0:
        return f"it ended with status {status}"
    try:
        return f"it was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"it was killed by signal {-status}"
