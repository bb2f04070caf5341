"""Grouped horizontal bars as SVG."""

import math
from collections.abc import Iterator
from xml.etree import ElementTree as ET

Rows = dict[str, dict[str, float]]
"""For each series, its value by group."""

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000")
"""Okabe and Ito's, which people who see few colours can tell apart."""
_WIDTH, _LEFT, _RIGHT, _TOP = 900, 250, 70, 40
_BAR, _GAP, _LINE = 14, 10, 18
_FAR_APART = 20
"""From this ratio of the longest to the shortest on, the axis is logarithmic."""


def bars(title: str, rows: Rows) -> str:
    """The picture: a group of bars for each group, in the order in which they come, each with its value beside it."""
    groups = list(dict.fromkeys(name for row in rows.values() for name in row))
    heights = [_BAR * sum(group in row for row in rows.values()) + _GAP for group in groups]
    height = _TOP + sum(heights) + _LINE * (len(rows) + 2)
    picture = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", width=str(_WIDTH), height=str(height))
    picture.set("font-family", "sans-serif")
    picture.set("font-size", "12")
    _put(picture, "rect", width=_WIDTH, height=height, fill="white")
    scale = _Scale([value for row in rows.values() for value in row.values()])
    note = ", logarithmic axis" if scale.is_logarithmic else ""
    _put(picture, "text", title + note, x=10, y=24, style="font-size: 15px")
    bottom = _TOP + sum(heights)
    for tick in scale.ticks():
        _put(picture, "line", x1=scale.at(tick), x2=scale.at(tick), y1=_TOP, y2=bottom, stroke="#ddd")
        _put(picture, "text", f"{tick:g}", x=scale.at(tick), y=bottom + _LINE - 4, fill="#555", **_MIDDLE)
    top = _TOP
    for group, tall in zip(groups, heights, strict=True):
        _put(picture, "text", group, x=_LEFT - 8, y=top + tall / 2 + 4 - _GAP / 2, **_END)
        own = [(colour, row[group]) for colour, row in zip(_colours(), rows.values(), strict=False) if group in row]
        for index, (colour, value) in enumerate(own):
            y, long = top + index * _BAR, scale.at(value) - _LEFT
            _put(picture, "rect", x=_LEFT, y=y, width=f"{long:.1f}", height=_BAR - 2, fill=colour)
            _put(picture, "text", f"{value:.3g}", x=f"{_LEFT + long + 4:.1f}", y=y + 10, fill="#333")
        top += tall
    for number, (colour, name) in enumerate(zip(_colours(), rows, strict=False), start=1):
        y = bottom + _LINE * number + 8
        _put(picture, "rect", x=_LEFT, y=y, width=12, height=12, fill=colour)
        _put(picture, "text", name, x=_LEFT + 18, y=y + 10)
    return ET.tostring(picture, encoding="unicode") + "\n"


_MIDDLE = {"text-anchor": "middle"}
_END = {"text-anchor": "end"}


class _Scale:
    """From values to places on the axis."""

    def __init__(self, values: list[float]) -> None:
        self._longest = max(values)
        self._least = 10 ** math.floor(math.log10(min(values)))
        self.is_logarithmic = self._longest > _FAR_APART * min(values)

    def at(self, value: float) -> float:
        """Where the value lies."""
        share = value / self._longest
        if self.is_logarithmic:
            share = math.log(value / self._least) / math.log(self._longest / self._least)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def ticks(self) -> Iterator[float]:
        """Round values along the axis."""
        if self.is_logarithmic:
            exponent = round(math.log10(self._least))
            while (tick := 10.0**exponent) <= self._longest:
                yield tick
                exponent += 1
            return
        step = 10 ** math.floor(math.log10(self._longest))
        step = next(each for each in (step / 5, step / 2, step, step * 2) if self._longest / each <= 8)
        yield from (number * step for number in range(1 + int(self._longest / step)))


def _colours() -> Iterator[str]:
    while True:
        yield from _COLOURS


def _put(parent: ET.Element, tag: str, text: str = "", **attributes: object) -> None:
    element = ET.SubElement(parent, tag, {name: str(value) for name, value in attributes.items()})
    element.text = text or None
