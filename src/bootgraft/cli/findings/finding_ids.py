"""The ids of findings that ``--fix`` and ``--skip`` take."""

from collections.abc import Sequence
from difflib import get_close_matches

from bootgraft.checks.catalogue import documentation
from bootgraft.errors import UsageError


def check_ids(fix: Sequence[str], skip: Sequence[str]) -> None:
    """Raise UsageError for an id that no finding has, or one that is to be fixed and left as it is."""
    known = [doc.id for doc in documentation()]
    for option, given in (("--fix", fix), ("--skip", skip)):
        for each in given:
            if each not in known:
                near = get_close_matches(each, known, 1)
                raise UsageError(
                    f"no finding has the id {each}",
                    where=option,
                    advice="To list them all, run:\n    bootgraft explain",
                    said=each,
                    choices=[(near[0],)] if near else [],
                    id="finding-unknown",
                )
    both = sorted(set(fix) & set(skip))
    if both:
        raise UsageError(
            f"{both[0]} is to be fixed and to be left as it is", where="--skip", advice="Leave one of the two out"
        )
