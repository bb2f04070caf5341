"""Whether a driver that is lacking must come from outside: Windows may have it in one of its own caches."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bootgraft.checks.facts import ControllerFacts
from bootgraft.checks.finding import Finding, Remedy
from bootgraft.registry.hive import Hive
from bootgraft.windows.installation import Installation


def offer(
    installation: Installation, hive: Hive, facts: ControllerFacts, findings: Iterable[Finding]
) -> Iterator[Finding]:
    """The findings, those that a driver mends with the word that this Windows has it itself, where that is so.

    Raises HiveError and FileSystemError for damage on the way.
    """
    place, looked = None, False
    for finding in findings:
        if finding.remedy is not Remedy.DRIVER or finding.device != facts.controller.main_id:
            yield finding
            continue
        if not looked:
            from bootgraft.drivers.inbox import own_driver  # most machines lack nothing

            place, looked = own_driver(installation, hive, facts.controller, bound_service(facts)), True
        if place is None:
            yield finding
        else:
            evidence = f"{facts.place}: {place}: no donor is needed"
            yield replace(finding, remedy=Remedy.OWN_DRIVER, evidence=(*finding.evidence, evidence))


def bound_service(facts: ControllerFacts) -> str | None:
    """The service that the default control set binds to the controller."""
    main_id = facts.controller.main_id
    return next((each.service_name for each in facts.links if each.is_default and each.main_id == main_id), None)
