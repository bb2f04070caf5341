"""Bytes outside any file: written under their precondition, read back by the proof, told in text and in JSON."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from tests.fakes import FakePartition, machine_of, volume_of
from tests.plaintext import in_plain
from tests.report.contract import printed

from bootgraft.changes import Plan, WriteSectors
from bootgraft.errors import BootgraftError
from bootgraft.repair.apply import apply
from bootgraft.repair.chainplan import join, volumes_written
from bootgraft.repair.proof import read_back
from bootgraft.report.changes import change_document
from bootgraft.report.plan_text import plan_text as plan_text_of
from bootgraft.report.plan_text import summary_line

plan_text = in_plain(plan_text_of)


NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FLAG = WriteSectors(0, 446, b"\x80", b"\0", "the active flag of slot 1 in the MBR")


def test_sectors_are_written_and_read_back() -> None:
    machine = machine_of([FakePartition(volume_of())])
    device = machine.disks[0].device
    whole = device.read(0, device.size)
    with pytest.raises(BootgraftError, match="does not read back"):
        read_back(Plan((FLAG,)), machine)
    apply(Plan((FLAG,)), machine, now=NOW)
    read_back(Plan((FLAG,)), machine)
    assert device.read(0, device.size) == whole[:446] + b"\x80" + whole[447:]
    assert volumes_written(Plan((FLAG,)), machine) == ()


def test_what_is_not_as_it_was_is_not_written() -> None:
    machine = machine_of([FakePartition(volume_of())])
    machine.disks[0].device.write(446, b"\x01")
    with pytest.raises(BootgraftError, match="are not what the plan was made for") as caught:
        apply(Plan((FLAG,)), machine, now=NOW)
    assert caught.value.where == "disk 0, byte 446"
    assert machine.disks[0].device.read(446, 1) == b"\x01"


def test_the_same_bytes_in_two_rounds_are_one_change() -> None:
    back = WriteSectors(0, 446, b"\0", b"\x80", FLAG.what)
    assert join(Plan((FLAG,)), Plan((back,))).changes == (replace(back, before=b"\0"),)


def test_how_it_is_told() -> None:
    plan = Plan((FLAG,))
    text = "patch   disk 0, byte 446: the active flag of slot 1 in the MBR  (00 becomes 80)\n"
    assert plan_text(plan, detailed=False) == plan_text(plan, detailed=True) == text
    assert summary_line(plan) == "1 boot sector field"
    assert printed(change_document(FLAG)) == {
        "kind": "write-sectors", "disk": 0, "offset": 446, "data": "gA==", "before": "AA==", "what": FLAG.what,
    }  # fmt: skip
    assert (plan.files(), plan.registry(), plan.sectors()) == ((), (), (FLAG,))
