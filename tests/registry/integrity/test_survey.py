"""The strict reader: silent about real hives, and telling about every kind of damage that is put into one."""

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.registry.checker import check
from tests.registry.support import FILETIME, REAL_HIVES, Memory, built_hive, open_bytes, real_bcds, real_file

from bootgraft.errors import HiveError
from bootgraft.registry import baseblock, lists
from bootgraft.registry.hive import Hive
from bootgraft.registry.integrity.screening import screen
from bootgraft.registry.integrity.survey import (
    DEFECT_LIMIT,
    Defect,
    DefectKind,
    DefectSeverity,
    Generation,
    survey,
    verify,
)

PAGE = 4096
LARGE = "00," * 40_000 + "00"
TEXT = (
    '[\\A]\n"a"="some text"\n"b"=dword:00000001\n"large"=hex:' + LARGE + "\n\n"
    "[\\A\\one]\n\n[\\A\\three]\n\n[\\A\\two]\n\n[\\B]\n\n[\\B\\C]\n\n[\\B\\C\\D]\n"
)


def harmful(defects: tuple[Defect, ...]) -> list[Defect]:
    return [each for each in defects if each.severity is not DefectSeverity.HARMLESS]


EDITED_BY_HAND = {"hives-other/yarp/CompHive"}
"""Its first name was changed, and not the hint beside it."""


@pytest.mark.parametrize("name", [*REAL_HIVES, *real_bcds()])
def test_hives_that_windows_wrote_are_sound(name: str) -> None:
    data = real_file(name).read_bytes()
    hive = open_bytes(data)
    found = survey(hive)
    assert bool(harmful(found.defects)) == (name in EDITED_BY_HAND)
    if len(data) > 2**23:
        return  # counting them twice more would take long
    assert found.keys == sum(1 for _ in hive.root.walk())
    assert found.values == sum(1 for key in hive.root.walk() for _ in key.values())
    report = check(data)
    assert found.unreachable == len(report.unreachable)
    assert found.free_bytes == report.free_bytes


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("hives-other/plaso/corrupt_sub_key_list.hiv", {DefectKind.KEY_RECORD}),
        ("hives-other/yarp/BadListHive", {DefectKind.KEY_PARENT, DefectKind.SHARED_CELL, DefectKind.SUBKEY_COUNT}),
        ("hives-other/yarp/CompHive", {DefectKind.SUBKEY_HASH}),
    ],
)
def test_damaged_hives_of_others(name: str, kinds: set[DefectKind]) -> None:
    assert {each.kind for each in harmful(verify(open_bytes(real_file(name).read_bytes())))} == kinds


class Forged:
    """A built hive whose bytes are changed; offsets are of cells."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)
        self.hive = open_bytes(data)

    def offset(self, path: str) -> int:
        key = self.hive.key(path)
        assert key is not None
        return key.offset

    def word(self, cell: int, at: int) -> int:
        return int(struct.unpack_from("<I", self.data, PAGE + cell + 4 + at)[0])

    def put(self, cell: int, at: int, number: int, *, size: int = 4) -> None:
        place = PAGE + cell + 4 + at
        self.data[place : place + size] = number.to_bytes(size, "little")

    def values(self, path: str) -> dict[str, int]:
        """Offsets of a key's values by name."""
        key = self.offset(path)
        listed = self.word(key, 40)
        offsets = [self.word(listed, 4 * index) for index in range(self.word(key, 36))]
        names = [
            bytes(self.data[PAGE + at + 24 :][: struct.unpack_from("<H", self.data, PAGE + at + 6)[0]])
            for at in offsets
        ]
        return dict(zip((name.decode() for name in names), offsets, strict=True))

    def defects(self) -> tuple[Defect, ...]:
        struct.pack_into("<I", self.data, 508, baseblock.checksum(bytes(self.data[:512])))
        return verify(open_bytes(bytes(self.data)))


@pytest.fixture(params=[3, 5])
def forged(request: pytest.FixtureRequest, tmp_path: Path) -> Forged:
    memory = Memory(built_hive(tmp_path, minor=request.param))
    hive = Hive.open(memory, name="SYSTEM")
    for path in (r"A\one", r"A\three", r"A\two", r"B\C\D"):
        hive.create_key(path)
    hive.set_value("A", "a", 1, "some text\0".encode("utf-16-le"))
    hive.set_value("A", "b", 4, bytes(4))
    hive.set_value("A", "large", 3, bytes(40_000))
    hive.commit(filetime=FILETIME)
    return Forged(bytes(memory.data))


