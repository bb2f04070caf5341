"""Edits, one kind at a time: what the hive holds afterwards, and what of the file was touched."""

import struct
from pathlib import Path

import pytest
from tests.registry.checker import check
from tests.registry.support import FILETIME, Memory, built_hive, exported, open_bytes, real_file, tree

from bootgraft.errors import HiveError
from bootgraft.registry.hive import Hive
from bootgraft.registry.values import ValueType, dword_data, text_data

PAGE = 4096
SERVICE = r"ControlSet001\Services\symmpi"
NT4 = "hives-system/nt4-sp3-server-dc-vmware-buslogic/SYSTEM"
XP = "hives-system/xp-sp3-x86-vmware-buslogic-vmscsi/SYSTEM"
WIN10 = "hives-system/win10-21h2-x64-vmware-nvme-clean/SYSTEM"


@pytest.fixture(params=[3, 5])
def built(request: pytest.FixtureRequest, tmp_path: Path) -> bytes:
    text = '[\\A]\n"number"=dword:00000001\n"text"="some text"\n\n[\\A\\B]\n\n[\\A\\B\\C]\n'
    return built_hive(tmp_path, minor=request.param, text=text)


def edited(data: bytes) -> tuple[Hive, Memory]:
    memory = Memory(data)
    return Hive.open(memory, name="SYSTEM"), memory


def committed(hive: Hive, memory: Memory) -> bytes:
    hive.commit(filetime=FILETIME)
    assert not hive.is_changed
    return bytes(memory.data)


def test_the_story(built: bytes, tmp_path: Path) -> None:
    hive, memory = edited(built)
    hive.create_key(SERVICE)
    hive.set_value(SERVICE, "Start", ValueType.REG_DWORD, dword_data(0))
    hive.set_value(SERVICE, "ImagePath", ValueType.REG_EXPAND_SZ, text_data(r"system32\drivers\symmpi.sys"))
    assert memory.writes == []
    after = committed(hive, memory)
    report = check(after)
    assert (report.faults, report.unreachable) == ([], set())
    wanted = tree(open_bytes(built)) | {
        "ControlSet001": {},
        r"ControlSet001\Services": {},
        SERVICE: {"Start": (4, bytes(4)), "ImagePath": (2, text_data(r"system32\drivers\symmpi.sys"))},
    }
    assert exported(after, tmp_path) == wanted == tree(open_bytes(after))


@pytest.mark.parametrize("name", [NT4, XP])
def test_a_real_hive_keeps_everything_else(name: str, tmp_path: Path) -> None:
    before = real_file(name).read_bytes()
    hive, memory = edited(before)
    hive.create_key(SERVICE)
    hive.set_value(SERVICE, "Start", ValueType.REG_DWORD, dword_data(0))
    after = committed(hive, memory)
    assert exported(after, tmp_path) == exported(before, tmp_path) | {SERVICE: {"Start": (4, bytes(4))}}
    old, new = check(before), check(after)
    assert set(new.faults) <= set(old.faults)
    assert new.unreachable == old.unreachable
    assert sum(new.users.values()) == sum(old.users.values()) + 1
    changed = [page for page in range(0, len(before), PAGE) if before[page : page + PAGE] != after[page : page + PAGE]]
    assert len(changed) <= 12
    assert len(after) - len(before) <= PAGE


def test_a_full_hive_of_windows_10_stays_sound() -> None:
    before = real_file(WIN10).read_bytes()
    hive, memory = edited(before)
    for number in range(30):
        hive.create_key(f"{SERVICE}{number}")
        hive.set_value(f"{SERVICE}{number}", "data", ValueType.REG_BINARY, bytes(300 * number))
    report = check(committed(hive, memory))
    assert (report.faults, report.unreachable) == ([], set())
    assert len(memory.data) - len(before) < 50 * PAGE


