"""Events: a step tells how far it is, and not too often."""

import pytest

from bootgraft import events
from bootgraft.events import Event, EventKind, Progress, Unit
from bootgraft.jsontext import from_json, to_json


class Clock:
    """A clock that goes on by what the test says at each look."""

    def __init__(self, step: float) -> None:
        self.now = 100.0
        self.step = step

    def monotonic(self) -> float:
        self.now += self.step
        return self.now


@pytest.mark.parametrize(("step", "told"), [(events.INTERVAL, 1000), (events.INTERVAL / 100, 10), (0, 0)])
def test_a_thousand_blocks_are_no_thousand_events(monkeypatch: pytest.MonkeyPatch, step: float, told: int) -> None:
    monkeypatch.setattr(events, "time", Clock(step))
    seen: list[Event] = []
    progress = Progress(seen.append, "reading", 1000)
    assert sum(map(len, progress.counting(b"x" for _ in range(1000)))) == 1000
    assert progress.done == 1000
    assert seen[0] == Event(EventKind.STEP, "reading", 0, 1000)
    assert len(seen) == pytest.approx(told + 1, abs=1)
    assert [each.done for each in seen] == sorted(each.done for each in seen)
    assert {each.kind for each in seen[1:]} <= {EventKind.PROGRESS}


def test_an_event_is_one_line_of_json() -> None:
    event = Event(EventKind.PROGRESS, "reading", 3, 500, Unit.INFS)
    assert from_json(to_json(event), Event) == event
    assert "\n" not in to_json(event)
