"""What a kit for a given machine says of the machine's other faults."""

from pathlib import Path

from tests.memory_windows import memory_windows
from tests.repair.bench import diagnosis

from bootgraft.changes import CreateKey, FileId
from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.worker.drivers.kits import _not_repaired


def blocker(title: str, remedy: Remedy, *changes: CreateKey) -> Finding:
    return Finding(title, Severity.BLOCKER, title, "", (), remedy, changes)


def test_what_no_driver_repairs_is_said(machine_cache: Path) -> None:
    lacking = diagnosis(memory_windows(machine_cache))
    assert list(_not_repaired(lacking)) == []
    change = CreateKey(FileId(0, 0, "volume", "SYSTEM"), "ControlSet001\\Services\\x")
    further = [
        blocker("no boot code", Remedy.BOOT_CODE),
        blocker("no start", Remedy.CHANGES, change),
        blocker("no driver", Remedy.DRIVER),
    ]
    (note,) = _not_repaired(lacking.with_findings(further))
    assert note == "The kit does not repair this: no boot code. A repair of the image after the conversion may."
