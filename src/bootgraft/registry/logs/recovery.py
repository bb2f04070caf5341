"""Recovery: what Windows does with a hive whose last write was not finished, done over it instead of in it.

A hive is dirty where its two sequence numbers differ or its base block is damaged; a machine that was cloned while
it ran mostly has such hives. What is missing in them lies in the transaction logs beside them. The logs of a clean
hive mean nothing and are never looked at. Rules: https://github.com/msuhanov/regf, "Dirty state of a hive" and
"Multiple transaction log files".
"""

import struct
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from bootgraft.errors import DirtyHiveError
from bootgraft.registry import baseblock
from bootgraft.registry.baseblock import BASE_SIZE, CHECKSUM_AT, FIRST_BIN_TIMESTAMP, SECTOR, checksum
from bootgraft.registry.cells import Cells
from bootgraft.registry.logs import newlog, oldlog
from bootgraft.registry.logs.header import LogFault, LogFormat, LogHeader, is_newer, read_header
from bootgraft.registry.logs.replayed import ReplayedFile
from bootgraft.registry.pages import PagedStore, Storage

LOG_SUFFIXES = (".LOG", ".LOG1", ".LOG2")
"""What Windows adds to a hive's name: one log up to XP and for boot stores, two since Vista."""
_EPOCH = datetime(1601, 1, 1)
_SEQUENCES = struct.Struct("<IIQ")
_SEQUENCES_AT, _TYPE_AT, _BINS_SIZE_AT, _FLAGS_AT = 4, 28, 40, 144
_LOGGED_FLAG = 1
"""The only bit of the base block's flags that log entries carry."""


class ReplayedLog(Struct, frozen=True):
    """What was taken from one log: the transactions ``first`` to ``last`` (sequence numbers), ``size`` bytes of pages.

    A log in the old format holds one transaction.
    """

    name: str
    format: LogFormat
    first: int
    last: int
    size: int

    @property
    def transactions(self) -> int:
        """How many transactions it held."""
        return (self.last - self.first & 0xFFFFFFFF) + 1


class Recovery(Struct, frozen=True):
    """What was pending in a hive's logs.

    ``primary`` and ``secondary`` are the hive's own sequence numbers; ``size`` is the bytes of whole pages that were
    laid over it, ``growth`` the bytes by which its bins grow. ``base_block_from`` names the log that the base block
    was taken from, where the hive's own is damaged.
    """

    primary: int
    secondary: int
    logs: tuple[ReplayedLog, ...]
    size: int
    growth: int
    base_block_from: str | None

    @property
    def transactions(self) -> int:
        """How many transactions were pending."""
        return sum(log.transactions for log in self.logs)


class RecoveredHive(Struct, frozen=True):
    """A hive to be opened: ``storage`` reads as the hive after recovery; ``pending`` is None where it was clean."""

    storage: Storage
    pending: Recovery | None


class _Log(Struct):
    """One log beside the hive; ``fault`` is what is said of it where nothing can be replayed."""

    name: str
    storage: Storage
    header: LogHeader | None
    fault: str


class _Primary(Struct, frozen=True):
    """A dirty hive file as it lies; ``valid`` says whether its base block may be believed."""

    block: bytes
    valid: bool
    primary: int
    secondary: int
    timestamp: int
    bins_size: int


def recover(primary: Storage, logs: Mapping[str, Storage], *, name: str) -> RecoveredHive:
    """Replay what is pending in ``logs`` (by file name, which ends as in LOG_SUFFIXES) over the hive in ``primary``.

    Nothing is written. A clean hive, and a file that is none, comes back as it is. ``name`` is the hive's in errors.

    Raises:
        DirtyHiveError: no log can be replayed; it says what each of them holds.
        HiveError: what comes out is no hive that Windows would load.
    """
    state = _read_primary(primary)
    if state is None:
        return RecoveredHive(primary, None)
    found = [_open_log(each, log) for each, log in logs.items()]
    view = ReplayedFile(primary)
    replayed, block = _replay_new(view, state, found, name)
    if not replayed:
        replayed, block = _replay_old(view, state, found)
    if not replayed:
        raise _unreplayable(state, found, name)
    view.put(0, _seal(block, _newest(state, found, replayed)))
    base = baseblock.parse(view.read(0, SECTOR), file_size=BASE_SIZE + _bins_size(block), name=name)
    view.resize(BASE_SIZE + base.bins_size)
    if not view.is_covered:
        raise DirtyHiveError(
            f"the hive has {view.size} bytes after recovery, but neither its file nor the log holds them all",
            where=name,
            advice=_advice(found),
        )
    if replayed[0].format is LogFormat.OLD:
        _check_bins(view, base, name)
    source = None if state.valid else replayed[-1].name
    growth = base.bins_size - state.bins_size if state.valid else 0
    pending = Recovery(state.primary, state.secondary, tuple(replayed), view.replayed_bytes, growth, source)
    return RecoveredHive(view, pending)


