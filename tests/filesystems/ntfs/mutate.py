"""Use damaged copies of an NTFS volume, each in a process of its own: C code that meets hostile bytes may crash.

Arguments: the image, the seed, the number of copies, and the stretches to damage as ``offset:length``. Prints a JSON
object that counts the outcomes.
"""

import json
import os
import random
import resource
import signal
import sys
from collections import Counter
from pathlib import Path

from bootgraft.errors import BootgraftError
from bootgraft.filesystems.base import VolumeState
from bootgraft.filesystems.ntfs.volume import NtfsVolume, mount_ntfs

SECONDS = 20
MEMORY = 1 << 30


class Memory:
    """Bytes as a block device."""

    def __init__(self, content: bytearray) -> None:
        self._content = content
        self.size = len(content)

    def read(self, offset: int, length: int, /) -> bytes:
        return bytes(self._content[offset : offset + length])

    def write(self, offset: int, data: bytes, /) -> None:
        self._content[offset : offset + len(data)] = data

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def _use(mounted: NtfsVolume, path: str, depth: int) -> None:
    for entry in mounted.listdir(path or "\\")[:50]:
        child = f"{path}\\{entry.name}"
        try:
            mounted.stat(child)
            if entry.is_directory and depth:
                _use(mounted, child, depth - 1)
            elif not entry.is_directory:
                mounted.read(child, 0, 1 << 20)
                mounted.extents(child)
                mounted.write(child, 100, b"written" * 1000)
        except BootgraftError:
            continue


def _once(content: bytearray) -> int:
    """Return 0 where everything went well and 3 where it ended with an error of the right kind."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.alarm(SECONDS)
    try:
        with mount_ntfs(Memory(content), writable=True, name="volume") as mounted:
            _use(mounted, "", 4)
            if mounted.state is VolumeState.CLEAN:
                mounted.create("\\WINDOWS\\system32\\drivers\\new.sys", b"new" * 5000)
    except BootgraftError:
        return 3
    return 0


def _outcome(content: bytearray) -> str:
    child = os.fork()
    if not child:
        status = 1
        try:
            status = _once(content)
        finally:
            os._exit(status)
    _pid, ended = os.waitpid(child, 0)
    if os.WIFSIGNALED(ended):
        return "hang" if os.WTERMSIG(ended) == signal.SIGALRM else f"crash {os.WTERMSIG(ended)}"
    return {0: "fine", 3: "refused"}.get(os.WEXITSTATUS(ended), "traceback")


def main() -> None:
    original = Path(sys.argv[1]).read_bytes()
    chance = random.Random(int(sys.argv[2]))
    stretches = [tuple(int(number) for number in word.split(":")) for word in sys.argv[4:]]
    outcomes: Counter[str] = Counter()
    for number in range(int(sys.argv[3])):
        content = bytearray(original)
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            offset, length = chance.choice(stretches)
            content[offset + chance.randrange(length)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        outcome = _outcome(content)
        outcomes[outcome] += 1
        if outcome not in ("fine", "refused"):
            sys.stderr.write(f"copy {number}: {outcome}\n")
    sys.stdout.write(json.dumps(outcomes))


if __name__ == "__main__":
    main()