def leaf(forged: Forged, path: str) -> int:
    return forged.word(forged.offset(path), 28)


def wrong_bin(forged: Forged) -> None:
    forged.data[PAGE : PAGE + 4] = b"nibh"


def wrong_cell_size(forged: Forged) -> None:
    forged.put(forged.offset("B"), -4, 0x7FFFFFF8)


def swapped(forged: Forged) -> None:
    entry = 8
    start = PAGE + leaf(forged, "A") + 8
    first, second = forged.data[start : start + entry], forged.data[start + entry : start + 2 * entry]
    forged.data[start : start + 2 * entry] = second + first


def wrong_hint(forged: Forged) -> None:
    forged.put(leaf(forged, "A"), 8, 0x01020304)


def same_name_twice(forged: Forged) -> None:
    at = forged.offset(r"A\two")
    forged.put(at, 76, int.from_bytes(b"ONE", "little"), size=3)
    one = forged.offset(r"A\one")
    forged.put(one, 76, int.from_bytes(b"one", "little"), size=3)
    three = forged.offset(r"A\three")
    forged.put(three, 72, 3, size=2)
    forged.put(three, 76, int.from_bytes(b"one", "little"), size=3)


def listed_twice(forged: Forged) -> None:
    forged.put(leaf(forged, "A"), 12, forged.offset(r"A\one"))


def wrong_count(forged: Forged) -> None:
    forged.put(forged.offset("A"), 20, 2)


def no_list(forged: Forged) -> None:
    forged.put(leaf(forged, "A"), 0, int.from_bytes(b"xx", "little"), size=2)


def long_list(forged: Forged) -> None:
    forged.put(leaf(forged, "A"), 2, 60_000, size=2)


def free_key(forged: Forged) -> None:
    at = PAGE + forged.offset(r"B\C\D")
    size = struct.unpack_from("<i", forged.data, at)[0]
    struct.pack_into("<i", forged.data, at, -size)


def other_parent(forged: Forged) -> None:
    forged.put(forged.offset(r"B\C"), 16, forged.offset("A"))


def no_name(forged: Forged) -> None:
    forged.put(forged.offset(r"B\C"), 72, 0, size=2)


def no_root(forged: Forged) -> None:
    forged.put(forged.hive.root.offset, 0, 0, size=2)


def class_outside(forged: Forged) -> None:
    forged.put(forged.offset(r"B\C"), 48, 0x00FF_FFF8)
    forged.put(forged.offset(r"B\C"), 74, 8, size=2)


def value_list_outside(forged: Forged) -> None:
    forged.put(forged.offset("A"), 40, 0x00FF_FFF8)


def no_value(forged: Forged) -> None:
    forged.put(forged.values("A")["b"], 0, 0, size=2)


def value_twice(forged: Forged) -> None:
    forged.put(forged.values("A")["b"], 20, ord("A"), size=1)


def data_outside(forged: Forged) -> None:
    forged.put(forged.values("A")["a"], 8, 0x00FF_FFF8)


def data_too_long(forged: Forged) -> None:
    forged.put(forged.values("A")["a"], 4, 4000)


def inline_too_long(forged: Forged) -> None:
    forged.put(forged.values("A")["b"], 4, 0x8000_0005)


def large_data_shared(forged: Forged) -> None:
    forged.put(forged.values("A")["large"], 8, forged.values("A")["a"])


def few_keys_counted(forged: Forged) -> None:
    forged.put(forged.word(forged.offset("A"), 44), 12, 1)


def no_security(forged: Forged) -> None:
    forged.put(forged.offset("A"), 44, forged.offset("B"))


def ring_of_another(forged: Forged) -> None:
    forged.put(forged.word(forged.offset("A"), 44), 8, 0x20)


def small_maximum(forged: Forged) -> None:
    forged.put(forged.offset("A"), 64, 3)


