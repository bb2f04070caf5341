"""What a user says that the screen shows."""

from bootgraft.checks.screens import code_of
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import UsageError


def no_such_code(code: int, *, where: str) -> UsageError:
    """The error for a number of which nothing is known."""
    known = ", ".join(each for each in Symptom if code_of(each) is not None)
    return UsageError(f"nothing is known of the code 0x{code:x}", where=where, advice=f"Known are {known}")
