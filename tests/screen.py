"""What a command wrote on a terminal, as its screen shows it."""

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:  # only what looks at screens needs it
    import pyte

_ROWS = 400
"""Lines that a screen holds: nothing scrolls away."""


class Shown(Struct, frozen=True):
    """How a command ended, and what it wrote on a terminal of so many columns."""

    status: int
    written: bytes
    columns: int

    @property
    def lines(self) -> list[str]:
        """The screen, without blanks at the ends of lines and lines at its end that are empty."""
        return "\n".join(line.rstrip() for line in self._screen().display).rstrip("\n").split("\n")

    @property
    def text(self) -> str:
        """The lines with their ends."""
        return "".join(f"{line}\n" for line in self.lines)

    def colour_of(self, words: str) -> str:
        """The colour of the place that begins with these words: ``default`` where it has none."""
        screen = self._screen()
        row = next(number for number, line in enumerate(screen.display) if words in line)
        colour: str = screen.buffer[row][screen.display[row].index(words)].fg
        return colour

    def _screen(self) -> "pyte.Screen":
        import pyte

        screen = pyte.Screen(self.columns, _ROWS)
        pyte.ByteStream(screen).feed(self.written)
        return screen