def _read_primary(primary: Storage) -> _Primary | None:
    """The state of a dirty hive; None for a clean one and for what is no hive."""
    block = primary.read(0, SECTOR)
    first_bin = primary.read(BASE_SIZE, 32)
    if len(block) < SECTOR or len(first_bin) < 32:
        return None
    sequence, secondary, timestamp = _SEQUENCES.unpack_from(block, _SEQUENCES_AT)
    valid = block.startswith(b"regf") and checksum(block) == int.from_bytes(block[CHECKSUM_AT:], "little")
    if valid and sequence == secondary:
        return None
    if not valid:
        if not first_bin.startswith(b"hbin\0\0\0\0"):
            return None
        (timestamp,) = struct.unpack_from("<Q", first_bin, FIRST_BIN_TIMESTAMP - BASE_SIZE)
    return _Primary(block, valid, sequence, secondary, timestamp, _bins_size(block))


def _bins_size(block: bytes | bytearray) -> int:
    return int.from_bytes(block[_BINS_SIZE_AT : _BINS_SIZE_AT + 4], "little")


def _open_log(name: str, storage: Storage) -> _Log:
    header = read_header(storage)
    if isinstance(header, LogFault):
        return _Log(name, storage, None, header.what)
    return _Log(name, storage, header, f"begins with transaction {header.sequence}")


def _replay_new(
    view: ReplayedFile, state: _Primary, found: Sequence[_Log], name: str
) -> tuple[list[ReplayedLog], bytearray]:
    """Replay logs in the new format; returns what was replayed and the base block that goes with it."""
    replayed: list[ReplayedLog] = []
    block = bytearray(state.block)
    for log, header in _in_order(_two_or_one(_of(found, LogFormat.NEW)), state):
        if replayed and header.sequence != replayed[-1].last + 1 & 0xFFFFFFFF:
            break
        done = newlog.replay(log.storage, header.sequence, view, name=name)
        if isinstance(done, LogFault):
            log.fault = done.what
            break
        if not state.valid:
            block[:] = header.block
        _set_word(block, _BINS_SIZE_AT, done.bins_size)
        flags = int.from_bytes(block[_FLAGS_AT : _FLAGS_AT + 4], "little")
        _set_word(block, _FLAGS_AT, flags & ~_LOGGED_FLAG | done.flags & _LOGGED_FLAG)
        replayed.append(ReplayedLog(log.name, LogFormat.NEW, header.sequence, done.last, done.size))
    return replayed, block


def _of(found: Sequence[_Log], wanted: LogFormat) -> list[tuple[_Log, LogHeader]]:
    return [(log, log.header) for log in found if log.header is not None and log.header.format is wanted]


def _two_or_one(logs: list[tuple[_Log, LogHeader]]) -> list[tuple[_Log, LogHeader]]:
    """Two logs in turn are LOG1 and LOG2: a LOG beside them is left from installation, and used where it is alone."""
    pair = [each for each in logs if not each[0].name.upper().endswith(LOG_SUFFIXES[0])]
    return pair or logs


def _in_order(logs: list[tuple[_Log, LogHeader]], state: _Primary) -> list[tuple[_Log, LogHeader]]:
    """The logs that recovery may use, in its order: of those that are not too old the one with earlier entries first.

    A hive without a base block of its own gets it from the log with the latest entries, and no other log counts.
    """
    if not state.valid:
        latest = max(logs, key=lambda each: sum(is_newer(each[1].sequence, o.sequence) for _, o in logs), default=None)
        return [] if latest is None else [latest]
    usable = []
    for log, header in logs:
        if is_newer(state.secondary, header.sequence):
            log.fault += f" and is older than the hive, which waits for {state.secondary} or a later one"
        else:
            usable.append((log, header))
    return sorted(usable, key=lambda each: sum(is_newer(each[1].sequence, other.sequence) for _, other in usable))


