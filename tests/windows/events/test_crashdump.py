"""Headers of crash dumps."""

import pytest
from tests.machines.event_logs import FIRST, dump

from bootgraft.windows.events.crashdump import HEADER, Bugcheck, CrashDump, read_dump


@pytest.mark.parametrize("wide", [True, False], ids=["64-bit", "32-bit"])
def test_the_stop_and_its_time(wide: bool) -> None:
    arguments = (0xFFFFF880009A9928 if wide else 0xF78D2524, 0xC0000034, 3, 4)
    found = read_dump(dump(0x7B, arguments, 0, wide=wide, build=7601)[:HEADER], "Minidump\\a.dmp")
    assert found == CrashDump(Bugcheck(0x7B, arguments, "Minidump\\a.dmp"), 7601, FIRST)


@pytest.mark.parametrize("head", [b"", b"PAGEDU64", b"MDMP" * 1024, bytes(HEADER)], ids=len)
def test_what_is_no_dump_of_a_kernel(head: bytes) -> None:
    assert read_dump(head, "a") is None


def test_a_time_that_is_none() -> None:
    head = bytearray(dump(1, (0, 0, 0, 0), 0))
    head[0xFA8:0xFB0] = b"\xff" * 8
    found = read_dump(bytes(head), "a")
    assert found is not None
    assert found.time is None
