"""``bootgraft targets``: every hypervisor:controller, with the ids Windows sees and the drivers it ships for them."""

from collections.abc import Iterator

from bootgraft.cli.options import Options
from bootgraft.cli.terminal import put_json, show
from bootgraft.report.documents.targets import InboxDocument, TargetDocument, TargetsDocument
from bootgraft.report.layout.lines import Printed, rows
from bootgraft.targets.controllers import CONTROLLERS, Controller, InboxDriver
from bootgraft.targets.names import HYPERVISORS, other_names

_ID = 50
"""Columns of an id, at least."""


def run(options: Options) -> int:
    """Print the table."""
    if options.json:
        put_json(TargetsDocument(tuple(map(_document, CONTROLLERS))))
        return 0
    show(tuple(_lines()))
    return 0


def _lines() -> Iterator[Printed]:
    least = (max(len(each.target) for each in CONTROLLERS), _ID)
    yield from rows([(each.target, each.main_id, _title(each)) for each in CONTROLLERS], least=least)
    yield from ("", "Other names that --target takes:")
    yield from rows([*_names_of_hypervisors(), *_names_of_targets()], least=least)
    yield "The hypervisor may be left out where only one has it, or where --vm gives the machine's description."


def _title(controller: Controller) -> str:
    inbox = ", ".join(_inbox(driver) for driver in controller.inbox) or "no driver in any Windows"
    return f"{controller.title}; {inbox}"


def _names_of_hypervisors() -> Iterator[tuple[str, str]]:
    for hypervisor in dict.fromkeys(each.hypervisor for each in CONTROLLERS):
        aliases = [f"{alias}:…" for alias, meant in HYPERVISORS.items() if meant == hypervisor]
        if aliases:
            yield f"{hypervisor}:…", ", ".join(aliases)


def _names_of_targets() -> Iterator[tuple[str, str]]:
    for each in CONTROLLERS:
        names = [other for other in other_names(each.target) if other.startswith(f"{each.hypervisor}:")]
        if names:
            yield each.target, ", ".join(names)


def _inbox(driver: InboxDriver) -> str:
    first, last = _version(driver.first), _version(driver.last)
    return f"{driver.service} in NT {first}" + ("" if first == last else f" to {last}")


def _version(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _document(controller: Controller) -> TargetDocument:
    return TargetDocument(
        target=controller.target,
        aliases=other_names(controller.target),
        title=controller.title,
        attachment=controller.attachment,
        device_ids=tuple(controller.device_ids()),
        inbox=tuple(
            InboxDocument(service=each.service, first=_version(each.first), last=_version(each.last))
            for each in controller.inbox
        ),
    )
