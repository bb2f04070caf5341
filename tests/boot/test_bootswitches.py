r"""Switches of the default entry that were meant for the old machine."""

from pathlib import Path

import pytest
from tests.boot.test_chain import entry, loader, menu, path, windows
from tests.fakes import FakePartition, machine_of

from bootgraft.boot.bootswitches import Review, SwitchEffect, review
from bootgraft.boot.chain import follow
from bootgraft.boot.ntldr.bootini import parse
from bootgraft.boot.steps import BootTarget


def review_of(switches: str, *files: str) -> Review | None:
    volume = windows("\\WINDOWS")
    volume.files |= {f"\\WINDOWS\\system32\\{file}": b"MZ" for file in files}
    boot_ini = menu(path(0, 2), entry(0, 3, rest="=other /MAXMEM=1"), entry(0, 2, rest=f'="Windows" {switches}'))
    return follow(machine_of([FakePartition(loader(boot_ini), active=True), FakePartition(volume)])).review


def effects(review: Review | None) -> list[tuple[str, SwitchEffect]]:
    return [] if review is None else [(each.text, each.effect) for each in review.switches]


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
    assert effects(review_of(switches, "ntkrnlpa.exe")) == expected


def test_the_line_and_the_file_are_named() -> None:
    found = review_of("/HAL=nothere.dll")
    assert found is not None
    assert found.where == "disk 0 partition 1: \\boot.ini, line 6"
    (switch,) = found.switches
    assert (
        "\\WINDOWS\\system32\\nothere.dll as the hardware abstraction layer, and there is no such file"
        in switch.meaning
    )


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
        told[file.name] = effects(review(entry_, BootTarget(named, entry_.directory, ""), "boot.ini"))
    assert len(told) > 8
    assert {name: found for name, found in told.items() if found} == {
        "2003-ems-msdocs.ini": [("/redirect", SwitchEffect.HARMLESS)]
    }


def test_an_entry_that_leads_nowhere_is_not_reviewed() -> None:
    boot_ini = menu(path(0, 3), entry(0, 3, rest="=x /MAXMEM=1"))
    machine = machine_of([FakePartition(loader(boot_ini), active=True), FakePartition(windows("\\WINDOWS"))])
    assert follow(machine).review is None
