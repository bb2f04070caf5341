"""What the checks of a boot menu's file share: how they show it, change it, and report what is wrong with it."""

from collections.abc import Iterable, Iterator

from bootgraft.boot.ntldr.bootini import BootEntry, BootIni
from bootgraft.boot.steps import BootChain
from bootgraft.changes import WriteFile, content_digest
from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.machine import Volume
from bootgraft.text import printable

_BY_HAND = (
    " bootgraft does not guess which Windows is meant: correct the file by hand, or give all disks in BIOS order, and "
    "check again."
)


def entry_lines(menu: BootIni, entries: Iterable[BootEntry]) -> Iterator[str]:
    """The lines of these entries, for evidence."""
    return (f"line {each.line}: {printable(menu.lines[each.line - 1].strip())}" for each in entries)


def write(system: Volume, menu: BootIni, data: bytes, old: bytes | None, origin: str) -> WriteFile:
    """The change that gives the menu's file this content; ``old`` is what it has, None where there is no such file."""
    path = f"\\{menu.file}"
    name = menu.file if old is None else system.filesystem().stat(path).name
    before = None if old is None else content_digest(old)
    return WriteFile(system.file(f"\\{name}"), data, before, origin, old=old or b"")


def report(
    chain: BootChain,
    finding_id: str,
    what: str,
    meaning: str,
    evidence: tuple[str, ...],
    change: WriteFile | None,
    by_hand: str = _BY_HAND,
) -> Finding:
    """The finding; where no change repairs it, with what to do by hand."""
    stops = chain.default is None and chain.understood
    step = chain.steps[-1]
    if not step.holds:
        evidence = (*evidence, step.evidence if step.what == what else f"{step.where}: {step.what}")
    return Finding(
        finding_id,
        Severity.BLOCKER if stops else Severity.WARNING,
        what,
        meaning if change is not None else meaning + by_hand,
        evidence,
        Remedy.NONE if change is None else Remedy.CHANGES,
        () if change is None else (change,),
        explains=True,
    )