def _replay_old(view: ReplayedFile, state: _Primary, found: Sequence[_Log]) -> tuple[list[ReplayedLog], bytearray]:
    """Replay the first log in the old format that was written with the hive, by its timestamp: LOG1 before LOG2."""
    block = bytearray(state.block)
    for log, header in _of(found, LogFormat.OLD):
        if header.timestamp != state.timestamp:
            log.fault = f"is of another write (of {_time(header.timestamp)}; the hive's is of {_time(state.timestamp)})"
            continue
        pages = oldlog.read_pages(log.storage, header)
        if isinstance(pages, LogFault):
            log.fault = pages.what
            continue
        for offset, data in pages:
            view.put(BASE_SIZE + offset, data)
        if not state.valid:
            block[:] = header.block
        _set_word(block, _BINS_SIZE_AT, header.bins_size)
        size = sum(len(data) for _, data in pages)
        return [ReplayedLog(log.name, LogFormat.OLD, header.sequence, header.sequence, size)], block
    return [], block


def _newest(state: _Primary, found: Sequence[_Log], replayed: Sequence[ReplayedLog]) -> int:
    """The number that the recovered hive carries: the last transaction's, or a later one that lies around.

    A commit writes the next one. No log that lies beside the hive then has a number as high, so that Windows cannot
    take one for newer than the hive, not even after a later crash: it wants a log that begins at the hive's secondary
    number or after it. (Logs in the old format are told by their timestamp, and a commit changes the hive's.)
    """
    newest = replayed[-1].last
    for number in [*([state.primary] if state.valid else []), *(log.header.sequence for log in found if log.header)]:
        newest = number if is_newer(number, newest) else newest
    return newest


def _seal(block: bytearray, sequence: int) -> bytes:
    """The base block of a finished write."""
    _SEQUENCES.pack_into(block, _SEQUENCES_AT, sequence, sequence, _SEQUENCES.unpack_from(block, _SEQUENCES_AT)[2])
    _set_word(block, _TYPE_AT, 0)
    _set_word(block, CHECKSUM_AT, checksum(bytes(block)))
    return bytes(block)


def _set_word(block: bytearray, at: int, value: int) -> None:
    block[at : at + 4] = value.to_bytes(4, "little")


def _check_bins(view: ReplayedFile, base: baseblock.BaseBlock, name: str) -> None:
    """Raise HiveError for a wrong bin header: Windows stops replaying an old log at a bin that it does not accept.

    In the new format it does not: it repairs such a bin afterwards, and what it held is lost. There, and in every
    other part, whoever walks the hive finds the damage.
    """
    store = PagedStore(view, name=name)
    cells = Cells(store, bins_size=base.bins_size, minor=base.minor, root=base.root, name=name)
    cells.bin_of(base.bins_size - 1)


def _unreplayable(state: _Primary, found: Sequence[_Log], name: str) -> DirtyHiveError:
    if state.valid:
        why = f"transactions are pending (sequence numbers {state.primary} and {state.secondary})"
    else:
        why = "the checksum of the hive's base block is wrong: the last write to it was cut short"
    file = name.rpartition("\\")[2].rpartition("/")[2]
    missing = f"there is no {' or '.join(file + suffix for suffix in LOG_SUFFIXES)} beside it"
    logs = "; ".join(f"{log.name} {log.fault}" for log in found) or missing
    return DirtyHiveError(f"{why}, and no log can be replayed: {logs}", where=name, advice=_advice(found))


def _time(filetime: int) -> str:
    """A FILETIME as people read it; beyond the year 9999 as the number that it is."""
    try:
        return f"{_EPOCH + timedelta(microseconds=filetime // 10):%Y-%m-%d %H:%M:%S.%f} UTC"
    except OverflowError:
        return f"{filetime:#x}"


def _advice(found: Sequence[_Log]) -> str:
    again = "boot the source machine once, shut it down cleanly and convert it again"
    if found:
        return f"Windows would lose what was pending: {again}, so that it writes its logs into the hive"
    return f"Put the logs that belong to this hive beside it, or {again}"
