"""DER, the encoding that certificates and signatures are written in: just enough of it, and nothing that is lax.

ITU-T X.690. A reader of our own: what is read of a signature is verified here too, over the exact bytes; asn1crypto
verifies nothing, takes 50 ms to import, was last released in 2022, and tells damage where a value is first used, by
ValueError, KeyError, TypeError, AttributeError or UnicodeDecodeError (1,500 mutations of one signature). Elements are
places in one buffer: nothing is copied on the way down, and nothing grows with what hostile lengths promise.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec import Struct

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x01, 0x02, 0x03, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31
MAX_CHILDREN = 200_000
"""Elements in one other: a catalog of a Windows' cumulative update lists some tens of thousands of files."""

_MAX_OID = 64
_TEXTS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1A: "ascii", 0x1E: "utf-16-be"}


class DerError(ValueError):
    """What should be DER is none; the text says what, for people."""


class DerElement(Struct, frozen=True):
    """One element: it begins at ``start`` of the data, its content lies from ``body`` to ``end``."""

    tag: int
    data: bytes
    start: int
    body: int
    end: int

    @property
    def content(self) -> bytes:
        """Its bytes without tag and length."""
        return self.data[self.body : self.end]

    @property
    def encoded(self) -> bytes:
        """All its bytes."""
        return self.data[self.start : self.end]

    def children(self) -> Iterator["DerElement"]:
        """The elements in it, in order."""
        offset, count = self.body, 0
        while offset < self.end:
            element = _read(self.data, offset, self.end)
            offset = element.end
            count += 1
            if count > MAX_CHILDREN:
                raise DerError(f"an element has more than {MAX_CHILDREN} parts")
            yield element

    def require(self, tag: int, what: str) -> "DerElement":
        """The element itself, if it has this tag."""
        if self.tag != tag:
            raise DerError(f"{what} has the tag {self.tag:#04x}, where {tag:#04x} belongs")
        return self

    def integer(self) -> int:
        """A number."""
        content = self.require(INTEGER, "a number").content
        if not content:
            raise DerError("a number is empty")
        return int.from_bytes(content, "big", signed=True)

    def bits(self) -> bytes:
        """A bit string of whole bytes."""
        content = self.require(BIT_STRING, "a bit string").content
        if not content or content[0]:
            raise DerError("a bit string is no string of whole bytes")
        return content[1:]

    def oid(self) -> str:
        """An object identifier, as ``1.2.840.113549``."""
        if self.end - self.require(OID, "an object identifier").body > _MAX_OID:
            raise DerError("an object identifier is too long")
        content = self.content
        if not content or content[-1] & 0x80:
            raise DerError("an object identifier is cut short")
        numbers, value = [], 0
        for byte in content:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))

    def text(self) -> str | None:
        """A text of any kind that names are written in; None for anything else."""
        encoding = _TEXTS.get(self.tag)
        return None if encoding is None else self.content.decode(encoding, "replace")

    def time(self) -> datetime:
        """A moment in UTC, of either kind; parts of a second are dropped."""
        text = self.content.decode("ascii", "replace")
        if self.tag == UTC_TIME and text[:2].isdecimal():
            text = f"{'19' if int(text[:2]) >= 50 else '20'}{text}"
        elif self.tag != GENERALIZED_TIME:
            raise DerError("a time is none")
        seconds, _, fraction = text.removesuffix("Z").partition(".")
        try:
            if not text.endswith("Z") or len(seconds) != 14 or (fraction and not fraction.isdecimal()):
                raise DerError("a time is not written as one of UTC")
            return datetime.strptime(seconds, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError as error:
            raise DerError("a time is not written as one of UTC") from error


def parse(data: bytes) -> DerElement:
    """The element that the bytes begin with; what follows it (padding) is not looked at.

    Raises DerError, as everything on an element does.
    """
    return _read(data, 0, len(data))


def parts(element: DerElement, what: str, *, tag: int = SEQUENCE, at_least: int = 1) -> list[DerElement]:
    """The elements in an element that must have this tag and so many parts."""
    found = list(element.require(tag, what).children())
    if len(found) < at_least:
        raise DerError(f"{what} has {len(found)} parts, fewer than {at_least}")
    return found


def context(number: int) -> int:
    """The tag of a constructed element of context-specific class: ``[0]``."""
    return 0xA0 | number


def _read(data: bytes, offset: int, limit: int) -> DerElement:
    if offset + 2 > limit:
        raise DerError("it ends within an element")
    tag, length = data[offset], data[offset + 1]
    if tag & 0x1F == 0x1F:
        raise DerError("it has a tag of several bytes")
    body = offset + 2
    if length & 0x80:
        size = length & 0x7F
        if not 0 < size <= 4 or body + size > limit:
            raise DerError("the length of an element is not written as DER writes it")
        length = int.from_bytes(data[body : body + size], "big")
        body += size
    if body + length > limit:
        raise DerError("an element is longer than what holds it")
    return DerElement(tag, data, offset, body, body + length)
