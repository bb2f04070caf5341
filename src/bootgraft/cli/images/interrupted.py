"""What a command does about an interrupted repair of its disks: it stops, or says so where their contents clear them.

A journal beside a disk, or one that ``--journal`` names, is about it. One that was found otherwise is about it where
the disk reads as only that repair left it.
"""

from collections.abc import Sequence
from contextlib import suppress

from msgspec.structs import replace

from bootgraft.cli.images.openeddisks import OpenedDisks
from bootgraft.errors import JournalError
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.hostindex import UnfinishedEntry
from bootgraft.storage.journal.journaldisks import Journal, command, is_uri, match_disks
from bootgraft.storage.journal.journalsearch import interrupted, require_idle
from bootgraft.storage.journal.likeness import Likeness
from bootgraft.storage.journal.lostjournals import lost_error, lost_journals
from bootgraft.storage.journal.strayjournals import copied_from, likeness_of


def settle(
    disks: OpenedDisks,
    pending: Sequence[Journal],
    by_content: Sequence[tuple[Journal, Likeness]],
    monitor: Monitor,
) -> None:
    """Return where no disk holds what an interrupted repair or undo left half-done; tell of the others.

    ``pending`` are the unfinished journals that were found before the disks were opened, ``by_content`` those that
    were found by what these hold.

    Raises:
        JournalError: one does; the error names the command that repairs it. Or a journal is damaged.
        ImageInUseError: a bootgraft is at work on one just now.
        ImageError: a disk cannot be read.
    """
    for journal in pending:
        if journal.stray:
            _settle_stray(disks, journal, _combined(disks, journal), monitor)
        else:
            _settle_own(disks, journal, monitor)
    for journal, like in by_content:
        _settle_stray(disks, journal, like, monitor, by_content=True)


def tell_lost(disks: OpenedDisks, entries: Sequence[tuple[str, UnfinishedEntry]], monitor: Monitor) -> None:
    """Tell of unfinished journals that are not there.

    Raises:
        JournalError: a disk that is to be written has surely one.
    """
    for lost in lost_journals(entries):
        error = lost_error(lost)
        if disks.is_written and lost.is_sure:
            raise error
        monitor(Event(EventKind.WARNING, f"{error.where}: {error.what}. {error.advice}"))


def _settle_own(disks: OpenedDisks, journal: Journal, monitor: Monitor) -> None:
    """Stop at a journal that is about these disks, unless all of them read as before its repair."""
    require_idle(journal, disks.covered)
    if not _reads_old(disks, journal):
        raise interrupted(journal, disks.covered)
    if disks.is_written:
        raise _refused_before_it(disks, journal)
    monitor(Event(EventKind.WARNING, _not_begun(disks, journal)))


def _reads_old(disks: OpenedDisks, journal: Journal) -> bool:
    if journal.head.edited is not None:
        return False  # what the description says of its cards is not its owner's word
    locations = list(disks.images)
    places: Sequence[int] = ()
    with suppress(JournalError):  # a disk of it was not given: nobody knows how that reads
        places = match_disks(journal, locations)
    if disks.is_whole_machine and not places:
        return False
    numbers = dict(enumerate(places)) or {number: locations.index(each) for number, each in journal.known}
    likes = [likeness_of(journal, n, disks.images[locations[place]].device) for n, place in numbers.items()]
    return bool(likes) and all(like is Likeness.OLD for like in likes)


def _combined(disks: OpenedDisks, journal: Journal) -> Likeness:
    """How all disks together read that a journal's numbers or addresses lead to."""
    likes = {likeness_of(journal, number, disks.images[each].device) for number, each in journal.known}
    likes -= {Likeness.OTHER} if len(likes) > 1 else set()
    if len(likes) == 1:
        return likes.pop()
    return Likeness.PARTLY if Likeness.PARTLY in likes else Likeness.MIXED


