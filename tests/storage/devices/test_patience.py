"""How long is waited."""

import pytest

from bootgraft.storage.devices import patience
from bootgraft.storage.devices.patience import DEFAULT, begin_to_write, limited, may_be_ended, seconds_to_wait


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(patience, "time", made)
    return made


def test_as_long_as_ever_where_nothing_was_said() -> None:
    with limited(None):
        assert seconds_to_wait() == DEFAULT
        assert not may_be_ended()


def test_no_answer_is_waited_for_beyond_the_end_of_the_whole(clock: Clock) -> None:
    with limited(30):
        assert (seconds_to_wait(), may_be_ended()) == (30, True)
        clock.now += 20
        assert seconds_to_wait() == 10
        clock.now += 20
        assert 0 < seconds_to_wait() < 1
    assert seconds_to_wait() == DEFAULT


def test_what_is_being_written_has_as_long_as_it_takes(clock: Clock) -> None:
    with limited(30):
        clock.now += 29
        begin_to_write()
        clock.now += 1000
        assert (seconds_to_wait(), may_be_ended()) == (30, False)
    assert seconds_to_wait() == DEFAULT
