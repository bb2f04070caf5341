"""What explains a symptom, on machines in memory."""

import pytest
from tests.checks.chain.ntldr.menus import path, with_menu
from tests.checks.guests import followed
from tests.core_windows import core_windows, guest

from bootgraft.checks.diagnosis import diagnose
from bootgraft.checks.finding import Finding, Need, Severity
from bootgraft.checks.guest import Guest
from bootgraft.checks.suspects import Suspects, Unexplained, find_suspects
from bootgraft.checks.symptom import Symptom


def suspects(guest: Guest, symptom: Symptom) -> Suspects:
    return find_suspects(symptom, diagnose(guest), guest)


@pytest.fixture(scope="module")
def lacking() -> Guest:
    """A machine without a driver for its controller."""
    return guest(core_windows(), "kvm:virtio-blk")


def test_what_was_found_explains_it(lacking: Guest) -> None:
    found = suspects(lacking, Symptom.STOP_7B)
    assert found.explained_by == ("device-binding-missing",)
    assert found.unexplained == ()
    assert "device-binding-missing" not in found.looked_at
    assert {"boot-service-missing", "core-service-missing"} <= set(found.looked_at)
    assert found.not_looked_at == ()


def test_a_blocker_that_shows_something_else_is_said_to(lacking: Guest) -> None:
    found = suspects(lacking, Symptom.LOG_ON_LOOP)
    assert found.explained_by == ()
    assert found.unexplained == (Unexplained("device-binding-missing", (Symptom.STOP_7B,)),)
    assert "system-volume-letter-wrong" in found.looked_at
    assert not found.of_target


def test_a_stop_is_seen_as_a_restart_too(lacking: Guest) -> None:
    assert suspects(lacking, Symptom.RESTART_LOOP).explained_by == ("device-binding-missing",)


def test_without_a_target_its_drivers_are_not_looked_at(lacking: Guest) -> None:
    found = suspects(lacking.on(None), Symptom.STOP_7B)
    assert found.explained_by == ()
    (left_out,) = found.not_looked_at
    assert left_out.need is Need.TARGET
    assert "device-binding-missing" in left_out.ids
    assert "filter-driver-unusable" in found.looked_at  # most lists of filters are for every controller


def test_without_a_windows_nothing_of_it_is_looked_at() -> None:
    found = suspects(followed(with_menu(path(9), path(9)).machine), Symptom.STOP_7B)
    assert {each.need for each in found.not_looked_at} == {Need.WINDOWS}
    assert "core-service-missing" in found.not_looked_at[0].ids
    assert "refs-volume" in found.looked_at


def test_without_a_description_its_firmware_is_not_looked_at(lacking: Guest) -> None:
    found = suspects(lacking, Symptom.NO_BOOTABLE_DEVICE)
    assert "vm-firmware" in next(each.ids for each in found.not_looked_at if each.need is Need.DESCRIPTION)


def test_what_a_machine_has_not_is_not_said_to_have_been_looked_at() -> None:
    of_ntldr = suspects(followed(with_menu(path(9), path(9)).machine), Symptom.FILE_MISSING)
    assert not any(each.startswith("bcd-") for each in of_ntldr.looked_at)


def test_findings_that_lead_to_it_come_first() -> None:
    findings = tuple(Finding(each, Severity.INFO, "", "", ()) for each in "abcd")
    found = Suspects(Symptom.STOP_7B, ("c",), ("b",), (), (), (), of_target=False)
    assert [each.id for each in found.first(findings)] == ["b", "c", "a", "d"]
