"""How long is waited: for one answer of a server, and for all the work until the images are written (``--timeout``).

From then on there is no deadline for the whole: what was begun is finished, or ends with a server that does not answer.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from msgspec import Struct
from msgspec.structs import replace

DEFAULT = 60.0
"""Seconds for one answer: a server may replay a log before its greeting, and storage may pause and come back."""
_LEAST = 0.05


class _Patience(Struct, frozen=True):
    seconds: float = DEFAULT
    until: float | None = None  # on the monotonic clock


_patience: ContextVar[_Patience] = ContextVar("patience", default=_Patience())  # noqa: B039  frozen


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Wait no longer than this in the block, for each answer and for the whole; as ever where it is None."""
    if seconds is None:
        yield
        return
    kept = _patience.set(_Patience(seconds, time.monotonic() + seconds))
    try:
        yield
    finally:
        _patience.reset(kept)


def seconds_to_wait() -> float:
    """How long the next answer is waited for."""
    patience = _patience.get()
    if patience.until is None:
        return patience.seconds
    return max(_LEAST, min(patience.seconds, patience.until - time.monotonic()))


def begin_to_write() -> None:
    """Give the whole as long as it takes: an image must not be left half written because time is up."""
    _patience.set(replace(_patience.get(), until=None))


def may_be_ended() -> bool:
    """Whether the work ends where its time is up: nothing is being written."""
    return _patience.get().until is not None
