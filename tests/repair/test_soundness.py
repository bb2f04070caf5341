"""Hives are read strictly before an edit and after it: damage in its way stops it, damage elsewhere is told."""

import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.machines.build import BuiltMachine
from tests.machines.windows_hives import ControlSet, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows
from tests.repair.bench import package, plan
from tests.report.contract import printed
from tests.worker.in_process import do, overlays_on

from bootgraft.changes import CreateKey, DeleteKey, FileId, Plan
from bootgraft.checks.finding import Finding, Severity
from bootgraft.errors import BootgraftError
from bootgraft.machine import Machine
from bootgraft.registry.baseblock import BASE_SIZE
from bootgraft.registry.cells import Cells
from bootgraft.registry.hive import Hive
from bootgraft.registry.integrity import harm
from bootgraft.registry.integrity.screening import Screened, screen
from bootgraft.repair.apply import apply
from bootgraft.repair.soundness import findings, read_strictly, recall_sound, remember_sound, require_no_worse
from bootgraft.report.layout.lines import plain
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.worker.ipc.job import Operation

SYSTEM = "\\WINDOWS\\system32\\config\\SYSTEM"
HIVE = FileId(0, 8192, "disk 0 partition 1", SYSTEM)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def windows(machine_cache: Path) -> MemoryWindows:
    return memory_windows(machine_cache, ControlSet(1, Symmpi.IN_BOX))


def hash_at(hive: Hive, path: str) -> int:
    """Where in the file the hash of a key's first sub-key lies."""
    key = hive.key(path)
    assert key is not None
    return BASE_SIZE + key.node().subkey_list + 4 + 4 + 4


def damaged(windows: MemoryWindows, path: str) -> MemoryWindows:
    windows.filesystem.write(SYSTEM, hash_at(windows.hive, path), b"\1\2\3\4")
    return windows.reread()


def judged(windows: MemoryWindows, made: Plan) -> list[tuple[str, Severity]]:
    found: tuple[Finding, ...] = findings(made, read_strictly(made, windows.machine))
    return [(each.id, each.severity) for each in found]


def test_a_sound_hive_gives_no_finding(windows: MemoryWindows) -> None:
    assert judged(windows, plan(windows, package())) == []


def test_nothing_is_read_where_nothing_is_edited(windows: MemoryWindows) -> None:
    assert read_strictly(Plan(()), windows.machine) == {}


def test_damage_in_the_way_blocks(windows: MemoryWindows) -> None:
    made = plan(windows, package())
    first = next(iter(windows.hive.root.keys())).name
    assert judged(damaged(windows, ""), Plan((CreateKey(HIVE, f"{first}\\Services\\new"),))) == [
        ("hive-defects", Severity.BLOCKER)
    ]
    assert made.changes


def test_damage_elsewhere_warns(windows: MemoryWindows) -> None:
    worse = damaged(windows, r"ControlSet001\Control")
    assert judged(worse, Plan((CreateKey(HIVE, r"Select\new"),))) == [("hive-defects", Severity.WARNING)]


def test_damage_below_a_key_that_goes_blocks(windows: MemoryWindows) -> None:
    worse = damaged(windows, r"ControlSet001\Control")
    assert judged(worse, Plan((DeleteKey(HIVE, "controlset001"),))) == [("hive-defects", Severity.BLOCKER)]


def test_damage_to_a_bin_blocks_everything(windows: MemoryWindows) -> None:
    bins = struct.unpack_from("<I", windows.filesystem.find(SYSTEM), 40)[0]
    last = max(at for at in range(0, bins, 4096) if windows.filesystem.find(SYSTEM)[4096 + at :][:4] == b"hbin")
    windows.filesystem.write(SYSTEM, 4096 + last, b"nibh")
    worse = windows.reread()
    assert ("hive-defects", Severity.BLOCKER) in judged(worse, Plan((CreateKey(HIVE, r"Select\new"),)))


def test_an_edit_leaves_a_sound_hive_sound(windows: MemoryWindows) -> None:
    made = plan(windows, package())
    before = read_strictly(made, windows.machine)
    apply(made, windows.machine, now=NOW)
    require_no_worse(before, read_strictly(made, windows.reread().machine))


def test_a_hive_that_got_worse_is_a_bug(windows: MemoryWindows) -> None:
    made = plan(windows, package())
    before = read_strictly(made, windows.machine)
    worse = damaged(windows, r"ControlSet001\Control")
    with pytest.raises(BootgraftError, match="fails the integrity check: its list has a wrong hash") as caught:
        require_no_worse(before, read_strictly(made, worse.machine))
    assert caught.value.where == str(HIVE)


def damage_disk(overlay: Overlay, path: str) -> None:
    with Machine.read([overlay], writable=True) as machine:
        volume = machine.volume(0, 2)
        assert volume is not None
        place = hash_at(volume.hive(SYSTEM), path)
        volume.filesystem().write(SYSTEM, place, b"\1\2\3\4")


@pytest.mark.parametrize(
    ("path", "status", "severity"),
    [("", 1, "blocker"), (r"ControlSet002\Enum", 0, "warning")],
)
def test_a_repair_of_a_damaged_hive(
    server1: BuiltMachine, donor: BuiltMachine, path: str, status: int, severity: str
) -> None:
    disks = overlays_on(server1.disk)
    damage_disk(disks[0], path)
    outcome = do(Operation.REPAIR, disks, [donor.disk])
    assert (outcome.status, outcome.proven) == (status, status == 0)
    (check,) = printed(outcome.document)["before"]
    assert ("hive-defects", severity) in [(each["id"], each["severity"]) for each in check["findings"]]
    assert ("Nothing was written" in plain(outcome.text)) == (status == 1)


def test_a_repair_reads_no_hive_whole_twice(
    server1: BuiltMachine, donor: BuiltMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The diagnosis does; the reading before the edits, the proof and the diagnosis after them know it from there."""
    read: list[str] = []

    def seen(cells: Cells) -> Screened | None:
        read.append(cells.name)
        return screen(cells)

    monkeypatch.setattr(harm, "screen", seen)
    assert do(Operation.REPAIR, overlays_on(server1.disk), [donor.disk]).proven
    assert len(read) == len(set(read)) > 0


def test_a_hive_that_an_edit_harmed_is_surveyed_and_refused(windows: MemoryWindows) -> None:
    change = CreateKey(HIVE, r"ControlSet001\Services\new")
    edits = Plan((change,))
    before = read_strictly(edits, windows.machine)
    sound = remember_sound(windows.machine)
    assert [each.path for each in sound] == [SYSTEM.casefold()]
    apply(edits, windows.machine, now=NOW)
    after = windows.reread()
    place = hash_at(after.hive, r"ControlSet001\Services")
    after.filesystem.write(SYSTEM, place, b"\1\2\3\4")
    harmed = windows.reread()
    recall_sound(sound, harmed.machine)
    with pytest.raises(BootgraftError, match="fails the integrity check: its list has a wrong hash"):
        require_no_worse(before, read_strictly(edits, harmed.machine))
