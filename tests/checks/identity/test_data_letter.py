"""Letters of data volumes that something else took."""

import pytest
from tests.data_machines import (
    CDROM,
    DATA,
    DOMAIN_CONTROLLER,
    NTDS,
    OWN,
    PAGE_FILE,
    guest_on,
    letter,
    repaired,
    server,
    volume_name,
)

from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.checks.identity.data_letter import ID, find
from bootgraft.machine import Machine
from bootgraft.windows.mounted_devices import read_mounted_devices

C, D = letter("C", volume_name(OWN)), letter("D", CDROM)
TAKEN = C + D + letter("E", volume_name(DATA))


def found(machine: Machine) -> tuple[Finding, ...]:
    return tuple(find(guest_on(machine)))


def test_a_domain_controller_whose_letter_a_cdrom_drive_took_stops() -> None:
    machine = server(DOMAIN_CONTROLLER, letters=TAKEN)
    findings = found(machine)
    assert [(each.id, each.severity, each.remedy, each.stop_code) for each in findings] == [
        (ID, Severity.BLOCKER, Remedy.CHANGES, "0xc00002e2")
    ]
    assert "D: should be disk 1 partition 1" in findings[0].title
    machine = repaired(machine, findings)
    hive = guest_on(machine).hive
    assert hive is not None
    letters = {each.letter: each.data for each in read_mounted_devices(hive) or () if each.letter}
    assert letters == {"C:": volume_name(OWN), "D:": volume_name(DATA)}
    assert found(machine) == ()


def test_of_a_page_file_it_is_only_offered() -> None:
    (finding,) = found(server(PAGE_FILE, letters=TAKEN))
    assert (finding.severity, finding.remedy) == (Severity.WARNING, Remedy.OFFERED)


def test_a_letter_that_is_named_nowhere_is_put_back_where_the_volume_has_another() -> None:
    assert [each.id for each in found(server(PAGE_FILE, letters=C + letter("F", volume_name(DATA))))] == [ID]
    assert found(server(PAGE_FILE, letters=C)) == ()  # Windows gives it a letter anew


@pytest.mark.parametrize("data", [(r"\other",), (NTDS,)], ids=["not there", "another file"])
def test_what_no_volume_has_is_not_guessed(data: tuple[str, ...]) -> None:
    assert found(server(PAGE_FILE, letters=TAKEN, data=data)) == ()


def test_a_letter_that_is_right_is_left_alone() -> None:
    assert found(server(PAGE_FILE, DOMAIN_CONTROLLER)) == ()
    assert found(server(letters=TAKEN)) == ()
