r"""Machines whose boot.ini is not there, names nothing, or names another system: what is written, what only said.

mtools and sleuthkit read what is on the disk; undo gives it back to the byte.
"""

from pathlib import Path
from typing import Any

import pytest
from tests.endtoend.story import LSI_LOGIC, Bootgraft, Build, findings
from tests.endtoend.test_boot_ini import BOOT_INI, ENTRY, LOADER, menu
from tests.machines import oracles
from tests.machines.spec import FileSystem
from tests.machines.tools import run
from tests.machines.windows2003 import arc
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import Symmpi

READY: dict[str, Any] = {"symmpi": Symmpi.READY, "binding": True, "driver": DriverFile.GOOD}
NEW = '="Microsoft Windows Server 2003" /fastdetect'


@pytest.mark.parametrize("filesystem", [FileSystem.NTFS, FileSystem.FAT16])
@pytest.mark.parametrize(
    ("variant", "finding", "wanted"),
    [
        ({"boot_ini_missing": True}, "boot-ini-missing", menu(arc(2, "WINDOWS"), arc(2, "WINDOWS") + NEW)),
        ({"boot_ini_text": "[boot loader]"}, "boot-ini-missing", menu(arc(2, "WINDOWS"), arc(2, "WINDOWS") + NEW)),
        (
            {"boot_ini_text": f"[boot loader]\r\n[operating systems]\r\n{arc(2, 'WINDOWS')}{ENTRY}"},
            "boot-ini-no-default",
            f"[boot loader]\r\ndefault={arc(2, 'WINDOWS')}\r\n[operating systems]\r\n{arc(2, 'WINDOWS')}{ENTRY}",
        ),
    ],
    ids=["no file", "no entries", "no default"],
)
def test_it_is_written_for_the_only_windows(
    variant: dict[str, Any], finding: str, wanted: str, filesystem: FileSystem, build_server1: Build,
    bootgraft: Bootgraft, tmp_path: Path,
) -> None:  # fmt: skip
    machine = build_server1(**READY, system_filesystem=filesystem, **variant)
    before = oracles.sha256(machine.disk)
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert checked.status == 1
    assert [name for _, name in findings(checked)] == [finding]
    dry = bootgraft("repair", machine.disk, *LSI_LOGIC, "--dry-run")
    assert (dry.status, f"+default={arc(2, 'WINDOWS')}" in dry.stdout) == (0, True), dry
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC)
    assert repaired.status == 0, repaired
    assert oracles.read_file(machine.disk, machine.span(LOADER), BOOT_INI).decode() == wanted
    if filesystem is FileSystem.FAT16:
        oracles.fat_is_consistent(machine.disk, machine.span(LOADER))
        volume = oracles.extract_volume(machine.disk, machine.span(LOADER), tmp_path / "volume")
        assert run("mtype", "-i", volume, "::boot.ini").decode() == wanted
    else:
        oracles.ntfs_is_consistent(machine.disk, machine.span(LOADER))
    again = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (again.status, findings(again)) == (0, [])
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


def test_which_of_two_is_meant_is_not_guessed_at(build_server1: Build, bootgraft: Bootgraft) -> None:
    machine = build_server1(**READY, boot_ini_missing=True, decoy=True)
    before = oracles.sha256(machine.disk)
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC)
    assert (repaired.status, "bootgraft does not guess which Windows is meant" in repaired.stdout) == (1, True)
    assert "\\WINDOWS on disk 0 partition 3 (NT 5.2)" in repaired.stdout
    assert oracles.sha256(machine.disk) == before


@pytest.mark.parametrize(
    ("switch", "severity", "status"),
    [("/HAL=halmps.dll", "blocker", 1), ("/NUMPROC=1", "warning", 0), ("/redirect", "info", 0)],
)
def test_switches_of_the_old_machine_are_told(
    switch: str, severity: str, status: int, build_server1: Build, bootgraft: Bootgraft
) -> None:
    machine = build_server1(**READY, boot_ini_text=menu(arc(2, "WINDOWS"), f"{arc(2, 'WINDOWS')}{ENTRY} {switch}"))
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (checked.status, findings(checked)) == (status, [(severity, "boot-ini-switches")])
    assert switch in " ".join(checked.json["findings"][0]["evidence"])


def test_a_machine_that_starts_another_system_is_told_which_line_to_change(
    build_server1: Build, bootgraft: Bootgraft
) -> None:
    text = menu("C:\\CMDCONS\\BOOTSECT.DAT", arc(2, "WINDOWS") + ENTRY, 'C:\\CMDCONS\\BOOTSECT.DAT="Console" /cmdcons')
    machine = build_server1(**READY, boot_ini_text=text, system_filesystem=FileSystem.FAT16)
    before = oracles.sha256(machine.disk)
    missing = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert findings(missing) == [("blocker", "boot-ini-default-boots-other")]
    start = machine.span(LOADER)[0]
    sector = machine.disk.parent / "sector"
    sector.write_bytes(b"\xeb\x3c\x90MSDOS5.0" + bytes(400) + b"CMLDR      " + bytes(88) + b"\x55\xaa")
    place = f"{machine.disk}@@{start}"
    run("mmd", "-i", place, "::CMDCONS")
    run("mcopy", "-i", place, sector, "::CMDCONS/BOOTSECT.DAT")
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (checked.status, checked.json["verdict"]) == (1, "unknown")
    assert findings(checked) == [("warning", "boot-ini-default-boots-other")]
    (finding,) = checked.json["findings"]
    assert f"put {arc(2, 'WINDOWS')} behind default= in line 3 of boot.ini." in finding["explanation"]
    assert "starts the recovery console" in " ".join(finding["evidence"])
    spoilt = oracles.sha256(machine.disk)
    assert bootgraft("repair", machine.disk, *LSI_LOGIC).status == 1
    assert oracles.sha256(machine.disk) == spoilt != before
