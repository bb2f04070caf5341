"""Replay: of real dirty hives against what Windows and regipy made of them, and of made ones against the edits."""

import hashlib
import struct
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from tests.registry import log_writer
from tests.registry.checker import check
from tests.registry.log_writer import Write, bins_of, new_log, old_log, rebased
from tests.registry.support import FILETIME, Memory, built_hive, exported, real_file, tree

from bootgraft.errors import DirtyHiveError, HiveError
from bootgraft.registry.hive import Hive
from bootgraft.registry.logs.header import LogFormat
from bootgraft.registry.logs.recovery import RecoveredHive, ReplayedLog, recover

TEXT = '[\\Select]\n"Current"=dword:00000001\n\n[\\Services]\n\n[\\Services\\atapi]\n"Start"=dword:00000000\n'
WINDOWS_10 = "hives-system/win10-1709-x64-physical-iastorav-dirty-withlogs/SYSTEM"
REAL = {
    # Of regipy 6.5.0 (https://github.com/mkorman90/regipy), given the logs in the order that the format asks for: with
    # LOG1 as its primary log it would replay LOG2 first. SHA-256 of the bins' data, and the last transaction.
    WINDOWS_10: ("b6e091176b3d00b7b97efdeaeef519b1adfbaa5f6d8118d5c44fa2dcfeb5029a", 2130),
    "hives-other/regipy-transactions/NTUSER.DAT": (
        "9c5e83727e19ff8f7fd95b73ba006dbc20dffbeead9ace35a88753f3fc7e4299", 588,
    ),
    "hives-other/yarp/NewDirtyHive1/NewDirtyHive": (
        "d762fa532cd95f274afb9277ca269d9a4f711b34a3734898b060382d5bea9237", 5,
    ),
    "hives-other/yarp/OldDirtyHive/OldDirtyHive": (
        "23c97d7cc7947d32b5b7dc7a3761bc1191e6d5b84797a53dea08084d4cb2b56f", 5,
    ),
}  # fmt: skip


def logs_of(path: Path) -> dict[str, Memory]:
    """The logs beside a real hive."""
    beside = [path.with_name(path.name + suffix) for suffix in (".LOG", ".LOG1", ".LOG2")]
    return {log.name: Memory(log.read_bytes()) for log in beside if log.is_file()}


def recovered(primary: bytes, **logs: bytes) -> RecoveredHive:
    """A recovery of ``SYSTEM``; each log is named by what follows the dot."""
    return recover(Memory(primary), {f"SYSTEM.{name}": Memory(log) for name, log in logs.items()}, name="SYSTEM")


def content(found: RecoveredHive) -> bytes:
    """The whole hive file as it reads after recovery."""
    return found.storage.read(0, found.storage.size)


def real(name: str) -> tuple[RecoveredHive, Memory, dict[str, Memory]]:
    path = real_file(name)
    primary, logs = Memory(path.read_bytes()), logs_of(path)
    return recover(primary, logs, name=name), primary, logs


def differences(one: bytes, other: bytes) -> set[int]:
    assert len(one) == len(other)
    return {at for at in range(len(one)) if one[at] != other[at]}


# --- real hives -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REAL)
def test_real_hives_as_regipy_recovers_them(name: str) -> None:
    found, primary, _ = real(name)
    data = content(found)
    assert found.pending is not None
    assert (hashlib.sha256(bins_of(data)).hexdigest(), struct.unpack_from("<II", data, 4)) == (
        REAL[name][0],
        (REAL[name][1], REAL[name][1]),
    )
    assert primary.writes == []


@pytest.mark.parametrize("name", [name for name in REAL if name != WINDOWS_10])
def test_what_comes_out_is_sound_and_reads_the_same_to_hivex(name: str, tmp_path: Path) -> None:
    found, _, _ = real(name)
    hive = Hive.open(found.storage, name=name)
    assert tree(hive) == exported(content(found), tmp_path)
    check(content(found))


def test_windows_10_recovers_the_same_bytes() -> None:
    found, _, _ = real("hives-other/yarp/NewDirtyHive1/NewDirtyHive")
    theirs = real_file("hives-other/yarp/NewDirtyHive1/RecoveredHive_Windows10").read_bytes()
    # Windows wrote the hive after replaying, which counts the numbers up by one, as a commit does. (The checksum does
    # not change with it: both numbers go into it.)
    assert differences(content(found), theirs) == {4, 8}
    hive = Hive.open(found.storage, name="x", pending=found.pending)
    hive.settle(filetime=struct.unpack_from("<Q", theirs, 12)[0])
    assert content(found) == theirs


