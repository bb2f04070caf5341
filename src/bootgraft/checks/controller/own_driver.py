"""Whether a driver that is lacking must come from outside: Windows may have it in one of its own caches."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property

from msgspec.structs import replace

from bootgraft.checks.controller.facts import ControllerFacts, LinkFacts
from bootgraft.checks.finding import Finding, Remedy
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import Controller
from bootgraft.targets.driverchains import Link
from bootgraft.windows.installation import Installation
from bootgraft.windows.startup.core_services import is_shipped_filter


class OwnDrivers:
    """Where one Windows has drivers itself that are not in place: each looked for once, for all controllers.

    Raises HiveError and FileSystemError for damage on the way.
    """

    def __init__(self, installation: Installation, hive: Hive) -> None:
        self._installation = installation
        self._hive = hive
        self._inbox: dict[tuple[Link, str | None], str | None] = {}

    def offer(self, facts: ControllerFacts, findings: Sequence[Finding]) -> Iterator[Finding]:
        """The findings, those that a driver repairs with the word that this Windows has it itself, where that is so.

        What is lacking for another device than the controller, and is not here, comes from no driver source.
        """
        from_source = _from_source(facts, findings)
        for finding in findings:
            link = default_link(facts, finding.device)
            place = None if finding.remedy is not Remedy.DRIVER or link is None else self._place(facts, link)
            if place is None:
                is_lost = finding.remedy is Remedy.DRIVER and finding.device not in from_source
                yield _out_of_reach(finding, link) if is_lost else finding
            else:
                evidence = f"{facts.place}: {place}: no donor is needed"
                yield replace(finding, remedy=Remedy.OWN_DRIVER, evidence=(*finding.evidence, evidence))

    def _place(self, facts: ControllerFacts, link: LinkFacts) -> str | None:
        """Where this Windows has the driver of a device itself, in words."""
        key = (link.link, link.service_name)
        if key not in self._inbox:
            from bootgraft.drivers.guest.inbox import own_driver  # most machines lack nothing

            self._inbox[key] = own_driver(self._installation, self._hive, *key)
        if self._inbox[key] is not None or link.main_id != facts.controller.main_id:
            return self._inbox[key]
        return self._staged_for(facts.controller)

    @cached_property
    def _staged_for(self) -> "Callable[[Controller], str | None]":
        from bootgraft.drivers.guest.staged import StagedInfs, staged_for

        infs = StagedInfs(self._installation)
        return cache(lambda controller: staged_for(self._installation, self._hive, controller, infs))


def _from_source(facts: ControllerFacts, findings: Iterable[Finding]) -> set[str | None]:
    """The devices whose driver a source may give: the controller, and its vendor's filters where that is replaced."""
    main_id = facts.controller.main_id
    devices: set[str | None] = {None, main_id}
    if any(each.remedy is Remedy.DRIVER and each.device in devices for each in findings):
        filters = (each.main_id for each in facts.links if each.link.is_filter)
        devices |= {each for each in filters if not is_shipped_filter(each, facts.version)}
    return devices


def _out_of_reach(finding: Finding, link: LinkFacts | None) -> Finding:
    if link is None or link.service_name is None:
        help_ = f"No driver source helps: only the controller's driver is taken from one, not that of {finding.device}."
    else:
        help_ = (
            f"No driver source helps: what {finding.device} needs is Windows' own. Take it from a machine with the "
            "same Windows: a key by reg export and reg import, a file with the disk attached elsewhere."
        )
    return replace(finding, remedy=Remedy.NONE, explanation=f"{finding.explanation} {help_}")


def default_link(facts: ControllerFacts, device: str | None) -> LinkFacts | None:
    """What the default control set holds for the device of that main id."""
    return next((each for each in facts.links if each.is_default and each.main_id == device), None)
