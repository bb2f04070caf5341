"""The re-check of an edited hive: as good as reading all of it, and never milder."""

import random
from pathlib import Path

import pytest
from tests.registry.integrity.test_screening import small_hive
from tests.registry.integrity.test_survey import harmful
from tests.registry.mutants import PAGE, damaged, edit
from tests.registry.support import FILETIME, Memory, open_bytes, real_file

from bootgraft.registry.hive import Hive
from bootgraft.registry.integrity import recheck as module
from bootgraft.registry.integrity import window
from bootgraft.registry.integrity.keys import Node
from bootgraft.registry.integrity.pagehashes import SoundHive, hashes_of
from bootgraft.registry.integrity.reading import Reading
from bootgraft.registry.integrity.recheck import recheck
from bootgraft.registry.integrity.screening import screen
from bootgraft.registry.integrity.survey import read_whole, survey


class Edited:
    """A sound hive, opened, and the file that it lies in."""

    def __init__(self, data: bytes) -> None:
        self.memory = Memory(data)
        self.hive = Hive.open(self.memory, name="SYSTEM")
        found = screen(self.hive.cells)
        assert found is not None
        self.before = SoundHive(found, hashes_of(self.hive.cells), self.hive.cells.store.originals)

    def commit(self, seconds: int = 1) -> bytes:
        self.hive.commit(filetime=FILETIME + seconds * 10_000_000)
        return bytes(self.memory.data)


def every_page(data: bytes) -> dict[int, bytes]:
    return {page: data[page * PAGE :][:PAGE] for page in range(len(data) // PAGE)}


def changed_pages(old: bytes, new: bytes) -> list[int]:
    return [page for page, data in every_page(new).items() if page and data != old[page * PAGE :][:PAGE]]


@pytest.fixture(params=[3, 4, 5, 6])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> bytes:
    return small_hive(tmp_path, request.param)


def test_after_edits_all_is_known_that_a_new_reading_would_tell(data: bytes) -> None:
    for seed in range(40):
        edited = Edited(data)
        edit(edited.hive, random.Random(seed))
        after = open_bytes(edited.commit())
        assert recheck(edited.before, after.cells) == screen(after.cells) is not None


def test_a_hive_larger_than_the_window(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "CHUNK", PAGE)
    monkeypatch.setattr(window, "WINDOW", 2 * PAGE)
    for seed in range(10):
        edited = Edited(data)
        edit(edited.hive, random.Random(seed))
        after = open_bytes(edited.commit())
        assert recheck(edited.before, after.cells) == screen(after.cells) is not None


def test_several_rounds(data: bytes) -> None:
    edited = Edited(data)
    for seed in range(12):
        edit(edited.hive, random.Random(seed))
        now = edited.commit(seed)
        after = open_bytes(now)
        found = recheck(edited.before, after.cells)
        assert found == screen(after.cells)
        edited = Edited(now)


@pytest.mark.parametrize(
    "name",
    ["hives-system/xp-sp3-x86-virtualpc-iecompat/SYSTEM", "hives-other/yarp/ManySubkeysHive", "bcd/bios/w7-mbr-en/BCD"],
)
def test_real_hives(name: str) -> None:
    edited = Edited(real_file(name).read_bytes())
    chance = random.Random(1)
    for _ in range(4):
        edit(edited.hive, chance)
    after = open_bytes(edited.commit())
    assert recheck(edited.before, after.cells) == screen(after.cells) is not None


def test_it_is_never_milder_than_a_survey(data: bytes) -> None:
    """Damage where the edit wrote, and anywhere else; what was there before is known of all of it."""
    chance = random.Random(7)
    sound = 0
    for _ in range(120):
        edited = Edited(data)
        edit(edited.hive, chance)
        now = edited.commit()
        before = SoundHive(edited.before.screened, edited.before.hashes, every_page(data))
        pages = changed_pages(data, now) if chance.random() < 0.7 else ()
        after = open_bytes(damaged(now, chance, pages))
        found = recheck(before, after.cells)
        if found is not None:
            sound += 1
            assert not harmful(survey(after).defects)
            assert found == screen(after.cells)
    assert sound > 20


def test_nothing_is_read_again_but_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    edited = Edited(real_file("hives-system/xp-sp3-x86-virtualpc-iecompat/SYSTEM").read_bytes())
    edited.hive.set_value("Select", "Current", 4, b"\3\0\0\0")
    after = open_bytes(edited.commit())
    read = []

    def seen(reading: Reading, node: Node) -> list[Node]:
        read.append(node.name)
        return read_whole(reading, node)

    monkeypatch.setattr(module, "read_whole", seen)
    assert recheck(edited.before, after.cells) is not None
    assert read == ["Select", "Select"]  # as it was, as it is


def test_an_unedited_hive_is_known_again(data: bytes) -> None:
    edited = Edited(data)
    assert recheck(edited.before, open_bytes(data).cells) is edited.before.screened


def test_a_change_that_nobody_knows_of_is_a_doubt(data: bytes) -> None:
    edited, other = Edited(data), Edited(data)
    other.hive.set_value("A", "new", 4, bytes(4))
    assert recheck(edited.before, open_bytes(other.commit()).cells) is None


def test_too_many_changes_are_a_doubt(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_PAGES", 1)
    edited = Edited(data)
    edited.hive.set_value("A", "new", 3, bytes(9000))
    edited.hive.delete_key("B")
    assert recheck(edited.before, open_bytes(edited.commit()).cells) is None


def test_a_hive_that_shrank_is_a_doubt(data: bytes) -> None:
    edited = Edited(data)
    edited.hive.set_value("A", "new", 3, bytes(40_000))
    grown = Edited(edited.commit())
    assert recheck(grown.before, open_bytes(data).cells) is None
