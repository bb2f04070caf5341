"""``bootgraft targets``: every hypervisor:controller, with the ids Windows sees and the drivers it ships for them."""

from bootgraft.cli.options import Options
from bootgraft.cli.terminal import put, put_json
from bootgraft.report.documents.targets import InboxDocument, TargetDocument
from bootgraft.targets.controllers import ALIASES, CONTROLLERS, Controller, InboxDriver


def run(options: Options) -> int:
    """Print the table."""
    if options.json:
        put_json([_document(each) for each in CONTROLLERS])
        return 0
    width = max(len(each.target) for each in CONTROLLERS)
    for each in CONTROLLERS:
        inbox = ", ".join(_inbox(driver) for driver in each.inbox) or "no driver in any Windows"
        put(f"{each.target:<{width}}  {each.main_id:<50}  {each.title}; {inbox}\n")
    for alias, meant in ALIASES.items():
        put(f"{alias}:… is taken for {meant}:…\n")
    return 0


def _inbox(driver: InboxDriver) -> str:
    first, last = _version(driver.first), _version(driver.last)
    return f"{driver.service} in NT {first}" + ("" if first == last else f" to {last}")


def _version(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _document(controller: Controller) -> TargetDocument:
    return TargetDocument(
        target=controller.target,
        aliases=tuple(controller.aliases),
        title=controller.title,
        attachment=controller.attachment,
        device_ids=tuple(controller.device_ids()),
        inbox=tuple(
            InboxDocument(service=each.service, first=_version(each.first), last=_version(each.last))
            for each in controller.inbox
        ),
    )
