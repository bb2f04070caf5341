"""A seeded sample of ``python -m benchmarks.powerloss``, and what its model takes a disk to be."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest
from benchmarks.powerloss.campaign import states
from benchmarks.powerloss.judging import judge
from benchmarks.powerloss.operations import Create, Flush, FlushFolder, Operation, Remove, Rename, Resize, Write
from benchmarks.powerloss.recording import record
from benchmarks.powerloss.states import Recording
from benchmarks.powerloss.subjects import make_subject

STATES = 4
FOLDER = Path("/vm")
IMAGE, PARTIAL, JOURNAL = FOLDER / "image", FOLDER / "journal.partial", FOLDER / "journal"


@pytest.fixture
def _may_trace() -> None:
    if shutil.which("strace") is None or shutil.which("qemu-nbd") is None:
        pytest.skip("strace or qemu-utils is not installed")
    if subprocess.run(["strace", "-o", "/dev/null", "true"], check=False, capture_output=True).returncode:
        pytest.skip("strace may not trace here")


@pytest.mark.usefixtures("_may_trace")
@pytest.mark.parametrize("kind", ["vmdk-sparse", "machine"])
def test_every_state_has_a_way_back(tmp_path: Path, kind: str) -> None:
    subject = make_subject(kind, tmp_path / "vm")
    ends = [judge(subject, state.files, chance) for _, state, chance in states(subject, kind, 0, STATES)]
    assert any(end.startswith("interrupted") for end in ends)


@pytest.mark.usefixtures("_may_trace")
def test_what_is_recorded_is_what_was_done(tmp_path: Path) -> None:
    """By a program that does each thing once, and by one that writes in a way which is not followed."""
    folder = tmp_path / "vm"
    folder.mkdir()
    image, partial, journal = folder / "image", folder / "journal.partial", folder / "journal"
    image.write_bytes(bytes(1024))
    program = f"""
import os
image = os.open({str(image)!r}, os.O_RDWR)
os.pwrite(image, b"one", 512)
os.pwritev(image, [b"t", b"wo"], 600)
os.fdatasync(image)
os.ftruncate(image, 2048)
made = os.open({str(partial)!r}, os.O_RDWR | os.O_CREAT | os.O_EXCL)
os.posix_fallocate(made, 0, 100)
os.fsync(made)
os.rename({str(partial)!r}, {str(journal)!r})
os.fsync(os.open({str(folder)!r}, os.O_RDONLY))
os.unlink({str(journal)!r})
"""
    assert record(["python3", "-c", program], folder, where=tmp_path) == [
        Write(image, 512, b"one"),
        Write(image, 600, b"two"),
        Flush(image, 2),
        Resize(image, 2048),
        Create(partial),
        Resize(partial, 100, only_grows=True),
        Flush(partial, 6),
        Rename(partial, journal),
        FlushFolder(folder, 8),
        Remove(journal),
    ]
    with pytest.raises(RuntimeError, match="write is not followed"):
        record(["python3", "-c", f"open({str(image)!r}, 'r+b').write(b'x')"], folder, where=tmp_path)


def left(*operations: Operation) -> set[tuple[tuple[str, bytes], ...]]:
    """All that many power losses leave of an image of two sectors."""
    recording = Recording({IMAGE: b"a" * 1024}, operations)
    found = [recording.state(random.Random(number))[1] for number in range(300)]
    return {tuple((path.name, data) for path, data in sorted(files.items())) for files in found}


OLD, NEW = b"a" * 512, b"b" * 512


def test_what_was_not_flushed_is_there_or_not_or_torn() -> None:
    states_ = left(Write(IMAGE, 0, NEW * 2))
    assert states_ == {(("image", data),) for data in (OLD * 2, NEW * 2, OLD + NEW, NEW + OLD)}


def test_what_was_flushed_is_there_and_may_come_before_what_was_not() -> None:
    ends = left(Write(IMAGE, 0, NEW), Flush(IMAGE, 1), Write(IMAGE, 512, NEW))
    assert ends == {(("image", data),) for data in (OLD * 2, NEW + OLD, NEW * 2)}
    reordered = left(Write(IMAGE, 0, NEW), Write(IMAGE, 512, NEW))
    assert (("image", OLD + NEW),) in reordered


def test_a_flush_covers_only_what_was_done_when_it_began() -> None:
    ends = left(Write(IMAGE, 0, NEW), Write(IMAGE, 512, NEW), Flush(IMAGE, 1))
    assert (("image", NEW + OLD),) in ends
    whole = [end for end in ends if dict(end)["image"][:512] == NEW]
    assert (("image", OLD + NEW),) in ends  # the power went before the flush
    assert len(whole) == 2


def test_a_length_may_be_there_without_the_content() -> None:
    ends = left(Write(IMAGE, 1024, NEW))
    assert ends == {(("image", data),) for data in (OLD * 2, OLD * 2 + NEW, OLD * 2 + bytes(512))}


def test_names_change_in_their_order_and_a_file_without_a_name_is_lost() -> None:
    ends = left(
        Create(PARTIAL), Write(PARTIAL, 0, b"x"), Flush(PARTIAL, 2), Rename(PARTIAL, JOURNAL), FlushFolder(FOLDER, 4)
    )
    image = ("image", OLD * 2)
    assert (image,) in ends
    assert (image, ("journal.partial", b"x")) in ends
    assert (image, ("journal", b"x")) in ends
    assert (image, ("journal", b"")) not in ends
