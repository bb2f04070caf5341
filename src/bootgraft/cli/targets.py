"""``bootgraft targets``: every hypervisor:controller, with the ids Windows sees and the drivers it ships for them."""

import json
from typing import TypedDict

from bootgraft.cli.options import Options
from bootgraft.cli.terminal import put
from bootgraft.targets.controllers import ALIASES, CONTROLLERS, Controller, InboxDriver


class InboxDocument(TypedDict):
    """One in-box driver, with the first and last NT version that ships it."""

    service: str
    first: str
    last: str


class TargetDocument(TypedDict):
    """One row of ``targets --json``."""

    target: str
    aliases: list[str]
    title: str
    attachment: str
    device_ids: list[str]
    inbox: list[InboxDocument]


def run(options: Options) -> int:
    """Print the table."""
    if options.json:
        put(json.dumps([_document(each) for each in CONTROLLERS]) + "\n")
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
    return {
        "target": controller.target,
        "aliases": list(controller.aliases),
        "title": controller.title,
        "attachment": controller.attachment.value,
        "device_ids": list(controller.device_ids()),
        "inbox": [
            {"service": each.service, "first": _version(each.first), "last": _version(each.last)}
            for each in controller.inbox
        ],
    }
