"""The command lines of ``bootgraft drivers`` and ``bootgraft kit``, and the requests that come of them."""

import argparse
from collections.abc import Callable
from typing import Any

from bootgraft.drivers.inf.target_windows import known_windows
from bootgraft.errors import UsageError
from bootgraft.worker.ipc.drivers_request import DriversAction, DriversRequest

_SOURCE_HELP = "an INF, a folder, or an ISO, CAB, ZIP, 7z or floppy image with driver packages"

AddOptions = Callable[[argparse.ArgumentParser], None]


def add_sub_commands(
    parser: argparse.ArgumentParser,
    add_general: AddOptions,
    add_images: AddOptions,
    kind: type[argparse.ArgumentParser],
) -> None:
    """Add the sub-commands; ``add_general`` and ``add_images`` add what every command, and every one on images, has."""
    commands = parser.add_subparsers(dest="action", metavar="SUBCOMMAND", required=True, parser_class=kind)

    def command(action: DriversAction, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(action.value, help=text, description=text)

    listing = command(DriversAction.LIST, "every driver package in a source, and the controllers that it serves")
    listing.add_argument("source", metavar="SOURCE", help=_SOURCE_HELP)
    add_general(listing)
    show = command(DriversAction.SHOW, "which package of a source would be chosen for a controller, and why")
    show.add_argument("source", metavar="SOURCE", help=_SOURCE_HELP)
    show.add_argument("--target", metavar="T", required=True, help="HYPERVISOR:CONTROLLER (see `targets`)")
    show.add_argument("--windows", metavar="VERSION", help="xp, 2003, 7, 2008r2, 10, ... or 6.1 (default: every one)")
    show.add_argument("--arch", metavar="ARCH", help="x86, x64 or arm64 (default: every one)")
    add_general(show)
    harvest = command(DriversAction.HARVEST, "take a controller's driver out of a machine that works")
    add_images(harvest)
    harvest.add_argument("--target", metavar="T", required=True, help="the controller that the machine runs on")
    harvest.add_argument("--out", metavar="DIR", required=True, help="the folder to write it to")


def take_request(given: dict[str, Any]) -> None:
    """Put the request that parsed arguments ask for into them, in place of what only it needs."""
    action = DriversAction(given["action"])
    if "source" in given:
        given["drivers"] = [given.pop("source")]
    version = given.pop("windows", None) if action is DriversAction.SHOW else None
    given["drivers_request"] = DriversRequest(action, version, given.get("arch"), given["verbose"])


def add_kit(parser: argparse.ArgumentParser, add_images: Callable[..., None]) -> None:
    """Add what ``kit`` takes; ``add_images`` adds what every command on images has."""
    add_images(parser, some=False)
    parser.add_argument(
        "--image", action="append", default=[], metavar="IMAGE", help="the same as IMAGE: what it has is left out"
    )
    parser.add_argument("--target", metavar="T", required=True, help="HYPERVISOR:CONTROLLER (see `targets`)")
    parser.add_argument("--windows", metavar="VERSION", help="nt4, 2000, xp, 2003, 7, 2008r2, 10, ... (an image tells)")
    parser.add_argument("--arch", metavar="ARCH", help="x86, x64 or arm64 (default: x86 up to 2003, x64 later)")
    parser.add_argument(
        "--drivers", action="append", default=[], metavar="SOURCE", help=f"{_SOURCE_HELP}, or a donor's disk"
    )
    parser.add_argument("--reg", action="append", default=[], metavar="FILE", help="a driver's exported .reg file")
    parser.add_argument("--file", action="append", default=[], metavar="SYS", help="the driver file that belongs to it")
    parser.add_argument("--out", metavar="DIR|ZIP", required=True, help="a new or empty folder, or a new .zip file")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be in it")


def take_kit_request(given: dict[str, Any]) -> None:
    """Put the request that the parsed arguments of ``kit`` ask for into them, in place of what only it needs."""
    given["images"] = [*given["images"], *given.pop("image")]
    version = given.pop("windows")
    if version is None and not given["images"]:
        raise UsageError("it is not known for which Windows", where="kit", advice="Give --windows, or an image of it")
    if version is not None or given["arch"] is not None:
        known_windows(version, given["arch"])  # a wrong name is told before anything is read
    given["drivers_request"] = DriversRequest(DriversAction.KIT, version, given["arch"], given["verbose"])
