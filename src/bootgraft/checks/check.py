"""How a check declares itself: what it documents, when in a start it is met, and what it finds on a guest."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from bootgraft.checks.finding import Finding, FindingDoc, Stage
from bootgraft.checks.guest import Guest


class Check(Struct, frozen=True):
    """One module's declaration, its constant ``CHECK``; all there is of them is found by :mod:`.catalogue`.

    ``rank`` orders the checks of a stage as a start meets what they look at. ``find`` is None where nothing is found
    on a guest as it lies. ``general`` findings are left out where a finding of the same stage ``explains`` more.
    """

    stage: Stage
    rank: int
    docs: tuple[FindingDoc, ...]
    find: Callable[[Guest], Iterable[Finding]] | None
    general: bool = False
