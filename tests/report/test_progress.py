"""What is said of how far long work is."""

import pytest

from bootgraft.events import Event, EventKind, Unit
from bootgraft.report.progress import progress_text


@pytest.mark.parametrize(
    ("done", "total", "unit", "seconds", "text"),
    [
        (0, 1000, Unit.BYTES, 1.0, "reading: 0 %"),
        (420_000_000, 10**9, Unit.BYTES, 4.0, "reading: 42 %, 105 MB/s, 0:06 left"),
        (10**9, 20 * 10**9, Unit.BYTES, 100.0, "reading: 5 %, 10 MB/s, 31:40 left"),
        (10**9, 900 * 10**9, Unit.BYTES, 100.0, "reading: 0 %, 10 MB/s, 24:58:20 left"),
        (10**9, 0, Unit.BYTES, 10.0, "reading: 1 GB, 100 MB/s"),
        (1500, 3000, Unit.INFS, 3.0, "reading: 50 %, 500 INFs/s, 0:03 left"),
        (1, 10**15, Unit.BYTES, 9.0, "reading: 0 %"),
        (7, 5, Unit.BYTES, 1.0, "reading: 140 %, 7 bytes/s"),  # a file that grew
    ],
)
def test_per_cent_speed_and_time_left(done: int, total: int, unit: Unit, seconds: float, text: str) -> None:
    assert progress_text(Event(EventKind.PROGRESS, "reading", done, total, unit), seconds) == text
