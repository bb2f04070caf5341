"""Whether a driver that is lacking must come from outside: Windows may have it in one of its own caches."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from bootgraft.checks.controller.facts import ControllerFacts, LinkFacts
from bootgraft.checks.finding import Finding, Remedy
from bootgraft.registry.hive import Hive
from bootgraft.windows.installation import Installation


def offer(
    installation: Installation, hive: Hive, facts: ControllerFacts, findings: Iterable[Finding]
) -> Iterator[Finding]:
    """The findings, those that a driver mends with the word that this Windows has it itself, where that is so.

    Raises HiveError and FileSystemError for damage on the way.
    """
    known: dict[str, str | None] = {}
    for finding in findings:
        link = default_link(facts, finding.device)
        if finding.remedy is not Remedy.DRIVER or link is None:
            yield finding
            continue
        if link.main_id not in known:
            known[link.main_id] = _own(installation, hive, facts, link)
        place = known[link.main_id]
        if place is None:
            yield finding
        else:
            evidence = f"{facts.place}: {place}: no donor is needed"
            yield replace(finding, remedy=Remedy.OWN_DRIVER, evidence=(*finding.evidence, evidence))


def _own(installation: Installation, hive: Hive, facts: ControllerFacts, link: LinkFacts) -> str | None:
    """Where this Windows has the driver of a device itself, in words."""
    from bootgraft.drivers.guest.inbox import own_driver  # most machines lack nothing

    place = own_driver(installation, hive, link.link, link.service_name)
    if place is None and link.main_id == facts.controller.main_id:
        from bootgraft.drivers.guest.staged import staged_for

        place = staged_for(installation, hive, facts.controller)
    return place


def default_link(facts: ControllerFacts, device: str | None) -> LinkFacts | None:
    """What the default control set holds for the device of that main id."""
    return next((each for each in facts.links if each.is_default and each.main_id == device), None)
