"""What following the boot chain gives: its links, and the installations found."""

from typing import TYPE_CHECKING

from msgspec import Struct

from bootgraft.machine import Firmware, Volume

if TYPE_CHECKING:  # a machine has one of these menus, or none
    from bootgraft.boot.bootmgr.bcd_menu import Menu
    from bootgraft.boot.ntldr.bootini import BootEntry, BootIni
    from bootgraft.boot.unsupported_volume import UnsupportedVolume


class Step(Struct, frozen=True):
    """One link: ``what`` it is (or the fault where it does not hold), ``where`` it was read, and the ``evidence``.

    ``link`` is what the chain in one line calls it, as ``boot.ini default``; empty where it is no link of its own.
    """

    what: str
    where: str
    evidence: str
    holds: bool
    link: str = ""


class BootTarget(Struct, frozen=True):
    r"""A Windows: its volume, its directory (``\WINDOWS``, in its own case) and its boot.ini line, empty if none."""

    volume: Volume
    directory: str
    entry: str

    @property
    def place(self) -> tuple[int, int, str]:
        """What tells two installations apart: disk, byte offset of the partition, directory."""
        return self.volume.disk, self.volume.partition.start, self.directory.casefold()


class BootChain(Struct, frozen=True):
    """The links up to the first that does not hold, and what boots; ``default`` is None where the chain is broken."""

    steps: tuple[Step, ...]
    default: BootTarget | None
    others: tuple[BootTarget, ...]  # boot.ini's further entries that lead to a Windows, then what lies on the volumes
    understood: bool = True  # False where the last step leaves the ground that bootgraft knows: it may well boot
    notes: tuple[str, ...] = ()  # volumes that could not be searched for others
    firmware: Firmware | None = None  # what a machine of Vista or later must have; ntldr knows a BIOS only
    system: Volume | None = None  # the partition with the loader
    menu: "BootIni | None" = None  # the boot.ini or freeldr.ini on it
    entry: "BootEntry | None" = None  # the entry of that which is started
    store: "Menu | None" = None  # bootmgr's store on it
    unsupported_volume: "UnsupportedVolume | None" = None  # why that of the last step cannot be looked into, if known


class BrokenLinkError(Exception):
    """Ends the walk along the chain at a step that does not hold; never leaves :mod:`bootgraft.boot.chain`."""

    def __init__(
        self, step: Step, *, understood: bool = True, unsupported_volume: "UnsupportedVolume | None" = None
    ) -> None:
        super().__init__(step.what)
        self.step = step
        self.understood = understood
        self.unsupported_volume = unsupported_volume


def broken(what: str, where: str, *evidence: str) -> BrokenLinkError:
    """Build the error for a link that is known not to hold."""
    return BrokenLinkError(Step(what, where, "; ".join(evidence), holds=False))


def unknown(what: str, where: str, *evidence: str) -> BrokenLinkError:
    """Build the error for a link beyond which bootgraft cannot tell what the machine does."""
    return BrokenLinkError(Step(what, where, "; ".join(evidence), holds=False), understood=False)
