"""The integrity checks against each other: what is quick, or reads a part again, is never milder than a survey."""

import random
import zlib

from tests.registry.mutants import damaged, edit
from tests.registry.support import FILETIME, Memory

from bootgraft.errors import HiveError
from bootgraft.registry.hive import Hive
from bootgraft.registry.integrity.defects import DefectSeverity
from bootgraft.registry.integrity.pagehashes import SoundHive, hashes_of
from bootgraft.registry.integrity.recheck import recheck
from bootgraft.registry.integrity.screening import Screened, screen
from bootgraft.registry.integrity.survey import DEFECT_LIMIT, survey

PAGE = 4096


def agree(hive: Hive) -> Screened | None:
    """Read a hive both ways; what the quick one says. Raises AssertionError where it is milder."""
    defects = survey(hive).defects
    found = screen(hive.cells)
    harmful = [each for each in defects if each.severity is not DefectSeverity.HARMLESS]
    if len(defects) > DEFECT_LIMIT + 1 or (found is not None and harmful):
        raise AssertionError(harmful[:3])
    return found


def agree_after_edits(data: bytes) -> None:
    """Edit a hive that is sound, see that the re-check says so, damage it, and compare the re-check with a survey."""
    chance = random.Random(zlib.crc32(data))
    memory = Memory(data)
    hive = Hive.open(memory, name="HIVE")
    known = screen(hive.cells)
    if known is None:
        return
    originals = {page: data[page * PAGE :][:PAGE] for page in range(len(data) // PAGE)}
    before = SoundHive(known, hashes_of(hive.cells), originals)
    try:
        edit(hive, chance)
    except HiveError:
        return  # a name that is not taken, in a hive that has it
    hive.commit(filetime=FILETIME + 1)
    after = Hive.open(Memory(bytes(memory.data)), name="HIVE")
    if recheck(before, after.cells) != screen(after.cells):
        raise AssertionError("after an edit")
    try:
        worse = Hive.open(Memory(damaged(bytes(memory.data), chance)), name="HIVE")
    except HiveError:
        return
    found = recheck(before, worse.cells)
    if found is not None and found != agree(worse):
        raise AssertionError("after damage")
