"""What a user says that the screen shows."""

from difflib import get_close_matches

from bootgraft.checks.screens import code_in, code_of, find_symptom
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import UsageError


def symptom_of(said: str) -> Symptom:
    """The symptom that ``--symptom`` describes; raises UsageError where nothing is known of it."""
    symptom = find_symptom(said)
    if symptom is not None:
        return symptom
    code = code_in(said)
    if code is not None:
        raise no_such_code(code, where="--symptom")
    near = get_close_matches(said.casefold(), list(Symptom), 1)
    raise UsageError(
        f"it is not known what {said!r} on a screen means",
        where="--symptom",
        advice=f"Known are {', '.join(Symptom)}",
        said=said,
        choices=[(near[0],)] if near else [],
    )


def no_such_code(code: int, *, where: str) -> UsageError:
    """The error for a number of which nothing is known."""
    known = ", ".join(each for each in Symptom if code_of(each) is not None)
    return UsageError(f"nothing is known of the code 0x{code:x}", where=where, advice=f"Known are {known}")
