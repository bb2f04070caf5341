"""What a command was asked to do."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:  # few commands have these
    from bootgraft.changes import EditVmFile
    from bootgraft.targets.descriptions.vmdescription import VmDescription
    from bootgraft.worker.ipc.drivers_request import DriversRequest
    from bootgraft.worker.ipc.registry_request import RegistryRequest


class Options(Struct, frozen=True):
    """The command line, parsed. Options that a command does not have keep their defaults.

    ``is_program``: the process is this command's alone, and ends with it.
    The last five members are what ``--vm`` came to: see ``cli.vm``.
    """

    command: str
    is_program: bool = False
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    events: bool = False
    timeout: float | None = None
    images: tuple[str, ...] = ()
    vm: Path | None = None
    disk: tuple[str, ...] = ()
    format: str | None = None
    allow_path: tuple[Path, ...] = ()
    journal: Path | None = None
    targets: tuple[str, ...] = ()
    windows: str | None = None
    these_are_all_disks: bool = False
    drivers: tuple[str, ...] = ()
    boot_code: tuple[str, ...] = ()
    reg: tuple[str, ...] = ()
    file: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    add_system_partition: bool = False
    dry_run: bool = False
    overlay: Path | None = None
    resume: bool = False
    registry: "RegistryRequest | None" = None
    out: Path | None = None
    topic: tuple[str, ...] = ()
    logs: tuple[Path, ...] = ()
    reset_journal: bool = False
    discard_hibernation: bool = False
    drivers_request: "DriversRequest | None" = None
    isolate: bool = False
    recommend: bool = False
    symptom: str | None = None
    why: bool = False
    undo_all: bool = False
    secure_boot: str | None = None
    description: "VmDescription | None" = None
    controllers: tuple[str | None, ...] = ()
    places: tuple[str, ...] = ()
    sector_sizes: tuple[int | None, ...] = ()
    vm_edit: "EditVmFile | None" = None

    @property
    def covered(self) -> tuple[str, ...]:
        """What a journal may cover: the disks and the machine's description."""
        return self.images if self.vm is None else (*self.images, str(self.vm))

    @staticmethod
    def from_arguments(arguments: argparse.Namespace) -> "Options":
        """Take over what argparse found."""
        given = vars(arguments)
        if given["command"] == "reg":
            from bootgraft.cli.registry.arguments import take_request

            take_request(given)
        if given["command"] == "drivers":
            from bootgraft.cli.drivers_arguments import take_request as take_drivers_request

            take_drivers_request(given)
        if given["command"] == "kit":
            from bootgraft.cli.drivers_arguments import take_kit_request

            take_kit_request(given)
        target = given.pop("target", None)
        if target is not None:
            given["targets"] = target if isinstance(target, list) else [target]
        for name, value in given.items():
            if isinstance(value, list):
                given[name] = tuple(value)
        for name in ("allow_path", "logs"):
            given[name] = tuple(Path(each) for each in given.get(name, ()))
        for name in ("journal", "overlay", "out", "vm"):
            given[name] = Path(given[name]) if given.get(name) else None
        known = set(Options.__struct_fields__)
        return Options(**{name: value for name, value in given.items() if name in known})
