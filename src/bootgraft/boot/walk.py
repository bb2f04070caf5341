"""One walk along the boot chain: the links that hold so far, and what every link needs to look at."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from bootgraft.boot import search
from bootgraft.boot.steps import BootTarget, BrokenLinkError, Step, broken
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.filesystems.base import Entry, FileSystem
from bootgraft.machine import Machine, Volume
from bootgraft.text import printable

if TYPE_CHECKING:  # it is built from what is in here
    from bootgraft.boot.bootmgr.bcd_menu import Menu
    from bootgraft.boot.ntldr.bootini import BootEntry, BootIni


class ChainWalk:
    """Collects the steps that hold; its look-ups raise BrokenLinkError where a volume cannot be read."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.steps: list[Step] = []
        self.store: Menu | None = None  # the BCD store that was read
        self.menu: BootIni | None = None  # the boot.ini or freeldr.ini that was read
        self.entry: BootEntry | None = None  # the entry of it that is started
        self.menu_targets: Callable[[], Iterable[BootTarget]] = tuple  # what a BCD store that was read displays

    def record_step(self, what: str, where: str, *evidence: str, link: str = "") -> None:
        """Record a link that holds; ``link`` is what the chain in one line calls it."""
        self.steps.append(Step(what, where, "; ".join(evidence), holds=True, link=link))

    def mount(self, volume: Volume, role: str) -> FileSystem:
        """Open the file system of a volume: a link of its own. ``role`` names the volume at the start of a sentence."""
        try:
            filesystem = volume.filesystem()
        except (FileSystemError, PartitionTableError) as error:
            from bootgraft.boot.unsupported_volume import explain  # most volumes can be read

            cause = explain(self.machine, volume)
            evidence = f"{error.what}. {error.advice}" if cause is None else f"{cause.evidence}. {cause.advice}"
            what = f"{role} cannot be read" if cause is None else f"{role} is {cause.what}"
            # Where the cause is known, it may well boot: only bootgraft cannot look inside.
            step = Step(what, volume.name, evidence, holds=False)
            raise BrokenLinkError(step, understood=cause is None, unsupported_volume=cause) from error
        label = f" '{printable(filesystem.label)}'" if filesystem.label else ""
        state = filesystem.state.value.replace("-", " ")
        self.record_step(f"{role} can be read", volume.name, f"{filesystem.kind.value}{label}, {state}")
        return filesystem

    def file(self, volume: Volume, path: str) -> Entry | None:
        """Return the file at ``path`` of a mounted volume, None where there is none."""
        entry = self._entry(volume, path)
        return None if entry is None or entry.is_directory else entry

    def has_directory(self, volume: Volume, path: str) -> bool:
        """Whether a mounted volume has a directory at ``path``."""
        entry = self._entry(volume, path)
        return entry is not None and entry.is_directory

    def names_in_root(self, volume: Volume) -> str:
        """Describe the root of a mounted volume in a few words."""
        try:
            names = [printable(entry.name) for entry in volume.filesystem().listdir("\\") if entry.name[:1] != "$"]
        except FileSystemError as error:
            raise _damaged(volume, error) from error
        more = f" and {len(names) - 12} more" if len(names) > 12 else ""
        return (", ".join(names[:12]) or "nothing") + more

    @cached_property
    def found_windows(self) -> tuple[tuple[search.FoundWindows, ...], tuple[str, ...]]:
        """Every Windows directory on any volume, and the volumes that could not be searched."""
        return search.find_windows(self.machine)

    def fitting(self) -> tuple[str, ...]:
        """Say which Windows directories there are; which of them is meant only the administrator knows."""
        found, notes = self.found_windows
        places = [printable(str(each)) + _arc_place(each.volume) for each in found]
        return (
            f"Windows was found in {', '.join(places)}"
            if places
            else "no volume has a Windows directory with its SYSTEM hive",
            *notes,
        )

    def other_loaders(self) -> tuple[str, ...]:
        """Say which other disk could be the first one."""
        found = {
            volume.disk: loader
            for loader in ("bootmgr", "ntldr")
            for volume in search.active_volumes_with(self.machine, f"\\{loader}")
            if volume.disk
        }
        return tuple(
            f"disk {disk} has an active partition with {found[disk]}: if the machine starts from it, give that image "
            "first"
            for disk in sorted(found)
        )

    def _entry(self, volume: Volume, path: str) -> Entry | None:
        try:
            return search.find_entry(volume.filesystem(), path)
        except FileSystemError as error:
            raise _damaged(volume, error) from error


def _arc_place(volume: Volume) -> str:
    return "" if volume.number is None else f" (multi(0)disk(0)rdisk({volume.disk})partition({volume.number}))"


def _damaged(volume: Volume, error: FileSystemError) -> BrokenLinkError:
    return broken("the volume is damaged", f"{volume.name}: {error.where}", f"{error.what}. {error.advice}")
