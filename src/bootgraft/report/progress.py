"""How far long work is, for people."""

from bootgraft.events import Event, Unit

_SIZES = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))
_LONGEST = 99 * 3600
"""Seconds beyond which no time is told: it would be a guess."""


def progress_text(event: Event, seconds: float) -> str:
    """``reading a.log: 42 %, 113 MB/s, 0:25 left`` of a step that has taken some ``seconds``."""
    parts = [f"{100 * event.done // event.total} %" if event.total else _amount(event.done, event.unit)]
    pace = event.done / seconds if seconds > 0 else 0.0
    if pace >= 1:
        parts.append(f"{_amount(int(pace), event.unit)}/s")
        left = (event.total - event.done) / pace
        if 0 <= left < _LONGEST and event.total:
            parts.append(f"{_clock(round(left))} left")
    return f"{event.text}: {', '.join(parts)}"


def _amount(count: int, unit: Unit) -> str:
    if unit is not Unit.BYTES:
        return f"{count} {unit}"
    size, name = next(((size, name) for size, name in _SIZES if count >= size), (1, "bytes"))
    return f"{count / size:.3g} {name}" if count < 1000 * size else f"{count // size} {name}"


def _clock(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
