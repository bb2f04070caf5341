"""``python -m benchmarks.registry HIVE…``: one edit with its commit, beside hivex, and the integrity checks.

Of these, ``quick`` tells only that nothing is harmful, and ``again`` is what a proof does with a hive that was edited.

hivex is called through ctypes: opened for writing, one value set, committed. Each side runs in a process of its own,
which has loaded nothing else, and works on a copy of the same file. Times are of the work alone, the least of several
runs; the memory is what it adds.
"""

import argparse
import ctypes
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_RUNS = 9
_VALUE = "BenchmarkOfBootgraft"


class _SetValue(ctypes.Structure):
    """``struct hive_set_value`` of hivex.h."""

    _fields_ = (
        ("key", ctypes.c_char_p),
        ("t", ctypes.c_int),
        ("len", ctypes.c_size_t),
        ("value", ctypes.c_char_p),
    )


class _File:
    """A hive file as the storage of a Hive."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("r+b")
        self.size = path.stat().st_size

    def read(self, offset: int, length: int, /) -> bytes:
        """Return bytes."""
        self._file.seek(offset)
        return self._file.read(length)

    def write(self, offset: int, data: bytes, /) -> None:
        """Replace bytes."""
        self._file.seek(offset)
        self._file.write(data)
        self._file.flush()
        self.size = max(self.size, offset + len(data))


def main() -> None:
    """Measure and print the table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.registry", description=__doc__)
    parser.add_argument("hives", nargs="+", type=Path, metavar="HIVE")
    parser.add_argument("--work", choices=sorted(_WORK), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        print(json.dumps(_measured(_WORK[options.work], options.hives[0])))
        return
    print("| hive | MB | work | ms | of processor time | MB above the interpreter |\n|---|---|---|---|---|---|")
    for hive in options.hives:
        for work in _WORK:
            wall, cpu, memory = _least(work, hive)
            name, size = hive.parent.name, hive.stat().st_size / 1e6
            print(f"| {name} | {size:.1f} | {work} | {1e3 * wall:.1f} | {1e3 * cpu:.1f} | {memory:.1f} |")


def _least(work: str, hive: Path) -> tuple[float, float, float]:
    samples = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(_RUNS):
            copy = Path(folder) / f"{number}"
            shutil.copyfile(hive, copy)
            command = [sys.executable, "-m", "benchmarks.registry", str(copy), "--work", work]
            done = subprocess.run(command, capture_output=True, check=True, text=True)
            samples.append(json.loads(done.stdout))
            copy.unlink()
    wall, cpu, memory = (min(column) for column in zip(*samples, strict=True))
    return wall, cpu, memory


def _measured(work: Callable[[Path], Callable[[], None]], hive: Path) -> tuple[float, float, float]:
    """Seconds of the work, seconds of processor time, and MB by which the largest size of this process grew in it."""
    ready = work(hive)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, began_cpu = time.perf_counter(), time.process_time()
    ready()
    wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    return wall, cpu, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3


def _edit(path: Path) -> Callable[[], None]:
    from bootgraft.registry.hive import Hive

    def work() -> None:
        hive = Hive.open(_File(path), name=path.name)
        hive.set_value("Select", _VALUE, 4, b"\1\0\0\0")
        hive.commit(filetime=0x01DA_0000_0000_0000)

    return work


def _verify(path: Path) -> Callable[[], None]:
    from bootgraft.registry.hive import Hive
    from bootgraft.registry.integrity.survey import verify

    def work() -> None:
        verify(Hive.open(_File(path), name=path.name))

    return work


def _screen(path: Path) -> Callable[[], None]:
    from bootgraft.registry.hive import Hive
    from bootgraft.registry.integrity.harm import harmful

    def work() -> None:
        harmful(Hive.open(_File(path), name=path.name))

    return work


def _recheck(path: Path) -> Callable[[], None]:
    from bootgraft.registry.hive import Hive
    from bootgraft.registry.integrity.harm import harmful, recall, remember

    hive = Hive.open(_File(path), name=path.name)
    harmful(hive)
    known = remember(hive)
    hive.set_value("Select", _VALUE, 4, b"\1\0\0\0")
    hive.commit(filetime=0x01DA_0000_0000_0000)

    def work() -> None:
        if known is None or not recall(known, Hive.open(_File(path), name=path.name)):
            raise ValueError(path)

    return work


def _hivex(path: Path) -> Callable[[], None]:
    library = ctypes.CDLL("libhivex.so.0", use_errno=True)
    library.hivex_open.restype = ctypes.c_void_p
    library.hivex_open.argtypes = (ctypes.c_char_p, ctypes.c_int)
    for name in ("hivex_root", "hivex_node_get_child"):
        getattr(library, name).restype = ctypes.c_size_t
    library.hivex_root.argtypes = (ctypes.c_void_p,)
    library.hivex_node_get_child.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)
    library.hivex_node_set_value.argtypes = (
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.POINTER(_SetValue),
        ctypes.c_int,
    )
    library.hivex_commit.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)
    library.hivex_close.argtypes = (ctypes.c_void_p,)
    writable = 4  # HIVEX_OPEN_WRITE

    def work() -> None:
        handle = library.hivex_open(bytes(path), writable)
        select = library.hivex_node_get_child(handle, library.hivex_root(handle), b"Select")
        value = _SetValue(_VALUE.encode(), 4, 4, b"\1\0\0\0")
        failed = library.hivex_node_set_value(handle, select, ctypes.byref(value), 0)
        failed = failed or library.hivex_commit(handle, None, 0)
        library.hivex_close(handle)
        if not select or failed:
            raise OSError(ctypes.get_errno(), "hivex failed")

    return work


_WORK = {
    "bootgraft: one edit, commit": _edit,
    "hivex: one edit, commit": _hivex,
    "bootgraft: integrity check, all of it": _verify,
    "bootgraft: integrity check, quick": _screen,
    "bootgraft: integrity check, again": _recheck,
}

if __name__ == "__main__":
    main()
