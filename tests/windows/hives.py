"""Hives for the tests of the windows layer: made by hivexregedit, or real ones."""

import tempfile
from functools import cache
from pathlib import Path

import pytest
from tests.machines import hives, spec

from bootgraft.registry.hive import Hive

TESTDATA = Path(__file__).parents[3] / "shared" / "testdata"


@cache
def hive_bytes(text: str, state: spec.HiveState = spec.HiveState.CLEAN) -> bytes:
    """A hive with the content of this .reg text (keys in brackets, from the root, parents added)."""
    return spec_bytes(spec.Hive(_with_parents(text), state=state))


@cache
def spec_bytes(hive: spec.Hive) -> bytes:
    """A hive as it is specified."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hive"
        hives.make_hive(hive, path)
        return path.read_bytes()


def _with_parents(text: str) -> str:
    """Name every key's parents first: hivexregedit makes none by itself."""
    lines = []
    for line in text.splitlines():
        if line.startswith("["):
            names = line.strip("[]").strip("\\").split("\\")
            lines += ["[\\" + "\\".join(names[:depth]) + "]\n" for depth in range(1, len(names))]
            lines.append("")
        lines.append(line)
    return "\n".join(lines) + "\n"


class MemoryFile:
    """A file in memory that a hive is read from."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int, /) -> bytes:
        return bytes(self.data[offset : offset + length])

    def write(self, offset: int, data: bytes, /) -> None:
        self.data[offset : offset + len(data)] = data


def hive_of(text: str) -> Hive:
    return Hive.open(MemoryFile(hive_bytes(text)), name="SYSTEM")


def real_bytes(kind: str, machine: str, name: str) -> bytes:
    """A hive of the shared test data."""
    path = TESTDATA / kind / machine / name
    if not path.exists():
        pytest.skip(f"no shared test data: {kind}/{machine}/{name}")
    return path.read_bytes()


def real_system(machine: str) -> Hive:
    return Hive.open(MemoryFile(real_bytes("hives-system", machine, "SYSTEM")), name="SYSTEM")
