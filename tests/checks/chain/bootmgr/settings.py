"""BIOS machines whose default entry has settings that were meant for one start."""

import struct
from collections.abc import Mapping

from tests.boot.bootmgr.test_chain import at, windows
from tests.checks.guests import followed
from tests.fakes import FakePartition, machine_of, volume_of
from tests.machines import bcd, vista
from tests.machines.spec import Hive
from tests.windows.hives import spec_bytes

from bootgraft.checks.guest import Guest

BOOTSTAT = r"\Windows\bootstat.dat"


def store_with(elements: Mapping[int, str | bytes | tuple[str, ...]]) -> Hive:
    """A store whose default entry has these elements besides."""
    loader = bcd.loader(vista.DEFAULT, at(2))
    loader.elements.update(elements)
    return bcd.store(bcd.bootmgr(at(1), vista.DEFAULT, (vista.DEFAULT,)), loader)


def status(succeeded: int, shut_down: int, product: int = 1) -> bytes:
    """A bootstat.dat."""
    return struct.pack("<IIBBBB", 1, product, 1, 30, succeeded, shut_down).ljust(0x10800, b"\0")


def machine(
    elements: Mapping[int, str | bytes | tuple[str, ...]] | None = None, bootstat: bytes | None = None
) -> Guest:
    """A machine that starts by that store, and whose loader remembers that."""
    system = volume_of("\\bootmgr", contents={"\\Boot\\BCD": spec_bytes(store_with(elements or {}))})
    own = windows("\\Windows", "winload.exe")
    if bootstat is not None:
        own.files[BOOTSTAT] = bootstat
    return followed(machine_of((FakePartition(system, active=True), FakePartition(own))))
