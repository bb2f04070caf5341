"""The journal as a file: what is written is read, and nothing else is believed."""

import contextlib
import hashlib
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.storage.journal.test_commit import A_JOURNAL, repair
from tests.storage.journal_machine import RawMachine, noise, two_disks

from bootgraft.errors import JournalError
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.images.imageinfo import PreservedRange
from bootgraft.storage.journal.head import (
    EditedFile,
    Extent,
    JournalDisk,
    JournalHead,
    JournalState,
    Witness,
    decode_head,
    encode_head,
)
from bootgraft.storage.journal.journalfile import JournalFile, Mark, layout, write_journal
from bootgraft.storage.journal.journalsearch import require_no_unfinished
from bootgraft.storage.journal.undo import resume, undo

names = st.text(st.characters(blacklist_categories=("Cc", "Cs")), max_size=20) | st.just("caf\udce9.vmdk")
disks = st.builds(
    JournalDisk,
    location=names,
    path=st.none() | names.map(lambda name: Path("/vm") / name),
    format=st.sampled_from(["raw", "vmdk"]),
    subformat=names,
    size=st.integers(2**20, 2**50),
    files=st.lists(names, min_size=2, max_size=3).map(tuple),
    kept=st.lists(
        st.builds(PreservedRange, st.integers(0, 1), st.integers(0, 2**40), st.binary(), st.booleans()), max_size=3
    ).map(tuple),
)
heads = st.builds(
    JournalHead,
    tool=names,
    created=st.just("2026-01-02T03:04:05+00:00"),
    serial=st.integers(1, 2**31),
    summary=st.text(st.characters(blacklist_categories=("Cc", "Cs"), whitelist_characters="\n\t")),
    disks=st.lists(disks, min_size=1, max_size=3).map(tuple),
    witnesses=st.lists(
        st.builds(Witness, st.just(0), st.integers(0, 2**19), st.integers(1, 4096), st.binary(min_size=32, max_size=32))
    ).map(tuple),
    edited=st.none() | st.builds(EditedFile, names, names.map(Path("/vm").joinpath), st.binary(), st.binary()),
)


@given(heads)
@settings(max_examples=60, deadline=None)
def test_a_head_is_read_as_it_was_written(head: JournalHead) -> None:
    assert decode_head(encode_head(head), path=Path("j")) == head


def test_lengths_of_files_are_kept_where_there_are_any() -> None:
    head = plain_head()
    assert b"lengths" not in encode_head(head)  # as every version reads it
    head = replace(head, disks=(replace(head.disks[0], lengths=(65536,)),))
    assert decode_head(encode_head(head), path=Path("j")) == head


def plain_head() -> JournalHead:
    kept = PreservedRange(0, 512, b"CID=1", ends_file=False)
    disk = JournalDisk("a.vmdk", Path("/vm/a.vmdk"), "vmdk", "monolithicSparse", 2**20, ("a.vmdk",), (kept,))
    return JournalHead("bootgraft", "2026-01-02T03:04:05+00:00", 1, "text", (disk,), (Witness(0, 0, 512, bytes(32)),))


def _set(*place: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        *path, name, value = place
        for step in path:
            document = document[step]
        document[name] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _set("extra", 1),
        _set("serial", 0),
        _set("serial", True),
        _set("serial", 1.0),
        _set("serial", "1"),
        _set("summary", "a\x1b[2Jb"),
        _set("summary", "\ud800"),
        _set("created", "yesterday"),
        _set("tool", "a\nb"),
        _set("disks", []),
        _set("disks", [{}] * 65),
        _set("disks", 0, "size", -1),
        _set("disks", 0, "size", 2**63),
        _set("disks", 0, "location", "\x9b"),
        _set("disks", 0, "path", 5),
        _set("disks", 0, "files", "a.vmdk"),
        _set("disks", 0, "lengths", []),
        _set("disks", 0, "lengths", [1, 2]),
        _set("disks", 0, "lengths", [-1]),
        _set("disks", 0, "lengths", None),
        _set("disks", 0, "kept", 0, "file", 1),
        _set("disks", 0, "kept", 0, "data", "not base64!"),
        _set("disks", 0, "kept", 0, "data", None),
        _set("disks", 0, "kept", 0, "ends_file", 0),
        _set("witnesses", 0, "disk", 1),
        _set("witnesses", 0, "length", 0),
        _set("witnesses", 0, "offset", 2**20 - 511),
        _set("witnesses", 0, "sha256", "A" * 64),
        lambda document: document.pop("tool"),
    ],
)
def test_a_head_of_another_shape_is_damaged(change: Callable[[Any], None]) -> None:
    document = json.loads(encode_head(plain_head()))
    change(document)
    with pytest.raises(JournalError, match="damaged"):
        decode_head(json.dumps(document).encode(), path=Path("j"))


