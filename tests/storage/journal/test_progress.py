"""What a commit and an undo say of how far they are, and that either may be interrupted wherever it says it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.storage.journal_machine import RawMachine, noise

from bootgraft import events
from bootgraft.errors import JournalError
from bootgraft.events import Event, EventKind
from bootgraft.storage.journal.commit import commit
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.journalsearch import find_journal, new_journal_path, require_no_unfinished
from bootgraft.storage.journal.undo import undo

SIZE = 2**20
PIECES = 5


@pytest.fixture(autouse=True)
def every_step_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "INTERVAL", 0)


def machine_in(folder: Path) -> RawMachine:
    folder.mkdir(exist_ok=True)
    machine = RawMachine(folder)
    changed = [(number * 65536, noise(number, 20480), False) for number in range(PIECES)]
    machine.add("a.img", noise(9, SIZE), changed)
    return machine


def repair(machine: RawMachine, monitor: Callable[[Event], None]) -> None:
    with machine.open() as images:
        path = new_journal_path(machine.locations, None)
        commit(machine.transaction(images), journal=path, monitor=monitor)


def take_back(machine: RawMachine, monitor: Callable[[Event], None] = events.silent) -> None:
    journal = find_journal(machine.locations)
    assert journal is not None
    with machine.open() as images:
        undo(images, journal, monitor=monitor)


class Interrupting:
    """A monitor that is interrupted at one of the events that it gets."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, _event: Event) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_the_bytes_are_counted_to_the_last_one(tmp_path: Path) -> None:
    machine = machine_in(tmp_path / "m")
    for work, first in ((repair, "writing the undo journal"), (take_back, "comparing")):
        seen: list[Event] = []
        work(machine, seen.append)
        for text in (first, "content to the image", "reading back"):
            told = [each for each in seen if text in each.text]
            assert told[0].kind is EventKind.STEP
            assert told[0].total == told[-1].done == told[-1].total > 0
            assert [each.done for each in told] == sorted(each.done for each in told)
    assert machine.others() == []


def test_a_commit_that_is_interrupted_leaves_the_image_or_a_journal_that_undo_takes(tmp_path: Path) -> None:
    kept = 0
    for at in range(100):
        machine = machine_in(tmp_path / str(at))
        before = machine.now()
        try:
            repair(machine, Interrupting(at))
        except KeyboardInterrupt:
            pass
        else:
            assert at > 2 * PIECES
            break
        if not machine.others():
            assert machine.now() == before
            require_no_unfinished(machine.locations)
            kept += 1
            continue
        if machine.journal().state is JournalState.SEALED:
            assert machine.now() == machine.after
        else:
            with pytest.raises(JournalError) as told:
                require_no_unfinished(machine.locations)
            assert "bootgraft undo" in told.value.advice
        take_back(machine)
        assert machine.now() == before
        assert machine.others() == []
    else:
        pytest.fail("it never ended")
    assert kept


def test_an_undo_that_is_interrupted_is_begun_again(tmp_path: Path) -> None:
    begun = 0
    for at in range(100):
        machine = machine_in(tmp_path / str(at))
        before = machine.now()
        repair(machine, events.silent)
        repaired = machine.now()
        try:
            take_back(machine, Interrupting(at))
        except KeyboardInterrupt:
            journal = find_journal(machine.locations)
            assert journal is not None
            if journal.state is JournalState.SEALED:
                assert not begun
                assert machine.now() == repaired  # it still compared
            else:
                begun += 1
                with pytest.raises(JournalError) as told:
                    require_no_unfinished(machine.locations)
                assert "bootgraft undo" in told.value.advice
            take_back(machine)
        else:
            assert begun > 2 * PIECES
            break
        assert machine.now() == before
        assert machine.others() == []
    else:
        pytest.fail("it never ended")
