"""What is harmful in a hive is found once for each state that it is in."""

from pathlib import Path

import pytest
from tests.registry.integrity.test_screening import small_hive
from tests.registry.support import FILETIME, Memory, open_bytes, real_file

from bootgraft.registry.hive import Hive
from bootgraft.registry.integrity import harm
from bootgraft.registry.integrity.defects import DefectKind, DefectSeverity, Generation
from bootgraft.registry.integrity.harm import harmful, recall, remember


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    return small_hive(tmp_path, 5)


def test_a_sound_hive_is_read_once_as_long_as_it_stays_the_same(data: bytes) -> None:
    memory = Memory(data)
    hive = Hive.open(memory, name="SYSTEM")
    assert harmful(hive) == ()
    memory.reads.clear()
    assert harmful(hive, Generation.UP_TO_2000) == ()
    assert memory.reads == []
    hive.set_value("A", "new", 4, bytes(4))
    assert harmful(hive) == ()
    assert memory.reads != []


def test_what_is_harmful_is_told_for_the_windows_that_reads() -> None:
    hive = open_bytes(real_file("hives-other/yarp/BadListHive").read_bytes())
    for generation, worst in ((None, DefectSeverity.REJECTS), (Generation.SINCE_XP_SP1, DefectSeverity.LOSES)):
        found = harmful(hive, generation)
        assert {each.kind for each in found} == {
            DefectKind.KEY_PARENT,
            DefectKind.SHARED_CELL,
            DefectKind.SUBKEY_COUNT,
        }
        assert worst in {each.severity for each in found}
    assert remember(hive) is None


def test_what_no_windows_notices_is_not_told() -> None:
    hive = open_bytes(real_file("hives-system/xp-sp3-x86-virtualpc-iecompat/SYSTEM").read_bytes())
    assert harmful(hive) == ()


def test_only_what_was_found_sound_and_not_edited_since_is_remembered(data: bytes) -> None:
    hive = open_bytes(data)
    assert remember(hive) is None
    assert harmful(hive) == ()
    assert remember(hive) is not None
    hive.set_value("A", "new", 4, bytes(4))
    assert remember(hive) is None


def test_an_edited_hive_that_is_recalled_is_not_read_whole(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory(data)
    hive = Hive.open(memory, name="SYSTEM")
    assert harmful(hive) == ()
    known = remember(hive)
    assert known is not None
    hive.set_value("A", "new", 4, bytes(4))
    hive.commit(filetime=FILETIME + 1)
    after = Hive.open(memory, name="SYSTEM")
    monkeypatch.setattr(harm, "screen", None)
    assert recall(known, after)
    assert harmful(after) == ()
    assert remember(after) is not None


def test_one_that_was_harmed_is_surveyed(data: bytes) -> None:
    memory = Memory(data)
    hive = Hive.open(memory, name="SYSTEM")
    assert harmful(hive) == ()
    known = remember(hive)
    assert known is not None
    hive.set_value("A", "new", 4, bytes(4))
    key = hive.key("A")
    assert key is not None
    hive.cells.patch(key.offset, 36, (77).to_bytes(4, "little"))
    hive.commit(filetime=FILETIME + 1)
    after = Hive.open(memory, name="SYSTEM")
    assert not recall(known, after)
    assert DefectKind.VALUE_LIST in {each.kind for each in harmful(after)}
