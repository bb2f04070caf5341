"""Every check there is: the modules of the wings that have a ``CHECK``, in the order in which a start meets them.

A wing may have wings of its own, each with a function ``applies``: for guests to which it does not, it is not imported.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from bootgraft.checks.check import Check
from bootgraft.checks.finding import FindingDoc, Stage
from bootgraft.checks.guest import Guest


def checks(stage: Stage, guest: Guest | None = None) -> tuple[Check, ...]:
    """The checks of one stage, which is the wing that their modules lie in; those that apply to the guest, if given."""
    return tuple(sorted(_declared(f"bootgraft.checks.{stage}", guest), key=lambda check: check.rank))


def documentation() -> tuple[FindingDoc, ...]:
    """What is said about every finding id that bootgraft knows."""
    return tuple(doc for stage in Stage for check in checks(stage) for doc in check.docs)


def _declared(wing: str, guest: Guest | None) -> Iterator[Check]:
    own, wings = _contents(wing)
    yield from own
    for name in wings:
        if guest is None or import_module(name).applies(guest):
            yield from _declared(name, guest)


@cache
def _contents(wing: str) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """The checks of a wing's own modules, and its wings by name: asked for again on each controller."""
    folder = Path(import_module(wing).__path__[0])  # pkgutil would load inspect, with tokenize, ast and dis
    modules = [import_module(f"{wing}.{each.stem}") for each in sorted(folder.glob("[!_]*.py"))]
    declared = (getattr(module, "CHECK", None) for module in modules)
    wings = sorted(each.parent.name for each in folder.glob("*/__init__.py"))
    return tuple(each for each in declared if isinstance(each, Check)), tuple(f"{wing}.{each}" for each in wings)
