"""A hive file with replayed pages over it: what Windows would have in memory after recovery."""

from bootgraft.registry.baseblock import PAGE
from bootgraft.registry.pages import Storage


class ReplayedFile:
    """A storage that reads as the recovered hive and keeps what is written to it until the base block comes.

    So nothing reaches the file while the hive is only looked at, and a commit of edits carries the replayed pages with
    it: first all pages, ascending, then the base block, which alone makes them count. All numbers are bytes.
    """

    def __init__(self, primary: Storage) -> None:
        self._primary = primary
        self._primary_size = primary.size
        self._pages: dict[int, bytearray] = {}
        self.size = self._primary_size

    def put(self, offset: int, data: bytes) -> None:
        """Lay bytes over the file, beyond its end too."""
        at = 0
        while at < len(data):
            number, inside = divmod(offset + at, PAGE)
            piece = data[at : at + PAGE - inside]
            page = self._pages.get(number)
            if page is None:
                page = bytearray(PAGE) if len(piece) == PAGE else self._original(number)
                self._pages[number] = page
            page[inside : inside + len(piece)] = piece
            at += len(piece)

    def resize(self, size: int) -> None:
        """Set where the hive ends: the file grows to it where it is shorter; pages laid behind it are dropped."""
        self.size = max(self._primary_size, size)
        for number in [number for number in self._pages if number * PAGE >= size]:
            del self._pages[number]

    @property
    def replayed_bytes(self) -> int:
        """Bytes of the pages that lie over the file, without the base block."""
        return (len(self._pages) - (0 in self._pages)) * PAGE

    @property
    def is_covered(self) -> bool:
        """Whether the pages hold all bytes by which the file grows."""
        if self.size == self._primary_size:
            return True
        grown = range(self._primary_size // PAGE, -(-self.size // PAGE))
        return len(grown) <= len(self._pages) and all(number in self._pages for number in grown)

    def read(self, offset: int, length: int, /) -> bytes:
        """Return up to ``length`` bytes from ``offset``; fewer only at the end."""
        end = min(offset + length, self.size)
        if end <= offset:
            return b""
        data = bytearray(self._primary.read(offset, end - offset).ljust(end - offset, b"\0"))
        for number in range(offset // PAGE, -(-end // PAGE)):
            page = self._pages.get(number)
            if page is not None:
                start, stop = max(number * PAGE, offset), min((number + 1) * PAGE, end)
                data[start - offset : stop - offset] = page[start - number * PAGE : stop - number * PAGE]
        return bytes(data)

    def write(self, offset: int, data: bytes, /) -> None:
        """Lay bytes over the file; those of the base block bring everything that lies over it into the file."""
        self.put(offset, data)
        self.size = max(self.size, offset + len(data))
        if offset < PAGE:
            self._write_through()

    def _write_through(self) -> None:
        base = self._pages.pop(0)
        for number in sorted(self._pages):
            start = number * PAGE
            self._primary.write(start, bytes(self._pages[number][: self.size - start]))
        self._pages.clear()
        self._primary.write(0, bytes(base))
        self._primary_size = self.size

    def _original(self, number: int) -> bytearray:
        return bytearray(self._primary.read(number * PAGE, PAGE).ljust(PAGE, b"\0"))
