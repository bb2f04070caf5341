"""Tries all escapes, each out of a process of its own; prints what came of them as JSON. A program of its own.

Arguments: whose cage it is (``reader``, ``command``, or ``server``, which may write the image), the folder to work in,
which version of Landlock to make do with (empty: this kernel's; ``none``: no cage at all), the user to be, and the
sources that a reader may read.
"""

import json
import os
import pty
import resource
import signal
import socket
import sys
from pathlib import Path

from tests.confinement.escapes import ESCAPES, LIMIT, Captive

from bootgraft.confinement import command, kernel, landlock, reader
from bootgraft.confinement.server import ServedFile, ServerCage

ESCAPED = "escaped"


def _try(name: str, folder: Path, *, cage: str, sources: list[str]) -> str:
    """What an escape came to: ``ESCAPED``, or the error that it met."""
    reading, writing = os.pipe()
    middle = os.fork()
    if middle == 0:  # what is a captive's parent: it has the image
        os.close(reading)
        os.setsid()
        with (
            open(folder / "disk.raw", "r+b") as image,
            socket.create_server(("127.0.0.1", 0)) as tcp,
            socket.socket(socket.AF_UNIX) as named,
            socket.socket(socket.AF_UNIX) as abstract,
        ):
            _, terminal = pty.openpty()
            port = tcp.getsockname()[1]
            (folder / "s").unlink(missing_ok=True)
            named.bind(str(folder / "s"))
            abstract.bind(f"\0bootgraft-escape-{port}")
            named.listen()
            abstract.listen()
            if cage:
                reader.shield()
            captive = Captive(os.getpid(), image.fileno(), terminal, port, folder)
            child = os.fork()
            if child == 0:
                _be_captive(name, captive, writing, cage=cage, sources=sources)
            os.close(writing)
            _, status = os.waitpid(child, 0)
        os._exit(0 if os.waitstatus_to_exitcode(status) == 0 else 1)
    os.close(writing)
    with open(reading, "rb") as answer:
        told = answer.read().decode()
    _, status = os.waitpid(middle, 0)
    # Another program says nothing, and ends well.
    return told or (f"silent, {status}" if status else ESCAPED)


def _be_captive(name: str, captive: Captive, writing: int, *, cage: str, sources: list[str]) -> None:
    os.close(captive.image_descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
    if cage == "reader":
        reader.confine(sources)
    elif cage == "command":
        command.confine_command(sources)
    elif cage == "server":
        ServerCage("/bin/true", [ServedFile(str(captive.image), writable=True)]).enter()
    try:
        ESCAPES[name](captive)
        told = ESCAPED
    except (OSError, ValueError) as error:  # resource raises ValueError
        told = str(error)
    os.write(writing, told.encode())
    os._exit(0)


def main() -> None:
    cage, folder, version, user = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    if version not in ("", "none"):
        known = min(int(version), landlock.version())
        landlock.version = lambda: known  # type: ignore[assignment]
    if user != os.getuid():
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        kernel.control(kernel.PR_SET_DUMPABLE, 1)  # as in a process that this user started
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    found = {}
    for name in ESCAPES:
        for spare in ("disk.raw", "secret", "spare", "removable"):
            (folder / spare).write_bytes(bytes(512))
            (folder / spare).chmod(0o600)
        (folder / "mountpoint").mkdir(exist_ok=True)
        for left in ("new", "link", "symbolic", "renamed", "pipe", "s"):
            (folder / left).unlink(missing_ok=True)
        found[name] = _try(name, folder, cage="" if version == "none" else cage, sources=sys.argv[5:])
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
