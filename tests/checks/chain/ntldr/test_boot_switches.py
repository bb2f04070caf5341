r"""Switches of the default entry that were meant for the old machine."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.boot.test_chain import entry, loader, menu, path, windows
from tests.checks.guests import followed
from tests.fakes import FakePartition, machine_of

from bootgraft.boot.ntldr.bootini import parse
from bootgraft.boot.steps import BootTarget
from bootgraft.checks.chain.ntldr.boot_switches import ReviewedSwitch, SwitchEffect, find, reviewed
from bootgraft.checks.finding import Severity
from bootgraft.machine import Machine


def machine_with(switches: str, *files: str) -> Machine:
    volume = windows("\\WINDOWS")
    volume.files |= {f"\\WINDOWS\\system32\\{file}": b"MZ" for file in files}
    boot_ini = menu(path(0, 2), entry(0, 3, rest="=other /MAXMEM=1"), entry(0, 2, rest=f'="Windows" {switches}'))
    return machine_of([FakePartition(loader(boot_ini), active=True), FakePartition(volume)])


def effects(found: Iterable[ReviewedSwitch]) -> list[tuple[str, SwitchEffect]]:
    return [(each.text, each.effect) for each in found]


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ("/fastdetect /noexecute=optin /3GB /PAE /usepmtimer /sos", []),
        ("/MAXMEM=512 /numproc=1", [("/MAXMEM=512", SwitchEffect.REVIEW), ("/numproc=1", SwitchEffect.REVIEW)]),
        ("/safeboot:minimal(alternateshell)", [("/safeboot:minimal(alternateshell)", SwitchEffect.REVIEW)]),
        ("/scsiordinal:1/fastdetect", [("/scsiordinal:1", SwitchEffect.REVIEW)]),
        (
            "/redirect /DebugPort=com1",
            [("/redirect", SwitchEffect.HARMLESS), ("/DebugPort=com1", SwitchEffect.HARMLESS)],
        ),
        ("/hal=HalACPI.dll", [("/hal=HalACPI.dll", SwitchEffect.STOPS)]),
        ("/KERNEL=ntkrnlpa.exe", [("/KERNEL=ntkrnlpa.exe", SwitchEffect.REVIEW)]),
        ("/kernel=config", [("/kernel=config", SwitchEffect.STOPS)]),
        (
            "/KERNEL=multi(0)disk(0)rdisk(0)partition(2)\\k.exe",
            [
                ("/KERNEL=multi(0)disk(0)rdisk(0)partition(2)\\k.exe", SwitchEffect.REVIEW),
            ],
        ),
        ("/hal= /nodebug /debugx", []),
    ],
)
def test_what_is_worth_a_look(switches: str, expected: list[tuple[str, SwitchEffect]]) -> None:
    guest = followed(machine_with(switches, "ntkrnlpa.exe"))
    assert guest.chain.entry is not None
    assert guest.chain.default is not None
    assert effects(reviewed(guest.chain.entry, guest.chain.default)) == expected
    shown = [line.partition(": ")[0] for finding in find(guest) for line in finding.evidence[1:]]
    assert sorted(shown) == sorted(text for text, _ in expected)


def test_the_line_and_the_file_are_named() -> None:
    (found,) = find(followed(machine_with("/HAL=nothere.dll")))
    assert found.severity is Severity.BLOCKER
    where, switch = found.evidence
    assert where == "disk 0 partition 1: \\boot.ini, line 6"
    assert "\\WINDOWS\\system32\\nothere.dll as the hardware abstraction layer, and there is no such file" in switch


def test_the_worst_comes_first() -> None:
    found = list(find(followed(machine_with("/redirect /MAXMEM=1 /HAL=nothere.dll /ONECPU"))))
    assert [each.severity for each in found] == [Severity.BLOCKER, Severity.WARNING, Severity.INFO]
    assert [len(each.evidence) for each in found] == [2, 3, 2]


def test_real_ones(shared_testdata: Path) -> None:
    """Of those that a default start of Windows has, Emergency Management Services alone is worth a word."""
    told = {}
    for file in sorted((shared_testdata / "boot-ini").glob("*.ini")):
        ini = parse(file.read_bytes(), name=file.name)
        entry_ = ini.default_entry()
        if entry_ is None or entry_.arc is None:
            continue
        volume = windows(entry_.directory)
        (_, named) = machine_of([FakePartition(loader(b"")), FakePartition(volume)]).volumes()
        told[file.name] = effects(reviewed(entry_, BootTarget(named, entry_.directory, "")))
    assert len(told) > 8
    assert {name: found for name, found in told.items() if found} == {
        "2003-ems-msdocs.ini": [("/redirect", SwitchEffect.HARMLESS)]
    }


def test_an_entry_that_leads_nowhere_is_not_reviewed() -> None:
    boot_ini = menu(path(0, 3), entry(0, 3, rest="=x /MAXMEM=1"))
    machine = machine_of([FakePartition(loader(boot_ini), active=True), FakePartition(windows("\\WINDOWS"))])
    assert list(find(followed(machine))) == []
