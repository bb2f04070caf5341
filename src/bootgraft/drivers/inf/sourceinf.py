"""One INF of a source: read once, parsed only where it may serve the device that a driver is wanted for."""

from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

from bootgraft.drivers.inf.mentions import mentioned
from bootgraft.drivers.inf.text import InfFile, decode_inf, parse_inf
from bootgraft.errors import DriverSourceError


class SourceInf(Struct, frozen=True, dict=True):
    """One INF of a source by its content; ``unread`` says why that could not be read."""

    path: str
    data: bytes
    unread: str = ""

    @property
    def inf(self) -> InfFile | None:
        """The file, parsed; None where :attr:`fault` says why it cannot be used."""
        return self._parsed[0]

    @property
    def fault(self) -> str:
        """Why it cannot be used, for people; empty where it can."""
        return self._parsed[1]

    def may_name(self, ids: Iterable[str]) -> bool:
        """Whether the INF may serve a device with one of these ids, which are case-folded and have a backslash each."""
        return self._mentioned is None or not self._mentioned.isdisjoint(ids)

    @cached_property
    def _parsed(self) -> tuple[InfFile | None, str]:
        if self.unread:
            return None, self.unread
        try:
            return parse_inf(self.data, self.path), ""
        except DriverSourceError as error:  # one damaged INF must not hide the others
            return None, f"{error.what} ({error.where})"

    @cached_property
    def _mentioned(self) -> frozenset[str] | None:
        if self.unread:
            return None
        try:
            return mentioned(decode_inf(self.data, self.path))
        except DriverSourceError:
            return None
