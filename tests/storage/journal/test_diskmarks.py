"""The marks of a disk: the same before, during and after any work, under any name; those of other disks are others."""

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.storage.journal.test_commit import repair
from tests.storage.journal_machine import RawMachine, crash, noise, open_raw, two_disks

from bootgraft.errors import ImageError
from bootgraft.storage.journal.diskmarks import DiskBytes, content_marks, journalled_marks, place_marks
from bootgraft.storage.journal.journalfile import JournalFile

SIZE = 3 * 65536


def marks(data: bytes) -> tuple[str, ...]:
    return content_marks(len(data), lambda offset, length: data[offset : offset + length])


def disk(*, signature: int = 0x12345678, samples: bytes = b"") -> bytes:
    data = bytearray(SIZE)
    struct.pack_into("<I", data, 440, signature)
    for third in (1, 2):
        data[SIZE * third // 3 :][: len(samples)] = samples
        data[SIZE * third // 3 : SIZE * third // 3 + len(samples)] = samples
    return bytes(data)


def test_signature_and_samples() -> None:
    kinds = [mark.partition("-")[0] for mark in marks(disk(samples=noise(1, 4096)))]
    assert kinds == ["signature", "sample", "sample"]
    assert [mark.partition("-")[0] for mark in marks(disk())] == ["signature"], "an empty place tells nothing"
    assert marks(bytes(SIZE)) == ()
    assert marks(disk(signature=1)) != marks(disk(signature=2))
    assert marks(disk()) != marks(disk() + bytes(512))
    assert marks(b"") == ()


@pytest.mark.parametrize("header_at", [512, 4096])
def test_the_guid_of_a_gpt(header_at: int) -> None:
    found = []
    for guid in (b"a" * 16, b"b" * 16):
        data = bytearray(SIZE)
        data[header_at : header_at + 8] = b"EFI PART"
        data[header_at + 56 : header_at + 72] = guid
        found.append(marks(bytes(data)))
    assert len(set(found)) == 2
    assert [len(each) for each in found] == [1, 1]


@given(st.binary(max_size=9000))
def test_any_content_has_marks_or_none(data: bytes) -> None:
    assert marks(data) == marks(bytes(data))
    assert len(marks(data)) <= 3


def test_of_a_file_its_number_counts_and_of_an_address_its_text(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"")
    two.hardlink_to(one)
    assert place_marks(str(one)) == place_marks(str(two))
    assert place_marks(str(tmp_path / "gone")) == ()
    assert place_marks("nbd://host/a") != place_marks("nbd://host/b")
    assert len(place_marks("nbd://host/a")) == 1


@pytest.mark.parametrize("step", [0, 60, 45])
def test_those_in_the_index_are_of_the_disk_before_and_after(tmp_path: Path, step: int) -> None:
    """Where a repair writes to one, it is no mark of this work."""
    machine = RawMachine(tmp_path)
    before = disk(samples=noise(1, 4096))
    machine.add("a.img", before, [(0, disk(signature=99)[:512], False), (65536 + 512, noise(2, 512), False)])
    if step:
        assert crash(step, lambda: repair(machine)) or machine.now() == machine.after
    else:
        repair(machine)
    journal = machine.journal().path
    with JournalFile(journal) as file, open_raw(machine.locations[0]) as image:
        found = journalled_marks(file, file.verify(), 0, image)
    common = set(marks(before)) & set(marks(machine.after["a.img"]))
    assert len(common) == 1
    assert set(found) == {*place_marks(machine.locations[0]), *common}


def test_a_disk_of_which_nothing_is_written_is_known_by_its_place(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    repair(machine, changes={"a.img": ((0, noise(1, 512), False),), "b.img": ()})
    with JournalFile(machine.journal().path) as file, open_raw(machine.locations[1]) as image:
        assert journalled_marks(file, file.verify(), 1, image) == place_marks(machine.locations[1])


def test_bytes_that_are_not_there_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345678")
    with DiskBytes(path) as file:
        assert (file.size, file.read(2, 3)) == (8, b"345")
        with pytest.raises(ImageError, match="ends before"):
            file.read(6, 3)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="seek"):
        DiskBytes(tmp_path / "pipe")
