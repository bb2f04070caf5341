"""Unused entries before that of Windows in the GPT of a disk."""

import pytest
from msgspec.structs import replace
from tests.fakes import FakePartition, machine_of

from bootgraft.changes import WriteSectors
from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.checks.identity import gpt_gap
from bootgraft.checks.identity.identity_facts import HIDDEN
from bootgraft.storage.disks.partitions import TableKind

EDIT = WriteSectors(0, 1024, b"new", b"old", "the order of entries 1 to 3 in the primary GPT")


def found(
    monkeypatch: pytest.MonkeyPatch | None, *slots: int, kind: TableKind = TableKind.GPT, attributes: int = 0
) -> tuple[Finding, ...]:
    """What is said of a disk whose partitions have these slots; the last is that of Windows. The edit is not made."""
    (disk,) = machine_of([FakePartition()] * len(slots)).disks
    partitions = tuple(
        replace(each, slot=slot, attributes=attributes) for each, slot in zip(disk.table.partitions, slots, strict=True)
    )
    disk.table = replace(disk.table, kind=kind, partitions=partitions)
    volume = disk.volumes[-1]
    volume.partition = partitions[-1]
    patch = monkeypatch or pytest.MonkeyPatch()
    with patch.context() as patched:
        patched.setattr(gpt_gap, "_closing", lambda _disk, _slot: iter((EDIT,)))
        return gpt_gap.check(disk, volume)


@pytest.mark.parametrize(
    ("slots", "title"),
    [
        ((1, 2, 3), ""),
        ((2, 1, 3), ""),
        ((5, 1, 2), ""),  # a gap behind it
        ((1, 3), "entry 2 is unused in the GPT before that of Windows"),
        ((4,), "entries 1, 2, 3 are unused in the GPT before that of Windows"),
        ((40,), "entries 1, 2, 3, 4, 5, 6, 7, 8, … are unused in the GPT before that of Windows"),
    ],
)
def test_which_gaps_count(slots: tuple[int, ...], title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = found(monkeypatch, *slots)
    assert [each.title for each in findings] == ([title] if title else [])
    for each in findings:
        assert (each.severity, each.leaves_open, each.remedy) == (Severity.WARNING, False, Remedy.OFFERED)


def test_an_mbr_has_no_such_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, 1, 3, kind=TableKind.MBR) == ()


def test_attributes_are_cleared_first(monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = found(monkeypatch, 1, 3, attributes=HIDDEN)
    assert (finding.remedy, finding.changes) == (Remedy.NONE, ())