def test_windows_7_recovers_the_same_bytes() -> None:
    found, _, _ = real("hives-other/yarp/OldDirtyHive/OldDirtyHive")
    theirs = real_file("hives-other/yarp/OldDirtyHive/RecoveredHive_Windows7").read_bytes()
    numbers, timestamp, file_name, checksum = range(4, 12), range(12, 20), range(48, 112), range(508, 512)
    first_bin_timestamp = range(4096 + 20, 4096 + 28)
    # Windows wrote it twice, at a time of its own, under another name. In key 4500 it also put right the length of the
    # longest value's name (offset 60 of the record), which the log holds as 24 where the only name has one character.
    longest_name = {0x6BD88 + 4 + 60}
    mine = differences(content(found), theirs)
    assert mine <= {*numbers, *timestamp, *file_name, *checksum, *first_bin_timestamp, *longest_name}


def test_what_was_pending_in_a_real_windows_10() -> None:
    found, _, _ = real(WINDOWS_10)
    pending = found.pending
    assert pending is not None
    assert pending.logs == (
        ReplayedLog("SYSTEM.LOG1", LogFormat.NEW, 2107, 2110, 40960),
        ReplayedLog("SYSTEM.LOG2", LogFormat.NEW, 2111, 2130, 2633728),
    )
    assert (pending.primary, pending.secondary, pending.transactions) == (1622, 1621, 24)
    assert (pending.growth, pending.base_block_from) == (192512, None)
    hive = Hive.open(found.storage, name=WINDOWS_10, pending=pending)
    assert hive.version == 5
    assert not hive.is_changed
    # As in the hive that regipy makes of the logs in their right order: without them 2472 keys would be missing.
    primary = rebased(real_file(WINDOWS_10).read_bytes(), primary=1, secondary=1)
    stale = Hive.open(Memory(primary), name="stale")
    assert sum(1 for _ in hive.root.walk()) - sum(1 for _ in stale.root.walk()) == 2472


def test_a_log_that_is_older_than_the_hive_is_left_out() -> None:
    found, _, _ = real("hives-other/regipy-transactions/NTUSER.DAT")
    assert found.pending is not None
    assert found.pending.logs == (ReplayedLog("NTUSER.DAT.LOG1", LogFormat.NEW, 566, 588, 1032192),)


@pytest.mark.parametrize(
    "name", ["bcd/bios/w10-mbr-en-a/BCD", "bcd/bios/w7-mbr-en/BCD", "bcd/uefi/w11-pt-refind/BCD", "bcd/uefi/w10-a/BCD"]
)
def test_the_logs_of_a_clean_hive_are_not_even_read(name: str) -> None:
    found, primary, logs = real(name)
    assert logs
    assert found.pending is None
    assert found.storage is primary
    assert all(log.reads == [] for log in logs.values())


@pytest.mark.parametrize(
    "name", ["hives-system/win81-x64-virtualbox-ahci-dirty-nolog/SYSTEM", "hives-other/yarp/EffectiveSizeHive"]
)
def test_real_hives_without_logs_are_refused(name: str) -> None:
    with pytest.raises(DirtyHiveError, match=r"there is no \w+\.LOG or \w+\.LOG1 or \w+\.LOG2 beside it"):
        real(name)


def test_files_that_are_no_hives_are_left_to_whoever_opens_them() -> None:
    for data in (b"", b"regf", bytes(8192), b"This is no hive. " * 1000, b"regf" + bytes(8192)):
        assert recovered(data, LOG1=bytes(1024)).pending is None


# --- made hives -------------------------------------------------------------------------------------------------------


class Edit(Struct, frozen=True):
    """Values of ``size`` bytes in a key, or the key's end."""

    key: int
    size: int
    delete: bool = False


edits = st.builds(
    Edit,
    st.integers(0, 5),
    st.sampled_from([0, 3, 200, 3000, 9000, 20000, 60000]),
    st.sampled_from([False, False, True]),
)
histories = st.lists(st.lists(edits, min_size=1, max_size=4), min_size=1, max_size=5)


