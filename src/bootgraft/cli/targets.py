"""``bootgraft targets``: every hypervisor:controller, with the ids Windows sees and the drivers it ships for them."""

from bootgraft.cli.options import Options
from bootgraft.cli.terminal import put, put_json
from bootgraft.report.documents.targets import InboxDocument, TargetDocument, TargetsDocument
from bootgraft.targets.controllers import CONTROLLERS, Controller, InboxDriver
from bootgraft.targets.names import HYPERVISORS, other_names


def run(options: Options) -> int:
    """Print the table."""
    if options.json:
        put_json(TargetsDocument(tuple(map(_document, CONTROLLERS))))
        return 0
    width = max(len(each.target) for each in CONTROLLERS)
    for each in CONTROLLERS:
        inbox = ", ".join(_inbox(driver) for driver in each.inbox) or "no driver in any Windows"
        put(f"{each.target:<{width}}  {each.main_id:<50}  {each.title}; {inbox}\n")
    put("\nOther names that --target takes:\n")
    for hypervisor in dict.fromkeys(each.hypervisor for each in CONTROLLERS):
        aliases = [f"{alias}:…" for alias, meant in HYPERVISORS.items() if meant == hypervisor]
        if aliases:
            put(f"{f'{hypervisor}:…':<{width}}  {', '.join(aliases)}\n")
    for each in CONTROLLERS:
        names = [other for other in other_names(each.target) if other.startswith(f"{each.hypervisor}:")]
        if names:
            put(f"{each.target:<{width}}  {', '.join(names)}\n")
    put("The hypervisor may be left out where only one has it, or where --vm gives the machine's description.\n")
    return 0


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
