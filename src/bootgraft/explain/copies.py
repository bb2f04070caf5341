"""Temporary files without a name for archives that have to be copied: those in a pipe, and those in an archive.

A process that is about to be kept from making files opens them before.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import IO

AT_ONCE = 3
"""As many as archives are nested, with the one that came through a pipe."""
_IN_MEMORY = 1 << 20


class Copies:
    """Hands out empty files: of the ``spare`` ones, or new ones, which are in memory as long as they are small."""

    def __init__(self, spare: Sequence[IO[bytes]] = ()) -> None:
        self._spare = list(spare)

    @contextmanager
    def take(self) -> Iterator[IO[bytes]]:
        """A file for as long as the block. Raises OSError where none can be made."""
        if not self._spare:
            with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
                yield file
            return
        spare = self._spare.pop()
        try:
            yield spare
        finally:
            spare.seek(0)
            spare.truncate()
            self._spare.append(spare)


@contextmanager
def opened_before() -> Iterator[Copies]:
    """Copies whose files are open already, where the system has room for such."""
    with ExitStack() as stack:
        spare: list[IO[bytes]] = []
        with suppress(OSError):
            spare += (stack.enter_context(TemporaryFile()) for _ in range(AT_ONCE))
        yield Copies(spare)