def edited(data: bytes, changes: Sequence[Edit], filetime: int) -> bytes:
    """A hive file after one commit."""
    file = Memory(data)
    hive = Hive.open(file, name="made")
    for change in changes:
        path = f"Services\\K{change.key}"
        if change.delete:
            hive.delete_key(path)
        else:
            hive.create_key(path)
            hive.set_value(path, f"V{change.size}", 3, bytes([change.key]) * change.size)
    hive.create_key("Select")
    hive.set_value("Select", "Stamp", 11, filetime.to_bytes(8, "little"))  # every commit changes something
    hive.commit(filetime=filetime)
    return bytes(file.data)


def history(start: bytes, changes: Sequence[Sequence[Edit]]) -> list[bytes]:
    """The states of a hive from ``start`` on, one commit apart."""
    states = [start]
    for number, each in enumerate(changes, start=1):
        states.append(edited(states[-1], each, FILETIME + number))
    return states


def torn(before: bytes, after: bytes, written: int) -> bytes:
    """The file of ``before`` after every page of ``after`` was written whose number has its bit set in ``written``."""
    data = bytearray(before)
    for number, at in enumerate(log_writer.dirty_pages(before, after)):
        if written >> number & 1 and 4096 + at < len(before):
            data[4096 + at : 8192 + at] = after[4096 + at : 8192 + at]
    return bytes(data)


def writes_of(states: Sequence[bytes], first: int) -> list[Write]:
    """One log entry for each step."""
    return [
        Write(before, after, first + number & 0xFFFFFFFF) for number, (before, after) in enumerate(pairwise(states))
    ]