@pytest.mark.parametrize(
    "data", [b"", b"[" * 100000, b'{"a": NaN}', b"\xff", b"1" * 5000, encode_head(plain_head())[:-1] + b', "tool": ""}']
)
def test_a_head_that_is_no_document_is_damaged(data: bytes) -> None:
    with pytest.raises(JournalError, match="damaged"):
        decode_head(data, path=Path("j"))


def forge(path: Path, head: JournalHead, extents: list[Extent]) -> None:
    """Write a journal whose checksums are right, whatever it says."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    data = encode_head(head)
    write_journal(descriptor, data, extents, iter([bytes(layout(data, extents).contents)]))
    os.close(descriptor)


@pytest.mark.parametrize(
    ("extents", "fault"),
    [
        ([Extent(1, 0, 512, 0, 1)], "names a disk"),
        ([Extent(0, 2**20, 512, 0, 1)], "outside"),
        ([Extent(0, 2**63, 2**63, 0, 1)], "outside"),
        ([Extent(0, 0, 0, 0, 1)], "outside"),
        ([Extent(0, 1, 511, 0, 1)], "sectors"),
        ([Extent(0, 0, 100, 0, 1)], "sectors"),
        ([Extent(0, 0, 1024, 0, 1), Extent(0, 512, 512, 0, 1)], "overlap"),
        ([Extent(0, 512, 512, 0, 1), Extent(0, 0, 512, 0, 1)], "out of order"),
        ([Extent(0, 0, 512, 257, 1)], "no byte"),
        ([Extent(0, 0, 512, 0, 65535)], "no byte"),
    ],
)
def test_stretches_that_no_repair_makes_are_damage(tmp_path: Path, extents: list[Extent], fault: str) -> None:
    forge(tmp_path / "j", plain_head(), extents)
    with JournalFile(tmp_path / "j") as file, pytest.raises(JournalError, match=f"damaged.*{fault}"):
        file.verify()


def test_more_bytes_than_any_repair_changes_are_damage(tmp_path: Path) -> None:
    disk = JournalDisk("a", None, "nbd", "", 2**50, (), ())
    head = JournalHead("bootgraft", "2026-01-02", 1, "", (disk,), ())
    forge(tmp_path / "j", head, [Extent(0, 0, 2**45, 0, 0)])
    with JournalFile(tmp_path / "j") as file, pytest.raises(JournalError, match="more than any repair"):
        file.verify()


def _preamble(data: bytes, *, at: int, value: int) -> bytes:
    """Change a number of the preamble and put the checksum right."""
    fixed = data[:at] + struct.pack("<Q", value) + data[at + 8 : 48]
    return fixed + hashlib.sha256(fixed + data[512:]).digest() + data[80:]


@pytest.mark.parametrize("at", [24, 32, 40])
@pytest.mark.parametrize("value", [0, 1, 2**18, 2**24 + 1, 2**32, 2**63, 2**64 - 1])
def test_lengths_that_lie_are_damage(tmp_path: Path, at: int, value: int) -> None:
    forge(tmp_path / "j", plain_head(), [Extent(0, 0, 512, None, 1)])
    (tmp_path / "j").write_bytes(_preamble((tmp_path / "j").read_bytes(), at=at, value=value))
    with pytest.raises(JournalError, match="damaged"):
        JournalFile(tmp_path / "j")


def test_a_newer_version_is_told_as_such(tmp_path: Path) -> None:
    forge(tmp_path / "j", plain_head(), [])
    data = bytearray((tmp_path / "j").read_bytes())
    data[16] = 4
    (tmp_path / "j").write_bytes(data)
    with pytest.raises(JournalError, match="version 4"):
        JournalFile(tmp_path / "j")


def test_a_torn_mark_is_not_set_and_a_wrong_one_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "j"
    forge(path, plain_head(), [])
    empty = path.read_bytes()
    with JournalFile(path, writable=True) as file:
        assert file.state is JournalState.UNFINISHED
        file.mark(Mark.SEALED)
    sealed = path.read_bytes()
    assert next(index for index in range(len(empty)) if sealed[index] != empty[index]) == 256
    for cut in range(40):
        path.write_bytes(sealed[: 256 + cut] + bytes(40 - cut) + sealed[296:])
        with JournalFile(path) as file:
            assert file.state is JournalState.UNFINISHED
    for wrong in (
        sealed[:290] + b"\1" + sealed[291:],
        sealed[:300] + b"\1" + sealed[301:],
        sealed[:100] + b"\1" + sealed[101:],
    ):
        path.write_bytes(wrong)
        with pytest.raises(JournalError, match="damaged"):
            JournalFile(path)


@pytest.mark.parametrize("kind", ["fifo", "folder", "link", "empty", "text"])
def test_what_is_no_journal_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "j"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        forge(tmp_path / "target", plain_head(), [])
        path.symlink_to(tmp_path / "target")
    else:
        path.write_bytes(b"" if kind == "empty" else b"not a journal\n" * 100)
    with pytest.raises(JournalError):
        JournalFile(path)


@pytest.fixture(scope="module")
def sealed_machine(tmp_path_factory: pytest.TempPathFactory) -> tuple[RawMachine, bytes]:
    machine = two_disks(tmp_path_factory.mktemp("machine"))
    return machine, repair(machine).read_bytes()


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_journal_never_writes_what_it_should_not(
    sealed_machine: tuple[RawMachine, bytes], data: st.DataObject
) -> None:
    machine, journal = sealed_machine
    for name, content in machine.after.items():
        (machine.folder / name).write_bytes(content)
    changed = bytearray(journal)
    kind = data.draw(st.sampled_from(["flip", "cut", "grow", "zero"]))
    at = data.draw(st.integers(0, 600) | st.integers(0, len(journal) - 1))
    if kind == "flip":
        changed[at] ^= data.draw(st.integers(1, 255))
    elif kind == "cut":
        del changed[at:]
    elif kind == "grow":
        changed += noise(at, 40)
    else:
        changed[at : at + 64] = bytes(len(changed[at : at + 64]))
    (machine.folder / A_JOURNAL).write_bytes(changed)
    try:
        require_no_unfinished(machine.locations)
        with machine.open() as images:
            undo(images, machine.journal())
    except JournalError:
        assert machine.now() == machine.after
    else:
        assert bytes(changed) == journal
        assert machine.now() == machine.before


@given(
    extents=st.lists(
        st.builds(
            Extent,
            st.integers(0, 2),
            st.integers(0, 260).map(lambda n: n * SECTOR),
            st.integers(0, 9).map(lambda n: n * SECTOR),
            st.none() | st.just(0),
            st.none() | st.just(0),
        ),
        max_size=3,
    ),
    work=st.sampled_from([undo, resume]),
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_forged_journal_writes_only_where_the_image_is_as_it_says(
    sealed_machine: tuple[RawMachine, bytes], extents: list[Extent], work: Any
) -> None:
    machine, journal = sealed_machine
    machine.restore()
    (machine.folder / A_JOURNAL).write_bytes(journal)
    head = machine.journal().head
    forge(machine.folder / A_JOURNAL, head, extents)
    with machine.open() as images, contextlib.suppress(JournalError):
        work(images, machine.journal())
    assert machine.now() == machine.before, "old and new are zeros here: what passed the comparison was zeros before"
