"""``explain`` as it is typed."""

import json

import pytest
from tests.report.schemas import schema_faults

from bootgraft.cli.main import main


def test_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "device-binding-missing"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("device-binding-missing\n")
    assert "\nWhat the screen shows:\n    STOP 0x7B" in out


@pytest.mark.parametrize("words", [["0x7b"], ["STOP", "7B"], ["inaccessible boot device"]])
def test_what_leads_to_a_symptom(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *words]) == 0
    out = capsys.readouterr().out
    assert out.startswith("STOP 0x7B INACCESSIBLE_BOOT_DEVICE: ")
    assert "\n  device-binding-missing\n" in out


@pytest.mark.parametrize("said", ["safe mode", "Safe Mode"])  # the finding safe-mode has another name
def test_words_that_are_much_like_a_finding_are_still_a_symptom(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", said]) == 0
    assert "\n  safe-mode\n" in capsys.readouterr().out


def test_without_a_word_everything_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    assert "\n  device-binding-missing\n" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["hive-defects"], ["logon loop"]])
def test_programs_get_a_document(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert schema_faults(document) == []
    assert document["findings"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("device-bindin-missing", "Did you mean:\n      bootgraft explain device-binding-missing\n"),
        (
            "bitlocker-volum",
            "Did you mean:\n      bootgraft explain bitlocker-volume\n",
        ),  # though BitLocker's own screen is a symptom
        ("0x99", "nothing is known of the code 0x99"),
        ("xyzzy", "\n      bootgraft explain\n"),
    ],
)
def test_what_nobody_knows(word: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", word]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
