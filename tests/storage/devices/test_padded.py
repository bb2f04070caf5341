"""A device with zeros behind its end."""

import pytest
from tests.storage.sample_disks import MemoryDisk

from bootgraft.errors import ImageError, ReadOnlyError
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.storage.devices.padded import Padded

DATA = bytes(range(256)) * 3 + b"end"


@pytest.fixture
def padded() -> Padded:
    return Padded(MemoryDisk(bytearray(DATA)), 4096, "hive")


def test_reading(padded: Padded) -> None:
    assert padded.size == 4096
    assert padded.read(0, 4096) == DATA.ljust(4096, b"\0")
    assert padded.read(len(DATA) - 2, 4) == b"nd\0\0"
    assert padded.read(2000, 3) == bytes(3)
    assert padded.read(4096, 0) == b""
    with pytest.raises(ImageError):
        padded.read(4095, 2)


def test_it_is_written_through_an_overlay_only(padded: Padded) -> None:
    with pytest.raises(ReadOnlyError):
        padded.write(0, b"x")
    overlay = Overlay(padded)
    overlay.write(1000, b"more")
    assert overlay.read(998, 8) == b"\0\0more\0\0"
    assert [(run.offset, run.length) for run in overlay.runs()] == [(512, 512)]
    overlay.close()
    padded.flush()
    padded.close()