FORGERIES: dict[Callable[[Forged], None], tuple[DefectKind, DefectSeverity, str | None]] = {
    wrong_bin: (DefectKind.BIN_HEADER, DefectSeverity.REJECTS, None),
    wrong_cell_size: (DefectKind.CELL_SIZE, DefectSeverity.REJECTS, None),
    swapped: (DefectKind.SUBKEY_ORDER, DefectSeverity.DROPS, r"A\one"),
    wrong_hint: (DefectKind.SUBKEY_HASH, DefectSeverity.LOSES, r"A\one"),
    same_name_twice: (DefectKind.SUBKEY_TWICE, DefectSeverity.DROPS, r"A\one"),
    listed_twice: (DefectKind.SHARED_CELL, DefectSeverity.LOSES, "A"),
    wrong_count: (DefectKind.SUBKEY_COUNT, DefectSeverity.REJECTS, "A"),
    no_list: (DefectKind.SUBKEY_LIST, DefectSeverity.REJECTS, "A"),
    long_list: (DefectKind.SUBKEY_LIST, DefectSeverity.REJECTS, "A"),
    free_key: (DefectKind.KEY_RECORD, DefectSeverity.REJECTS, r"B\C"),
    other_parent: (DefectKind.KEY_PARENT, DefectSeverity.REJECTS, r"B\C"),
    no_name: (DefectKind.KEY_NAME, DefectSeverity.REJECTS, "B"),
    no_root: (DefectKind.ROOT_KEY, DefectSeverity.REJECTS, None),
    class_outside: (DefectKind.CLASS_NAME, DefectSeverity.REJECTS, r"B\C"),
    value_list_outside: (DefectKind.VALUE_LIST, DefectSeverity.REJECTS, "A"),
    no_value: (DefectKind.VALUE_RECORD, DefectSeverity.REJECTS, "A"),
    value_twice: (DefectKind.VALUE_TWICE, DefectSeverity.LOSES, "A"),
    data_outside: (DefectKind.VALUE_DATA, DefectSeverity.REJECTS, "A"),
    data_too_long: (DefectKind.VALUE_DATA, DefectSeverity.REJECTS, "A"),
    inline_too_long: (DefectKind.VALUE_DATA, DefectSeverity.REJECTS, "A"),
    large_data_shared: (DefectKind.SHARED_CELL, DefectSeverity.LOSES, "A"),
    few_keys_counted: (DefectKind.SECURITY_COUNT, DefectSeverity.LOSES, None),
    no_security: (DefectKind.SECURITY_RING, DefectSeverity.REJECTS, None),
    ring_of_another: (DefectKind.SECURITY_RING, DefectSeverity.REJECTS, None),
    small_maximum: (DefectKind.MAXIMUM, DefectSeverity.HARMLESS, "A"),
}


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_every_kind_of_damage_is_found(forged: Forged, forge: Callable[[Forged], None]) -> None:
    assert forged.defects() == ()
    forge(forged)
    kind, severity, key = FORGERIES[forge]
    assert (kind, severity, key) in {(each.kind, each.severity, each.key) for each in forged.defects()}
    assert (screen(open_bytes(bytes(forged.data)).cells) is None) == (severity is not DefectSeverity.HARMLESS)


def test_leaked_cells_are_told_and_harmless(forged: Forged) -> None:
    forged.put(forged.offset("A"), 36, 0)
    (defect,) = forged.defects()
    assert (defect.kind, defect.severity) == (DefectKind.UNREACHABLE, DefectSeverity.HARMLESS)
    assert survey(open_bytes(bytes(forged.data))).sound


def test_hash_lists_in_a_hive_that_is_too_old(tmp_path: Path) -> None:
    forged = Forged(built_hive(tmp_path, minor=5, text=TEXT))
    forged.data[24] = 3
    struct.pack_into("<I", forged.data, 508, baseblock.checksum(bytes(forged.data[:512])))
    hive = open_bytes(bytes(forged.data))
    assert hive.key(r"A\two") is not None
    for generation, severity in (
        (Generation.UP_TO_2000, DefectSeverity.REJECTS),
        (Generation.XP_WITHOUT_SP, DefectSeverity.TOLERATES),
        (Generation.SINCE_XP_SP1, DefectSeverity.TOLERATES),
        (None, DefectSeverity.REJECTS),
    ):
        found = [each for each in harmful(verify(hive, generation)) if each.kind is not DefectKind.VALUE_DATA]
        assert {(each.kind, each.severity) for each in found} == {(DefectKind.SUBKEY_LIST_KIND, severity)}


def test_large_data_as_hivex_writes_it(tmp_path: Path) -> None:
    """hivex puts any size into one cell; Windows reads that back only from hives before 1.4."""
    defects = verify(open_bytes(built_hive(tmp_path, minor=5, text=TEXT)))
    found = [each for each in harmful(defects) if each.kind is DefectKind.VALUE_DATA]
    assert [each.severity for each in found] == [DefectSeverity.LOSES]
    old = verify(open_bytes(built_hive(tmp_path, minor=3, text=TEXT)))
    assert not [each for each in harmful(old) if each.kind is DefectKind.VALUE_DATA]


