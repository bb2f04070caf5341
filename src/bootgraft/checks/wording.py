"""Sentences that several checks share."""

from bootgraft.checks.facts import ControllerFacts, ControlSetFacts
from bootgraft.checks.finding import Severity


def severity_in(control_set: ControlSetFacts) -> Severity:
    """A lack in the default control set stops the boot; in another one only a start from that set."""
    return Severity.BLOCKER if control_set.is_default else Severity.WARNING


def consequence(facts: ControllerFacts, control_set: ControlSetFacts) -> str:
    """What a lack in this control set leads to."""
    if control_set.is_default:
        return (
            f"{control_set.name} is the default control set, so {facts.product} stops with 0x7B "
            "INACCESSIBLE_BOOT_DEVICE before it can mount its own volume."
        )
    return (
        f"{control_set.name} is not the default control set: it matters when Windows falls back to it "
        "(Last Known Good Configuration)."
    )
