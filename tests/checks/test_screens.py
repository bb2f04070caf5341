"""What people say that a screen shows, and what findings say of it."""

import pytest

from bootgraft.checks.catalogue import documentation
from bootgraft.checks.screens import SHOWN, code_in, code_of, explains, find_symptom, plain_words
from bootgraft.checks.symptom import Symptom


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("0x7b", Symptom.STOP_7B),
        ("7B", Symptom.STOP_7B),
        ("stop 7b", Symptom.STOP_7B),
        ("0x0000007B", Symptom.STOP_7B),
        ("*** STOP: 0x0000007B (0xF78D2524, 0xC0000034, 0x00000000, 0x00000000)", Symptom.STOP_7B),
        ("INACCESSIBLE_BOOT_DEVICE", Symptom.STOP_7B),
        ("Inaccessible boot device.", Symptom.STOP_7B),
        ("STOP: c000021a {Fatal System Error}", Symptom.C000021A),
        ("0x1000007e", Symptom.STOP_7E),  # as small dumps and the event log have it
        ("Status: 0xC0000428", Symptom.C0000428),
        ("0xc000007b", Symptom.C000007B),
        ("NTLDR is missing. Press Ctrl+Alt+Del to restart", Symptom.NTLDR_MISSING),
        ("Log-on Loop", Symptom.LOG_ON_LOOP),
        (r"<Windows root>\system32\hal.dll is missing or corrupt", Symptom.FILE_MISSING),
        ("NTLDR is compressed", Symptom.COMPRESSED),
        ("Blue Screen", Symptom.BLUE_SCREEN),
        ("BSOD", Symptom.BLUE_SCREEN),
        ("a blue screen of death", Symptom.BLUE_SCREEN),
        ("Stop code:", Symptom.BLUE_SCREEN),
        ("Your PC ran into a problem and needs to restart", Symptom.BLUE_SCREEN),
        ("bsod 7b", Symptom.STOP_7B),
        ("Stop code: 7B", Symptom.STOP_7B),
        ("Your device ran into a problem. Stop code: MISMATCHED_HAL", Symptom.STOP_79),
        ("blue screen, then an endless reboot", Symptom.RESTART_LOOP),
        ("it is in a boot loop", Symptom.RESTART_LOOP),
        ("Startup Repair", Symptom.AUTOMATIC_REPAIR),
        ("Preparing Automatic Repair", Symptom.AUTOMATIC_REPAIR),
        ("recovery screen", Symptom.AUTOMATIC_REPAIR),
        ("just a blinking cursor", Symptom.BLACK_SCREEN),
        ("No boot device", Symptom.NO_BOOTABLE_DEVICE),
        ("No bootable medium found!", Symptom.NO_BOOTABLE_DEVICE),
        (">>Start PXE over IPv4", Symptom.NO_BOOTABLE_DEVICE),
        ("grub>", Symptom.OTHER_SYSTEM),
        ("0x99", None),
        ("bad", None),  # a word, though all of its letters are digits in hexadecimal
        ("it does not work", None),
        ("", None),
    ],
)
def test_what_is_said_is_understood_however_it_is_written(said: str, meant: Symptom | None) -> None:
    assert find_symptom(said) is meant


@pytest.mark.parametrize("symptom", Symptom)
def test_every_symptom_is_described_and_found_by_each_of_its_names(symptom: Symptom) -> None:
    shown = SHOWN[symptom]
    assert shown.title
    assert [find_symptom(each) for each in (symptom, *shown.words)] == [symptom] * (1 + len(shown.words))
    assert all(plain_words(each) == each for each in shown.words)


def test_a_code_is_read_where_there_is_one() -> None:
    assert code_in("Error code: 0xC00000E9") == 0xC00000E9
    assert code_in("a black screen") is None
    assert code_of(Symptom.STOP_7B) == 0x7B
    assert code_of(Symptom.BLACK_SCREEN) is None


def test_any_stop_may_be_told_as_a_blue_screen_or_seen_as_a_restart() -> None:
    for told in (Symptom.RESTART_LOOP, Symptom.BLUE_SCREEN, Symptom.AUTOMATIC_REPAIR):
        assert explains((Symptom.STOP_7B,), told)
        assert not explains((Symptom.NTLDR_MISSING,), told)
    assert not explains((Symptom.STOP_7B,), Symptom.STOP_7E)


def test_every_symptom_but_one_that_many_drivers_have_is_shown_by_some_finding() -> None:
    shown = {each for doc in documentation() for each in doc.symptoms}
    assert {each for each in Symptom if not any(explains((other,), each) for other in shown)} <= {Symptom.STOP_50}
