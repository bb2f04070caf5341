"""All peers, and the tasks that they are given."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.conditions import Conditions
from benchmarks.disks import FORMATS, HIVE_FILES, HIVES, SIZES, Case
from benchmarks.peers import guestfs, hives, inspectors
from benchmarks.peers.peer import Peer
from benchmarks.records import Record
from benchmarks.subjects import SMALLEST, Question
from benchmarks.tasks import Program, Task

FOR_VIRTUAL = [*SIZES[:2], HIVES[1]]
"""Subjects for those that take many seconds for each."""
FOR_OTHERS = [*SIZES, *FORMATS, *HIVES, *HIVE_FILES]


def peers(folder: Path, virtio_win: Path) -> list[Peer]:
    """Everybody."""
    return [*guestfs.peers(folder, virtio_win), *inspectors.peers(), *hives.peers(folder)]


def tasks(peer: Peer, cases: Iterable[Case]) -> Iterator[Task]:
    """What a peer that is installed is asked."""
    note = guestfs.virtual_note() if peer.is_virtual else ""
    program = Program(peer.name, peer.version(), note=note)
    for case in cases:
        if peer.is_virtual and case.subject not in FOR_VIRTUAL:
            continue
        for question, words_for in peer.questions.items():
            words = words_for(case)
            if words is not None:
                before = case.restore if question in peer.changes else None
                yield Task(
                    program,
                    question,
                    case.subject,
                    words,
                    environment=peer.environment,
                    before=before,
                    is_slow=peer.is_virtual or peer.is_slow,
                )


def absent(peer: Peer, conditions: Conditions) -> Iterator[Record]:
    """Records that say of a peer that it is not there."""
    for question in peer.questions:
        subject = HIVE_FILES[0] if question in (Question.SET_VALUE, Question.EXPORT) else SMALLEST
        yield Record(peer.name, "", question, subject, conditions, missing=f"absent ({peer.installed_by})")
