"""Settings of the default entry that stayed: safe mode, and recovery at any failure."""

import pytest
from tests.checks.chain.bootmgr.settings import machine, status, store_with
from tests.windows.hives import MemoryFile, spec_bytes

from bootgraft.boot.bootmgr.bcd import read_store
from bootgraft.changes import CreateKey, DeleteKey, SetValue
from bootgraft.checks.chain.bootmgr.loader_settings import FAILED, SAFE_MODE, find
from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.registry.hive import Hive

SAFE, SHELL, POLICY, RECOVERY = 0x25000080, 0x26000081, 0x250000E0, 0x16000009


def edited(elements: dict[int, str | bytes | tuple[str, ...]], finding: Finding) -> dict[int, int | None]:
    """The numbers of the default entry after the finding's changes."""
    hive = Hive.open(MemoryFile(spec_bytes(store_with(elements))), name="BCD")
    for change in finding.changes:
        match change:
            case DeleteKey():
                hive.delete_key(change.key)
            case CreateKey():
                hive.create_key(change.key)
            case SetValue():
                hive.set_value(change.key, change.name, change.value.type, change.value.data)
    store = read_store(hive)
    (entry,) = (each for each in store.objects if each.type == 0x10200003)
    return {each: store.number(entry, each) for each in (SAFE, SHELL, POLICY, RECOVERY)}


@pytest.mark.parametrize(
    ("kind", "name"), [(0, "minimal"), (1, "with network"), (2, "Directory Services"), (9, "kind 9")]
)
def test_safe_mode_is_named_by_its_kind(kind: int, name: str) -> None:
    (finding,) = find(machine({SAFE: kind.to_bytes(8, "little")}))
    assert (finding.id, finding.severity, finding.remedy) == (SAFE_MODE, Severity.WARNING, Remedy.OFFERED)
    assert name in finding.title


def test_both_elements_are_taken_out() -> None:
    elements: dict[int, str | bytes | tuple[str, ...]] = {SAFE: bytes(8), SHELL: b"\x01"}
    (finding,) = find(machine(elements))
    assert "with a command prompt only" in finding.evidence[1]
    assert edited(elements, finding) == {SAFE: None, SHELL: None, POLICY: None, RECOVERY: None}


def test_a_start_that_failed_is_told_with_what_the_loader_makes_of_it() -> None:
    (finding,) = find(machine({RECOVERY: b"\x01"}, status(0, 0)))
    assert (finding.id, finding.severity, finding.remedy) == (FAILED, Severity.INFO, Remedy.OFFERED)
    assert "bootstatuspolicy=not set, recoveryenabled=1" in finding.evidence[1]
    assert edited({RECOVERY: b"\x01"}, finding) == {SAFE: None, SHELL: None, POLICY: 1, RECOVERY: 0}


@pytest.mark.parametrize(
    "elements", [{RECOVERY: b"\0"}, {POLICY: (1).to_bytes(8, "little")}, {POLICY: (3).to_bytes(8, "little")}]
)
def test_a_loader_that_passes_failures_over_needs_no_word(
    elements: dict[int, str | bytes | tuple[str, ...]],
) -> None:
    assert tuple(find(machine(elements, status(0, 0)))) == ()


@pytest.mark.parametrize(
    "content",
    [None, b"", b"short", status(1, 0), status(1, 1), status(2, 0), status(0, 0, product=7), bytes(0x10800)],
    ids=["none", "empty", "short", "running", "shut down", "no truth", "no product", "zeros"],
)
def test_only_what_is_known_to_be_a_failure_counts(content: bytes | None) -> None:
    assert tuple(find(machine(bootstat=content))) == ()
