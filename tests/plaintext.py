"""Texts as they go into a pipe."""

from collections.abc import Callable, Iterable, Iterator
from typing import ParamSpec

from bootgraft.report.layout.lines import Printed, plain

Given = ParamSpec("Given")


def in_plain(make: Callable[Given, Iterable[Printed]]) -> Callable[Given, str]:
    """What the function returns, as it goes into a pipe."""

    def made(*given: Given.args, **named: Given.kwargs) -> str:
        return plain(make(*given, **named))

    return made


def plain_lines(make: Callable[Given, Iterable[Printed]]) -> Callable[Given, Iterator[str]]:
    """The lines that the function returns, as they go into a pipe."""

    def made(*given: Given.args, **named: Given.kwargs) -> Iterator[str]:
        return iter(plain(make(*given, **named)).split("\n")[:-1])

    return made