def test_growing_overwrites_the_tail_behind_the_bins(built: bytes) -> None:
    hive, memory = edited(built + b"\xa5" * 5 * PAGE)
    hive.set_value("A", "large", 3, b"x" * 9000)
    after = committed(hive, memory)
    assert len(after) == len(built) + 5 * PAGE
    assert after.endswith(b"\xa5" * PAGE)
    assert struct.unpack_from("<I", after, 40)[0] == hive.cells.bins_size > len(built) - PAGE
    report = check(after)
    assert (report.faults, report.unreachable) == ([], set())


def test_data_that_no_cell_can_hold(built: bytes) -> None:
    hive, memory = edited(built)
    data = bytes(2**20)
    if hive.version >= 4:
        hive.set_value("A", "huge", 3, data)
        assert tree(open_bytes(committed(hive, memory)))["A"]["huge"] == (3, data)
    else:
        with pytest.raises(HiveError, match="too many for one cell"):
            hive.set_value("A", "huge", 3, data)
        assert not hive.is_changed


def test_the_base_block_is_written_last(built: bytes) -> None:
    hive, memory = edited(built)
    hive.create_key("New")
    after = committed(hive, memory)
    offsets = [offset for offset, _ in memory.writes]
    assert offsets[-1] == 0
    assert offsets[:-1] == sorted(offsets[:-1])
    assert all(offset > 0 for offset in offsets[:-1])
    old, new = struct.unpack_from("<IIQ", built, 4), struct.unpack_from("<IIQ", after, 4)
    assert new == (old[0] + 1, old[0] + 1, FILETIME)
    assert struct.unpack_from("<Q", after, PAGE + 20)[0] == FILETIME
    assert after[20:40] == built[20:40]
    assert after[44:508] == built[44:508]


def test_nothing_changed_nothing_written(built: bytes) -> None:
    hive, memory = edited(built)
    before = hive.create_key(r"a\b\c")
    assert before.path == r"A\B\C"
    hive.set_value("A", "NUMBER", ValueType.REG_DWORD, dword_data(1))
    hive.set_value("A", "text", ValueType.REG_SZ, text_data("some text"))
    hive.delete_value("A", "none")
    hive.delete_value("none", "none")
    hive.delete_key(r"A\none")
    assert not hive.is_changed
    hive.commit(filetime=FILETIME)
    assert memory.writes == []


def test_times_of_the_keys_touched(built: bytes) -> None:
    hive, memory = edited(built)
    hive.create_key(r"A\B\D")
    hive.set_value(r"A\B\C", "x", 3, b"1")
    after = open_bytes(committed(hive, memory))
    written = {key.path for key in after.root.walk() if key.last_written == FILETIME}
    assert written == {r"A\B", r"A\B\C", r"A\B\D"}


def test_a_second_commit(built: bytes) -> None:
    hive, memory = edited(built)
    hive.create_key("One")
    committed(hive, memory)
    hive.create_key("Two")
    after = committed(hive, memory)
    assert {"One", "Two"} <= set(tree(open_bytes(after)))
    assert struct.unpack_from("<II", after, 4) == (struct.unpack_from("<I", built, 4)[0] + 2,) * 2