def _settle_stray(
    disks: OpenedDisks, journal: Journal, like: Likeness, monitor: Monitor, *, by_content: bool = False
) -> None:
    """Stop at a journal that no name led to where the disk holds what it wrote, and is no copy."""
    location = journal.known[0][1]
    copied = copied_from(journal, location)
    if like is Likeness.OTHER:  # its file has the number of one that was deleted
        return
    is_whole = len(journal.known) == len(journal.head.disks)
    if like is Likeness.OLD and (by_content or is_whole):
        if disks.is_written and not by_content:
            raise _refused_before_it(disks, journal)
        kind = EventKind.WARNING if copied is None else EventKind.NOTE
        monitor(Event(kind, _resembles(disks, journal, location) if by_content else _not_begun(disks, journal)))
    elif like is Likeness.PARTLY and by_content:
        monitor(Event(EventKind.WARNING, _maybe(disks, journal, location)))
    elif copied is None:
        require_idle(journal, disks.covered)
        raise _at_another_place(journal, disks) if by_content else interrupted(journal, disks.covered)
    elif like is Likeness.MIXED:
        raise _half_a_copy(journal, copied)
    else:
        monitor(Event(EventKind.NOTE, f"{location}: it reads as the interrupted repair of {copied} was to leave that"))


_READS_OLD = "the disk reads as before it: it was put back since, or nothing had been written"


def _refused_before_it(disks: OpenedDisks, journal: Journal) -> JournalError:
    """The error for a disk that is not to be repaired anew while its journal says that it is half-done."""
    error = interrupted(journal, disks.covered)
    return JournalError(
        f"{error.what.partition(',')[0]}; {_READS_OLD}", where=error.where, advice=error.advice, id=error.id
    )


def _not_begun(disks: OpenedDisks, journal: Journal) -> str:
    error = interrupted(journal, disks.covered)
    if journal.state is JournalState.UNDOING:
        work, aim = "an undo of this disk's repair", "end it"
    else:
        work, aim = "a repair of this disk", "forget that repair"
    undo = command("undo", journal, disks.covered)
    return f"{error.where}: {work} was interrupted; {_READS_OLD}. To {aim}, run:\n    {undo}"


def _resembles(disks: OpenedDisks, journal: Journal, location: str) -> str:
    recorded = journal.head.disks[journal.known[0][0]].name
    undo = command("undo", journal, disks.covered)
    return (
        f"{location}: it reads as {recorded} did before a repair that was interrupted, of which the journal is "
        f"{journal.path}. If it is another disk, as a clone of that, leave the journal where it is, for {recorded}. If "
        f"it is that disk, put back from a snapshot or a backup, forget the repair:\n    {undo}"
    )


def _maybe(disks: OpenedDisks, journal: Journal, location: str) -> str:
    undo = command("undo", journal, disks.covered)
    return (
        f"{location}: part of it reads as the interrupted repair in {journal.path} left a disk, and part as neither "
        "before nor after that. If it is that disk, do not start the machine: it was written since. To try to go "
        f"back, run:\n    {undo}"
    )


def _at_another_place(journal: Journal, disks: OpenedDisks) -> JournalError:
    """The error for a disk that is half-done by its content alone: it may be a copy of one that was renamed."""
    error = interrupted(journal, disks.covered)
    warning = "If this is a copy of a disk that you still have, do this with that one: the journal is used up by it. "
    return JournalError(error.what, where=error.where, advice=warning + error.advice)


def _half_a_copy(journal: Journal, original: str) -> JournalError:
    """The error for a copy of a disk that is still to be repaired: its journal goes with that."""
    repair, location = interrupted(replace(journal, known=()), ()).advice, journal.known[0][1]
    kind, then = ("an export", "serve") if is_uri(location) else ("a copy", "copy")
    return JournalError(
        f"this is {kind} of {original}, whose repair was interrupted: it holds old and new content mixed",
        where=location,
        advice=f"Repair {original} first, then {then} it again. {repair}",
    )
