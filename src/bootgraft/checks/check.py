"""How a check declares itself: what it documents, when in a start it is met, and what it finds on a guest."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from bootgraft.checks.finding import Finding, FindingDoc, Need, Stage
from bootgraft.checks.guest import Guest

_NEEDED_IN = {
    Stage.CHAIN: Need.NOTHING,
    Stage.MACHINE: Need.WINDOWS,
    Stage.CORE: Need.WINDOWS,
    Stage.CONTROLLER: Need.TARGET,
    Stage.SESSION: Need.WINDOWS,
    Stage.IDENTITY: Need.WINDOWS,
}


class Check(Struct, frozen=True):
    """One module's declaration, its constant ``CHECK``; all there is of them is found by :mod:`.catalogue`.

    ``rank`` orders the checks of a stage as a start meets what they look at. ``find`` is None where nothing is found
    on a guest as it lies. ``general`` findings are left out where a finding of the same stage ``explains`` more.
    ``needs`` is given where it is not what most checks of the stage need.
    """

    stage: Stage
    rank: int
    docs: tuple[FindingDoc, ...]
    find: Callable[[Guest], Iterable[Finding]] | None
    general: bool = False
    needs: Need | None = None

    @property
    def need(self) -> Need:
        """What it must have to look at."""
        return self.needs or _NEEDED_IN[self.stage]
