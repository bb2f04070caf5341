"""Sentences that several checks share."""

from bootgraft.checks.controller.facts import ControllerFacts, LinkFacts
from bootgraft.checks.finding import Severity


def severity_in(link: LinkFacts) -> Severity:
    """A lack in the default control set stops the boot; in another one only a start from that set."""
    return Severity.BLOCKER if link.is_default else Severity.WARNING


def consequence(facts: ControllerFacts, link: LinkFacts) -> str:
    """What a lack in this control set leads to."""
    if link.is_default:
        return (
            f"{link.control_set} is the default control set, so {facts.product} stops with 0x7B "
            "INACCESSIBLE_BOOT_DEVICE before it can mount its own volume."
        )
    return (
        f"{link.control_set} is not the default control set: it matters when Windows falls back to it "
        "(Last Known Good Configuration)."
    )
