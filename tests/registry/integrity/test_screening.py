"""The quick reading: it says of no hive that it is sound of which the survey tells something harmful."""

import random
from pathlib import Path

import pytest
from tests.registry.integrity.test_survey import EDITED_BY_HAND, harmful
from tests.registry.mutants import damaged, edit
from tests.registry.support import FILETIME, REAL_HIVES, Memory, built_hive, open_bytes, real_bcds, real_file

from bootgraft.errors import HiveError
from bootgraft.registry.hive import Hive
from bootgraft.registry.integrity import window
from bootgraft.registry.integrity.cellmap import IN_USE
from bootgraft.registry.integrity.screening import KEY, OTHER, SECURITY, Screened, screen
from bootgraft.registry.integrity.survey import survey

BIG = 2**23


def small_hive(folder: Path, minor: int) -> bytes:
    """A few keys with values of every kind of storage."""
    memory = Memory(built_hive(folder, minor=minor))
    hive = Hive.open(memory, name="SYSTEM")
    for path in (r"A\one", r"A\three", r"A\two", r"B\C\D", "Übung", "Ωmega"):
        hive.create_key(path)
    for number in range(12):
        hive.set_value("A", f"value {number}", 3, bytes(number))
    hive.set_value("A", "", 1, "some text\0".encode("utf-16-le"))
    hive.set_value("B", "großer Wert", 3, bytes(40_000))
    hive.set_value("B", "Ωmega", 3, bytes(5))
    edit(hive, random.Random(minor))
    hive.commit(filetime=FILETIME)
    return bytes(memory.data)


def counted(found: Screened) -> tuple[int, int, int]:
    """Cells by what leads to them: keys, descriptors, others."""
    keys, descriptors, others = (found.state.count(IN_USE + kind) for kind in (KEY, SECURITY, OTHER))
    return keys, descriptors, others


@pytest.mark.parametrize("name", [*REAL_HIVES, *real_bcds()])
def test_hives_that_windows_wrote_are_sound(name: str) -> None:
    hive = open_bytes(real_file(name).read_bytes())
    found = screen(hive.cells)
    assert (found is None) == (name in EDITED_BY_HAND)
    if found is None or hive.cells.bins_size > BIG:
        return
    full = survey(hive)
    assert counted(found)[0] == full.keys == sum(found.users.values())
    assert found.state.count(IN_USE) == full.unreachable


@pytest.mark.parametrize("minor", [3, 4, 5, 6])
def test_it_is_never_milder_than_a_survey(minor: int, tmp_path: Path) -> None:
    data = small_hive(tmp_path, minor)
    assert screen(open_bytes(data).cells) is not None
    chance = random.Random(minor)
    sound = 0
    for _ in range(150):
        changed = damaged(data, chance)
        hive = open_bytes(changed)
        found = screen(hive.cells)
        sound += found is not None
        assert (found is None) == bool(harmful(survey(hive).defects))
    assert 20 < sound < 145


@pytest.mark.parametrize(
    "name", ["hives-other/yarp/ManySubkeysHive", "hives-system/nt4-sp3-server-dc-vmware-buslogic/SYSTEM"]
)
def test_a_hive_larger_than_the_window_reads_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = real_file(name).read_bytes()
    whole, full = screen(open_bytes(data).cells), survey(open_bytes(data))
    monkeypatch.setattr(window, "WINDOW", 3 * window.CHUNK)
    assert screen(open_bytes(data).cells) == whole
    assert survey(open_bytes(data)) == full
    chance = random.Random(5)
    for _ in range(2):
        hive = open_bytes(damaged(data, chance))
        assert (screen(hive.cells) is None) == bool(harmful(survey(hive).defects))


def test_values_that_every_key_claims_end_the_reading(tmp_path: Path) -> None:
    """Else a small hive could have values read for ever: each key's list would be the same long one."""
    memory = Memory(built_hive(tmp_path, minor=5))
    hive = Hive.open(memory, name="SYSTEM")
    for number in range(50):
        hive.create_key(rf"A\{number}")
        hive.set_value(rf"A\{number}", "x", 3, bytes(number))
    keys = [key.node() for key in hive.root.walk() if key.path.startswith("A\\")]
    for node in keys[1:]:
        hive.cells.patch(node.offset, 40, keys[0].value_list.to_bytes(4, "little"))
    assert screen(hive.cells) is None


def test_what_cannot_be_read_is_no_doubt_but_an_error(tmp_path: Path) -> None:
    memory = Memory(built_hive(tmp_path, minor=5))
    hive = Hive.open(memory, name="SYSTEM")
    del memory.data[5000:]
    with pytest.raises(HiveError, match="the file gave"):
        screen(hive.cells)