def test_flags_of_the_root_key_say_nothing(forged: Forged) -> None:
    """Windows sets them when it loads the hive; offreg.dll and the BCD stores of setup media leave 0x20."""
    before = [key.path for key in forged.hive.root.walk()]
    forged.put(forged.hive.root.offset, 2, 0x20, size=2)
    assert forged.defects() == ()
    hive = open_bytes(bytes(forged.data))
    assert [key.path for key in hive.root.walk()] == before
    assert hive.create_key(r"A\four").path == r"A\four"


def test_the_root_key_is_nobodys_sub_key(forged: Forged) -> None:
    """Else a walk would go in circles for ever, flags or none."""
    root = forged.hive.root.offset
    forged.put(leaf(forged, "B"), 4, root)
    forged.put(root, 16, forged.offset("B"))
    forged.put(root, 2, 0x20, size=2)
    assert {each.kind for each in forged.defects()} >= {DefectKind.SHARED_CELL}
    with pytest.raises(HiveError, match="belongs elsewhere"):
        list(open_bytes(bytes(forged.data)).root.walk())


def test_keys_below_a_hint_in_another_case(forged: Forged) -> None:
    if forged.hive.version >= 5:
        pytest.skip("hints are for lf lists")
    forged.data[PAGE + leaf(forged, "A") + 12 :][:3] = b"ONE"
    assert forged.defects() == ()


def test_the_list_of_defects_ends() -> None:
    data = bytearray(real_file("hives-system/xp-sp3-x86-virtualpc-iecompat/SYSTEM").read_bytes())
    hive = open_bytes(bytes(data))
    for node in [key.node() for key in hive.root.walk()]:
        for each in lists.read_list(hive.cells, node).leaves:
            data[PAGE + each.offset + 12] ^= 0xFF
    defects = verify(open_bytes(bytes(data)))
    assert len(defects) == DEFECT_LIMIT + 1
    assert defects[-1].kind is DefectKind.TOO_MANY


def test_a_defect_says_what_and_where(forged: Forged) -> None:
    wrong_count(forged)
    (defect,) = forged.defects()
    where = forged.offset("A")
    assert str(defect) == f"the key says 2 sub-keys, its list holds 3 (at 0x{where:x}, key A)"


def test_edits_in_memory_are_read_too(forged: Forged) -> None:
    forged.hive.create_key(r"A\new")
    forged.hive.delete_key("B")
    found = survey(forged.hive)
    assert found.defects == ()
    assert found.keys == sum(1 for _ in forged.hive.root.walk())


def mutated(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    bins = struct.unpack_from("<I", data, 40)[0]
    words = [0, 1, 4, 0x20, 0xFFFFFFFF, 0x80000004, 0x7FFFFFFF, bins, bins - 8]
    used = [at for at in range(PAGE, PAGE + bins, 4) if any(data[at : at + 4])]
    for _ in range(chance.randint(1, 2)):
        at = chance.choice(used)
        if chance.random() < 0.5:
            changed[at + chance.randrange(4)] ^= 1 << chance.randrange(8)
        else:
            struct.pack_into("<I", changed, at, chance.choice(words))
    return bytes(changed)


NO_DEFECTS = (" but no ", " of 0 ", "hint of ")
"""Nobody looks where a list of none or a class of no length should be; and hints may be in another case."""


def test_what_the_other_strict_reader_finds_is_found(forged: Forged) -> None:
    chance = random.Random(forged.hive.version)
    data = bytes(forged.data)
    found = 0
    for _ in range(300):
        changed = mutated(data, chance)
        defects = verify(open_bytes(changed))
        try:
            theirs = [fault for fault in check(changed).faults if not any(each in fault for each in NO_DEFECTS)]
        except (struct.error, UnicodeDecodeError, KeyError, IndexError, RecursionError, ValueError):
            theirs = ["it fails on it"]  # it was written for hives that can be walked
        if theirs:
            found += 1
            assert defects, theirs
    assert found > 150


@pytest.mark.parametrize("name", ["hives-other/yarp/BigDataHive", "bcd/uefi/w10-zh-two-winre/BCD"])
def test_no_mutation_is_too_much(name: str) -> None:
    data = real_file(name).read_bytes()
    chance = random.Random(7)
    for _ in range(100):
        memory = Memory(mutated(data, chance))
        try:
            verify(Hive.open(memory, name="hive"))
        except HiveError:
            continue
        finally:
            assert memory.writes == []
