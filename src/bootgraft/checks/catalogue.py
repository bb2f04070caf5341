"""Every check there is: the modules of the wings that have a ``CHECK``, in the order in which a start meets them."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from bootgraft.checks.check import Check
from bootgraft.checks.finding import FindingDoc, Stage


@cache
def checks(stage: Stage) -> tuple[Check, ...]:
    """The checks of one stage, which is the wing that their modules lie in."""
    return tuple(sorted(_declared(stage), key=lambda check: check.rank))


def documentation() -> tuple[FindingDoc, ...]:
    """What is said about every finding id that bootgraft knows."""
    return tuple(doc for stage in Stage for check in checks(stage) for doc in check.docs)


def _declared(stage: Stage) -> Iterator[Check]:
    wing = import_module(f"bootgraft.checks.{stage}")
    for name in sorted(module.name for module in iter_modules(wing.__path__)):
        check = getattr(import_module(f"{wing.__name__}.{name}"), "CHECK", None)
        if isinstance(check, Check):
            yield check
