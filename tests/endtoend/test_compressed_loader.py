"""A loader that NTFS compressed is stored uncompressed: judged by istat and ntfsresize, undone to the byte."""

from collections.abc import Callable

import pytest
from tests.endtoend.ntfs_marks import compress
from tests.endtoend.story import LSI_LOGIC, Bootgraft, findings
from tests.machines import oracles, vista
from tests.machines.build import BuiltMachine
from tests.machines.spec import SECTOR, MachineSpec
from tests.machines.tools import run
from tests.machines.windows2003 import Server1, dead_server
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import Symmpi

SYSTEM = 0
"""The system partition of both machines."""


def server_2003() -> MachineSpec:
    return dead_server(Server1("healthy", symmpi=Symmpi.READY, binding=True, driver=DriverFile.GOOD))


def record(machine: BuiltMachine, path: str) -> str:
    """What sleuthkit says of a file of the system partition."""
    start = str(machine.span(SYSTEM)[0] // SECTOR)
    number = run("ifind", "-o", start, "-n", path, machine.disk).decode().split("-")[0].strip()
    return run("istat", "-o", start, machine.disk, number).decode()


@pytest.mark.parametrize(
    ("made", "target", "loader"),
    [
        (server_2003, LSI_LOGIC, "ntldr"),
        (vista.system_reserved, ("--target", "vmware:lsisas1068"), "bootmgr"),
    ],
)
def test_a_compressed_loader(
    made: Callable[[], MachineSpec],
    target: tuple[str, ...],
    loader: str,
    build_machine: Callable[[MachineSpec], BuiltMachine],
    bootgraft: Bootgraft,
) -> None:
    machine = build_machine(made())
    content = oracles.read_file(machine.disk, machine.span(SYSTEM), f"\\{loader}")
    compress(machine, SYSTEM, loader)
    assert "Non-Resident, Compressed" in record(machine, f"/{loader}")
    spoilt = oracles.sha256(machine.disk)
    checked = bootgraft("check", machine.disk, *target, "--json")
    assert (checked.status, findings(checked)) == (1, [("blocker", "boot-loader-compressed")])
    repaired = bootgraft("repair", machine.disk, *target)
    assert repaired.status == 0, repaired
    assert "its own content, stored uncompressed" in repaired.stdout
    after = record(machine, f"/{loader}")
    assert "Flags: Read Only, Hidden, System, Archive\n" in after
    assert "Non-Resident, Compressed" not in after
    assert oracles.read_file(machine.disk, machine.span(SYSTEM), f"\\{loader}") == content
    oracles.ntfs_is_consistent(machine.disk, machine.span(SYSTEM))
    assert bootgraft("check", machine.disk, *target, "--json").json["findings"] == []
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == spoilt