@pytest.fixture(scope="session")
def start_3(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A hive of Windows 2000's version."""
    return built_hive(tmp_path_factory.mktemp("start"), minor=3, text=TEXT)


@pytest.fixture(scope="session")
def start_5(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A hive of the version since XP."""
    return built_hive(tmp_path_factory.mktemp("start"), minor=5, text=TEXT)


CHECKED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@CHECKED
@given(st.lists(edits, min_size=1, max_size=6), st.integers(0, 2**32), st.sampled_from([(1, 1), (2, 1), (1, 8)]))
def test_an_old_log_gives_the_edited_hive(
    start_3: bytes, changes: list[Edit], written: int, kind: tuple[int, int]
) -> None:
    after = edited(start_3, changes, FILETIME)
    log = old_log(start_3, after, sequence=40, kind=kind[0], cluster=kind[1])
    dirty = rebased(torn(start_3, after, written), primary=41, secondary=40, timestamp=FILETIME)
    found = recovered(dirty, LOG=log)
    assert bins_of(content(found)) == bins_of(after)
    assert found.pending is not None
    assert found.pending.growth == len(bins_of(after)) - len(bins_of(start_3))
    assert Hive.open(found.storage, name="x").key("Select") is not None


@CHECKED
@given(histories, st.integers(0, 2**32), st.integers(0, 5), st.sampled_from([7, 0xFFFFFFFD]), st.booleans())
def test_new_logs_give_the_edited_hive(
    start_5: bytes, changes: list[list[Edit]], written: int, split: int, first: int, swapped: bool
) -> None:
    states = history(start_5, changes)
    writes = writes_of(states, first)
    parts = [part for part in (writes[:split], writes[split:]) if part]
    stale = log_writer.entry(replace(writes[0], sequence=first - 9 & 0xFFFFFFFF))
    logs = [new_log(part, behind=stale) for part in parts]
    names = ["LOG2", "LOG1"] if swapped else ["LOG1", "LOG2"]
    dirty = rebased(torn(states[0], states[1], written), primary=first + 1 & 0xFFFFFFFF, secondary=first)
    found = recovered(dirty, **dict(zip(names, logs, strict=False)))
    assert bins_of(content(found)) == bins_of(states[-1])
    assert found.pending is not None
    assert found.pending.transactions == len(changes)
    last = max(first + len(changes) - 1, first + 1)  # the hive's own number counts too
    assert struct.unpack_from("<I", content(found), 4)[0] == last & 0xFFFFFFFF


def test_the_smallest_history() -> None:
    assert writes_of([b"a", b"b", b"c"], 0xFFFFFFFF) == [Write(b"a", b"b", 0xFFFFFFFF), Write(b"b", b"c", 0)]


@pytest.fixture
def states(start_5: bytes) -> list[bytes]:
    """Four states of a hive; the last step makes it grow."""
    return history(start_5, [[Edit(1, 200)], [Edit(2, 3000)], [Edit(3, 60000)]])


def test_a_gap_ends_the_replay(states: list[bytes]) -> None:
    writes = writes_of(states, 7)
    dirty = rebased(states[0], primary=8, secondary=7)
    found = recovered(dirty, LOG1=new_log([writes[0], writes[2]]))
    assert bins_of(content(found)) == bins_of(states[1])
    found = recovered(dirty, LOG1=new_log(writes[:1]), LOG2=new_log(writes[2:]))
    assert bins_of(content(found)) == bins_of(states[1])
    # What was not replayed must not be replayable later either: the next commit gets a number beyond it.
    assert struct.unpack_from("<II", content(found), 4) == (9, 9)


def test_a_damaged_entry_ends_the_replay(states: list[bytes]) -> None:
    writes = writes_of(states, 7)
    log = bytearray(new_log(writes))
    log[512 + len(log_writer.entry(writes[0])) + 100] ^= 1
    found = recovered(rebased(states[0], primary=8, secondary=7), LOG1=bytes(log))
    assert bins_of(content(found)) == bins_of(states[1])


def test_a_single_log_in_the_new_format_is_used_where_there_are_no_two(states: list[bytes]) -> None:
    log = new_log(writes_of(states, 7))
    dirty = rebased(states[0], primary=8, secondary=7)
    assert bins_of(content(recovered(dirty, LOG=log, LOG1=b"", LOG2=b""))) == bins_of(states[-1])
    # With two logs in use a third is left from installation.
    found = recovered(dirty, LOG=new_log(writes_of(states[1:], 9)), LOG2=new_log(writes_of(states[:2], 7)))
    assert bins_of(content(found)) == bins_of(states[1])


def test_the_flag_that_entries_carry(states: list[bytes]) -> None:
    writes = writes_of(states, 7)
    for before, logged, after in [(0, 1, 1), (3, 0, 2), (2, 0xFFFFFFFF, 3)]:
        primary = bytearray(states[0])
        struct.pack_into("<I", primary, 144, before)
        log = new_log([writes[0], replace(writes[1], flags=logged)])
        found = recovered(rebased(bytes(primary), primary=8, secondary=7), LOG1=log)
        assert struct.unpack_from("<I", content(found), 144)[0] == after


def test_a_damaged_base_block_comes_from_the_log_with_the_latest_entries(states: list[bytes]) -> None:
    writes = writes_of(states, 7)
    # All but the last transaction reached the hive: without its base block only one log is used.
    primary = bytearray(rebased(states[2], primary=9, secondary=9))
    primary[:512] = b"\xa5" * 512
    found = recovered(bytes(primary), LOG1=new_log(writes[2:]), LOG2=new_log(writes[:2]))
    assert bins_of(content(found)) == bins_of(states[3])
    assert content(found)[28:32] == bytes(4)
    assert found.pending is not None
    assert (found.pending.base_block_from, found.pending.transactions) == ("SYSTEM.LOG1", 1)


def test_a_damaged_base_block_and_an_old_log(start_3: bytes) -> None:
    after = edited(start_3, [Edit(1, 60000)], FILETIME)
    log = old_log(start_3, after, sequence=40)
    primary = bytearray(rebased(start_3, primary=41, secondary=40, timestamp=FILETIME))
    primary[100] ^= 1
    found = recovered(bytes(primary), LOG=log)
    assert content(found)[512:] == after[512:]
    assert found.pending is not None
    assert found.pending.base_block_from == "SYSTEM.LOG"
    # The first bin's copy of the timestamp tells which log belongs to the hive.
    primary[4096 + 20] ^= 1
    with pytest.raises(DirtyHiveError, match=r"wrong.*SYSTEM\.LOG is of another write"):
        recovered(bytes(primary), LOG=log)


def test_of_two_old_logs_the_one_that_belongs_to_the_hive_is_used(start_3: bytes) -> None:
    one, two = (edited(start_3, [Edit(key, 200)], FILETIME + key) for key in (1, 2))
    logs = {"LOG1": old_log(start_3, one, sequence=40), "LOG2": old_log(start_3, two, sequence=39)}
    for after in (one, two):
        filetime = struct.unpack_from("<Q", after, 12)[0]
        found = recovered(rebased(start_3, primary=41, secondary=40, timestamp=filetime), **logs)
        assert bins_of(content(found)) == bins_of(after)


def test_what_is_said_where_nothing_can_be_replayed(states: list[bytes]) -> None:
    writes = writes_of(states, 7)
    dirty = rebased(states[0], primary=21, secondary=20)
    with pytest.raises(DirtyHiveError) as caught:
        recovered(dirty, LOG=bytes(1024), LOG1=new_log(writes), LOG2=b"")
    assert caught.value.what == (
        "transactions are pending (sequence numbers 21 and 20), and no log can be replayed: SYSTEM.LOG is no log: it "
        "does not begin with 'regf'; SYSTEM.LOG1 begins with transaction 7 and is older than the hive, which waits for "
        "20 or a later one; SYSTEM.LOG2 is empty"
    )
    assert "convert it again" in caught.value.advice
    with pytest.raises(DirtyHiveError, match=r"there is no SYSTEM\.LOG or SYSTEM\.LOG1 or SYSTEM\.LOG2 beside it"):
        recovered(dirty)
    log = bytearray(new_log(writes))
    log[600] ^= 1
    with pytest.raises(DirtyHiveError, match=r"SYSTEM\.LOG2 has an entry 7 whose content does not match its checksum"):
        recovered(rebased(states[0], primary=8, secondary=7), LOG2=bytes(log))


def test_a_log_that_grows_the_hive_must_hold_what_comes_new(states: list[bytes]) -> None:
    writes = writes_of(states, 7)
    large = bytearray(states[3])
    struct.pack_into("<I", large, 40, 0x4000_0000)
    pages = struct.pack("<II", 0, 4096) + bins_of(states[1])[:4096]
    numbers = struct.pack("<IIIII", 4608, 0, 7, 0x4000_0000, 1)
    log = new_log(writes[:1])[:512] + log_writer.hashed(numbers, pages, 4608)
    with pytest.raises(DirtyHiveError, match="neither its file nor the log holds them all"):
        recovered(rebased(states[0], primary=8, secondary=7), LOG1=log)


def test_an_old_log_with_a_broken_bin_is_refused(start_3: bytes) -> None:
    after = bytearray(edited(start_3, [Edit(1, 3000)], FILETIME))
    after[4096 : 4096 + 4] = b"nibh"
    log = old_log(start_3, bytes(after), sequence=40)
    with pytest.raises(HiveError, match="the bin at 0x0 has a wrong header"):
        recovered(rebased(start_3, primary=41, secondary=40, timestamp=FILETIME), LOG=log)


# --- commits ----------------------------------------------------------------------------------------------------------


def recovered_file(states: list[bytes], logs: dict[str, bytes]) -> tuple[Memory, Hive]:
    """A dirty hive in a file, and the hive as it is opened."""
    file = Memory(rebased(states[0], primary=8, secondary=7))
    found = recover(file, {name: Memory(log) for name, log in logs.items()}, name="SYSTEM")
    return file, Hive.open(found.storage, name="SYSTEM", pending=found.pending)


def test_a_commit_carries_what_was_pending(states: list[bytes], tmp_path: Path) -> None:
    writes = writes_of(states, 7)
    file, hive = recovered_file(states, {"SYSTEM.LOG1": new_log(writes[:2]), "SYSTEM.LOG2": new_log(writes[2:])})
    hive.create_key("Services\\symmpi")
    hive.set_value("Services\\symmpi", "Start", 4, bytes(4))
    assert file.writes == []
    hive.commit(filetime=FILETIME + 100)
    assert hive.pending is None
    offsets = [offset for offset, _ in file.writes]
    assert offsets == [*sorted(offsets[:-1]), 0], "pages first, the base block last"
    data = bytes(file.data)
    assert struct.unpack_from("<IIQ", data, 4) == (10, 10, FILETIME + 100)
    check(data)
    expected = tree(Hive.open(Memory(states[3]), name="x")) | {"Services\\symmpi": {"Start": (4, bytes(4))}}
    assert exported(data, tmp_path) == expected
    assert tree(Hive.open(Memory(data), name="x")) == expected
    hive.set_value("Services\\symmpi", "Start", 4, b"\3\0\0\0")
    hive.commit(filetime=FILETIME + 101)
    assert struct.unpack_from("<II", file.data, 4) == (11, 11)
    check(bytes(file.data))


def test_without_edits_nothing_is_written_unless_it_is_settled(states: list[bytes]) -> None:
    file, hive = recovered_file(states, {"SYSTEM.LOG1": new_log(writes_of(states, 7))})
    hive.commit(filetime=FILETIME + 100)
    assert (file.writes, hive.is_changed) == ([], False)
    hive.settle(filetime=FILETIME + 100)
    assert differences(bins_of(bytes(file.data)), bins_of(states[3])) <= set(range(20, 28)), "but for the timestamp"
    before = list(file.writes)
    hive.settle(filetime=FILETIME + 101)
    assert file.writes == before


def test_old_logs_cannot_be_replayed_over_a_commit_even_after_a_later_crash(states: list[bytes]) -> None:
    writes = writes_of(states, 7)
    logs = {"SYSTEM.LOG1": new_log(writes[:1]), "SYSTEM.LOG2": new_log([replace(writes[2], sequence=500)])}
    file, hive = recovered_file(states, logs)
    hive.settle(filetime=FILETIME + 100)
    (number,) = struct.unpack_from("<I", file.data, 4)
    assert number == 501, "beyond every log that lies there, replayed or not"
    crashed = rebased(bytes(file.data), primary=number + 1, secondary=number)
    with pytest.raises(DirtyHiveError, match=r"older than the hive.*older than the hive"):
        recover(Memory(crashed), {name: Memory(log) for name, log in logs.items()}, name="SYSTEM")


def test_an_old_log_cannot_be_replayed_over_a_commit_even_after_a_later_crash(start_3: bytes) -> None:
    after = edited(start_3, [Edit(1, 3000)], FILETIME)
    log = old_log(start_3, after, sequence=40)
    file = Memory(rebased(start_3, primary=41, secondary=40, timestamp=FILETIME))
    found = recover(file, {"SYSTEM.LOG": Memory(log)}, name="SYSTEM")
    Hive.open(found.storage, name="SYSTEM", pending=found.pending).settle(filetime=FILETIME + 100)
    assert struct.unpack_from("<II", file.data, 4) == (42, 42)
    crashed = rebased(bytes(file.data), primary=43, secondary=42)
    with pytest.raises(DirtyHiveError, match="of another write"):
        recover(Memory(crashed), {"SYSTEM.LOG": Memory(log)}, name="SYSTEM")


# --- hostile logs -----------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_logs_and_hives(start_3: bytes, start_5: bytes, data: st.DataObject) -> None:
    """Whatever is wrong: one clear error or a hive, nothing written, and no more memory than the logs are large."""
    old = data.draw(st.booleans(), label="old format")
    start = start_3 if old else start_5
    after = edited(start, [Edit(1, 3000)], FILETIME)
    dirty = bytearray(rebased(start, primary=8, secondary=7, timestamp=FILETIME))
    log = bytearray(old_log(start, after, sequence=7) if old else new_log([Write(start, after, 7)]))
    for target, most in ((log, 600 if data.draw(st.booleans(), label="in the heads") else len(log)), (dirty, 8192)):
        for at, value in data.draw(st.lists(st.tuples(st.integers(0, most - 1), st.integers(0, 255)), max_size=4)):
            target[at] = value
    if data.draw(st.booleans(), label="right checksums"):
        log[:512] = log_writer.sealed(log[:512])
        if not old:
            size = min(struct.unpack_from("<I", log, 516)[0], len(log) - 512)
            log[512 : 512 + size] = log_writer.hashed(bytes(log[516:536]), bytes(log[552 : 512 + size]), max(size, 40))
    del log[data.draw(st.sampled_from([0, 1, 500, 512, 515, 560, 1000, len(log)]), label="cut") :]
    primary, beside = Memory(bytes(dirty)), Memory(bytes(log))
    try:
        found = recover(primary, {"SYSTEM.LOG1": beside}, name="SYSTEM")
        hive = Hive.open(found.storage, name="SYSTEM")
        for number, key in enumerate(hive.root.walk()):
            list(key.values())
            if number > 1000:
                break
    except HiveError:
        pass
    assert primary.writes == beside.writes == []
    assert sum(length for _, length in beside.reads) <= 4 * len(log) + 2 * 2**20