@pytest.mark.parametrize("size", [0, 1, 4, 5, 8, 100, 16344, 16345, 2 * 16344, 2 * 16344 + 1, 100_000])
def test_sizes_of_data(built: bytes, tmp_path: Path, size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    hive, memory = edited(built)
    hive.set_value("A", "data", ValueType.REG_BINARY, data)
    after = committed(hive, memory)
    assert exported(after, tmp_path)["A"]["data"] == (3, data)
    assert tree(open_bytes(after))["A"]["data"] == (3, data)
    report = check(after)
    assert (report.faults, report.unreachable) == ([], set())
    assert (b"db" in after) == (size > 16344 and hive.version >= 4)


def test_data_of_the_same_size_stays_in_its_cells(built: bytes) -> None:
    for size in (10, 40_000):
        hive, memory = edited(built)
        hive.set_value("A", "data", ValueType.REG_BINARY, b"1" * size)
        before = committed(hive, memory)
        hive.set_value("A", "data", ValueType.REG_BINARY, b"2" * size)
        after = committed(hive, memory)
        assert after[PAGE + 28 :].replace(b"2", b"1") == before[PAGE + 28 :].replace(b"2", b"1")


def test_freed_room_is_used_again(built: bytes) -> None:
    hive, memory = edited(built)
    sizes = set()
    for _ in range(5):
        hive.create_key(r"New\Key\Below")
        hive.set_value(r"New\Key", "data", 3, bytes(range(200)) * 30)
        hive.delete_key("New")
        committed(hive, memory)
        sizes.add(len(memory.data))
    assert len(sizes) == 1
    report = check(bytes(memory.data))
    assert (report.faults, report.unreachable) == ([], set())
    assert tree(open_bytes(bytes(memory.data))) == tree(open_bytes(built))


@pytest.mark.parametrize(
    ("minor", "kinds"), [(2, {b"li", b"ri"}), (3, {b"lf", b"li", b"ri"}), (5, {b"lh", b"ri"}), (6, {b"lh", b"ri"})]
)
def test_many_keys(tmp_path: Path, minor: int, kinds: set[bytes]) -> None:
    hive, memory = edited(built_hive(tmp_path, minor=minor))
    names = [f"key {number * 7919 % 1300:04}" for number in range(1300)]
    for name in names:
        hive.create_key(f"Many\\{name}")
    after = committed(hive, memory)
    report = check(after)
    assert (report.faults, report.unreachable) == ([], set())
    assert set(report.leaves) == kinds
    assert [key.name for key in open_bytes(after).root.walk()][2:] == sorted(names)
    assert set(exported(after, tmp_path)) == {"", "Many", *(f"Many\\{name}" for name in names)}
    for name in names[:1299]:
        hive.delete_key(f"Many\\{name}")
    after = committed(hive, memory)
    report = check(after)
    assert (report.faults, report.unreachable) == ([], set())
    assert set(tree(open_bytes(after))) == {"", "Many", f"Many\\{names[1299]}"}
    hive.delete_key("Many")
    report = check(committed(hive, memory))
    assert (report.faults, report.unreachable, report.leaves) == ([], set(), {})


def test_a_leaf_keeps_its_kind(tmp_path: Path) -> None:
    hive, memory = edited(real_file("hives-other/yarp/ManySubkeysHive").read_bytes())
    parent = max(hive.root.walk(), key=lambda key: key.node().subkey_count)
    kinds = set(check(bytes(memory.data)).leaves)
    for number in range(1100):
        hive.create_key(f"{parent.path}\\in between {number}")
    after = committed(hive, memory)
    report = check(after)
    assert (report.faults, report.unreachable) == ([], set())
    assert set(report.leaves) == kinds == {b"li", b"lf", b"ri"}
    assert len(exported(after, tmp_path)) == 5003 + 1100


def test_security_is_shared_and_leaves_with_its_last_key(tmp_path: Path) -> None:
    data = real_file(NT4).read_bytes()
    hive, memory = edited(data)
    hive.delete_key("ControlSet002")
    report = check(committed(hive, memory))
    assert (report.faults, report.unreachable) == ([], set())
    assert len(report.users) <= len(check(data).users)
    hive.delete_key("ControlSet001")
    report = check(committed(hive, memory))
    assert (report.faults, report.unreachable) == ([], set())
    assert len(report.users) < len(check(data).users)
    assert report.free_bytes > len(data) // 2


@pytest.mark.parametrize("name", ["a" * 256, "Ȁ" * 256, "\u03c2", "\u1f80"])
def test_names_that_windows_would_not_find(built: bytes, name: str) -> None:
    hive, memory = edited(built)
    with pytest.raises(HiveError, match=r"cannot be a key's name|disagree"):
        hive.create_key(f"A\\new\\{name}")
    assert not hive.is_changed
    assert memory.writes == []


@pytest.mark.parametrize("name", ["Größe", "ÿ", "中文", "Ωμέγα", "a" * 255, "\U0001f600", "]", "-x", " y ", "a/b"])
def test_other_names(built: bytes, name: str) -> None:
    hive, memory = edited(built)
    hive.create_key(f"A\\{name}")
    hive.create_key(f"A\\{name.upper() if name.isascii() else name}")
    hive.set_value(f"A\\{name}", name, 1, text_data(name))
    after = committed(hive, memory)
    report = check(after)
    assert (report.faults, report.unreachable) == ([], set())
    assert tree(open_bytes(after))[f"A\\{name}"] == {name: (1, text_data(name))}


def test_the_hash_of_a_name_that_hivex_gets_wrong(tmp_path: Path) -> None:
    hive, memory = edited(built_hive(tmp_path, minor=5))
    hive.create_key("Größe")
    after = committed(hive, memory)
    assert struct.pack("<I", 0x08326487) in after


def test_what_cannot_be_done(built: bytes) -> None:
    hive, memory = edited(built)
    with pytest.raises(HiveError, match="root key cannot be deleted"):
        hive.delete_key("")
    with pytest.raises(HiveError, match="there is no key 'none'"):
        hive.set_value("none", "x", 1, b"")
    with pytest.raises(HiveError, match="512 deep"):
        hive.create_key("\\".join("x" * 513))
    with pytest.raises(HiveError, match="cannot be stored"):
        hive.set_value("A", "x" * 16384, 1, b"")
    with pytest.raises(HiveError, match="cannot be stored"):
        hive.set_value("A", "x", 2**32, b"")
    assert not hive.is_changed
    assert memory.writes == []


def test_the_deepest_tree(built: bytes) -> None:
    hive, memory = edited(built)
    deepest = "\\".join("x" * 512)
    assert hive.create_key(deepest).path == deepest
    report = check(committed(hive, memory))
    assert (report.faults, report.unreachable) == ([], set())
    hive.delete_key("x")
    assert tree(open_bytes(committed(hive, memory))) == tree(open_bytes(built))


def test_a_key_looked_up_before_it_was_deleted(built: bytes) -> None:
    hive, _ = edited(built)
    key = hive.create_key("Gone")
    hive.delete_key("Gone")
    hive.create_key("Other")
    with pytest.raises(HiveError):
        key.value("x")


def test_an_edit_that_meets_damage_changes_nothing() -> None:
    data = bytearray(real_file(NT4).read_bytes())
    hive = open_bytes(bytes(data))
    services = hive.key(r"ControlSet001\Services")
    assert services is not None
    victim = services.key("Beep")
    assert victim is not None
    value_list = victim.node().value_list
    struct.pack_into("<I", data, PAGE + value_list + 4, victim.offset)  # its first value is now the key itself
    broken, memory = edited(bytes(data))
    broken.create_key("Fine")
    size, content = broken.cells.bins_size, tree_without(broken, "Beep")
    with pytest.raises(HiveError, match="no value in the cell"):
        broken.delete_key(r"ControlSet001\Services")
    with pytest.raises(HiveError, match="no value in the cell"):
        broken.set_value(r"ControlSet001\Services\Beep", "Start", 4, bytes(4))
    assert broken.cells.bins_size == size
    assert tree_without(broken, "Beep") == content
    after = committed(broken, memory)
    assert tree_without(open_bytes(after), "Beep") == content
    assert "Fine" in content


def tree_without(hive: Hive, name: str) -> dict[str, int]:
    """How many values each key has, but for keys of one name."""
    return {key.path: len(tuple(key.values())) for key in hive.root.walk() if key.name != name}
