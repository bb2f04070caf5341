"""What is mutated: small hives, made here, and real ones where the test data is at hand; with and without logs."""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field
from tests.registry.log_writer import Write, new_log, old_log, rebased
from tests.registry.support import FILETIME, TESTDATA, Memory, built_hive

from bootgraft.registry.hive import Hive

_REAL = (
    "hives-other/yarp/BigDataHive",
    "hives-other/yarp/BadListHive",
    "hives-other/yarp/UnicodeHive",
    "hives-other/hivex/special",
    "hives-other/plaso/corrupt_sub_key_list.hiv",
    "bcd/uefi/w10-zh-two-winre/BCD",
    "bcd/bios/w7-mbr-en/BCD",
)
_DIRTY = (
    ("hives-other/yarp/NewDirtyHive1/NewDirtyHive", ("LOG1", "LOG2")),
    ("hives-other/yarp/OldDirtyHive/OldDirtyHive", ("LOG1",)),
)
_LARGEST = 2**17
"""Bytes of a hive that is worth mutating: in a larger one most mutations hit nothing."""


class Seed(Struct, frozen=True):
    """One hive and the logs beside it, by suffix."""

    name: str
    hive: bytes
    logs: Mapping[str, bytes] = field(default_factory=dict)


def seeds(folder: Path) -> list[Seed]:
    """All seeds; ``folder`` is for files in the making."""
    found = list(_made(folder))
    for name in _REAL:
        path = TESTDATA / name
        if path.is_file() and len(hive := _cut(path.read_bytes())) <= _LARGEST:
            found.append(Seed(name, hive))
    for name, suffixes in _DIRTY:
        path = TESTDATA / name
        if path.is_file():
            logs = {suffix: path.with_name(f"{path.name}.{suffix}").read_bytes() for suffix in suffixes}
            found.append(Seed(name, _cut(path.read_bytes()), logs))
    return found


def _cut(hive: bytes) -> bytes:
    """A hive without what lies behind its bins."""
    return hive[: 4096 + struct.unpack_from("<I", hive, 40)[0]]


def _made(folder: Path) -> Iterator[Seed]:
    for minor in (3, 5):
        before = _filled(built_hive(folder, minor=minor))
        yield Seed(f"made 1.{minor}", before)
        memory = Memory(before)
        hive = Hive.open(memory, name="made")
        hive.delete_key(r"A\key 3")
        hive.set_value("A", "grown", 3, bytes(9000))
        hive.commit(filetime=FILETIME)
        after = bytes(memory.data)
        dirty = rebased(before, primary=41, secondary=40, timestamp=FILETIME)
        yield Seed(f"made 1.{minor}, old log", dirty, {"LOG": old_log(before, after, sequence=40)})
        write = Write(before=before, after=after, sequence=40)
        yield Seed(f"made 1.{minor}, new log", dirty, {"LOG1": new_log([write]), "LOG2": b""})


def _filled(data: bytes) -> bytes:
    memory = Memory(data)
    hive = Hive.open(memory, name="made")
    for number in range(12):
        hive.create_key(rf"A\key {number}\below")
        hive.set_value(rf"A\key {number}", "value", 3, bytes(range(number)))
    hive.set_value("A", "a", 1, "some text\0".encode("utf-16-le"))
    hive.set_value("A", "large", 3, bytes(40_000))
    hive.create_key(r"B\C\D")
    hive.commit(filetime=FILETIME)
    return bytes(memory.data)
