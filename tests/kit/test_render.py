"""Kits as files, word for word, and what must hold of every one.

To take over what was changed on purpose: ``WRITE_GOLDENS=1 pytest tests/kit/test_render.py``, then read the diff.
"""

import os
from pathlib import Path

import pytest
from tests.kit.batchcheck import NOT_IN_2000, NOT_IN_NT4, faults, unused_labels
from tests.kit.cases import KITS, NAMES

from bootgraft.kit.render import render
from bootgraft.registry.regfile import RegFileDialect, parse

GOLDENS = Path(__file__).with_name("goldens")
SCRIPTS = ("install.cmd", "uninstall.cmd")


def files_of(name: str) -> dict[str, bytes]:
    return dict(render(KITS[name]))


def as_text(name: str, data: bytes) -> str:
    if name.endswith(".reg"):
        data = data.decode("utf-16" if data[:2] == b"\xff\xfe" else "ascii").encode()
    return data.decode("ascii").replace("\r\n", "\n")


@pytest.mark.parametrize("name", [each for each in NAMES if each != "8.1"])
def test_word_for_word(name: str) -> None:
    shown = {each: data for each, data in files_of(name).items() if each.endswith((".cmd", ".txt", ".reg"))}
    text = "".join(f"==== {each}\n{as_text(each, data)}" for each, data in shown.items())
    golden = GOLDENS / f"{name}.txt"
    if os.environ.get("WRITE_GOLDENS"):
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("name", KITS)
def test_every_script_is_sound(name: str) -> None:
    files = files_of(name)
    for script in SCRIPTS:
        assert list(faults(script, files)) == [], script
        assert unused_labels(files[script]) <= {"native", "inuse"}
    assert files["README.txt"].isascii()
    assert all(each in files["README.txt"].decode() for each in files if each != "README.txt")


@pytest.mark.parametrize("name", KITS)
def test_no_windows_gets_words_that_it_does_not_know(name: str) -> None:
    for script in SCRIPTS:
        text = files_of(name)[script].decode()
        if name == "nt4":
            assert NOT_IN_NT4.search(text) is None
        assert (NOT_IN_2000.search(text) is None) == (name in ("nt4", "2000"))
        assert ("regedit /s" in text) == (name in ("nt4", "2000"))
        assert ("pnputil" in text) == (name in ("8.1", "10"))


@pytest.mark.parametrize("name", KITS)
def test_registry_files_in_the_dialect_of_the_windows(name: str) -> None:
    for path, data in files_of(name).items():
        if path.endswith(".reg"):
            dialect = parse(data, name=path).dialect
            assert dialect is (RegFileDialect.REGEDIT4 if name == "nt4" else RegFileDialect.VERSION_5)


@pytest.mark.parametrize("name", KITS)
def test_the_same_kit_is_the_same_bytes(name: str) -> None:
    assert render(KITS[name]) == render(KITS[name])


SOUND = "@echo off\r\nset A=1\r\nif errorlevel 1 goto end\r\n:end\r\n"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("goto end", "goto nowhere"), "line 3: goto nowhere, which is nowhere"),
        (("goto end", "call :nowhere"), "line 3: call nowhere, which is nowhere"),
        (("\r\n:end", "\n:end"), "line ends"),
        (("set A=1", "set A=\xe9"), "not ASCII"),
        (("set A=1", "frob"), "line 2: unknown command frob"),
        (("set A=1", 'set A="'), "line 2: a quote is open"),
        (("set A=1", "copy files\\x.sys y"), "line 2: files\\x.sys is not in the kit"),
        (("set A=1", "echo a & b"), "line 2: characters of cmd.exe in a text"),
        (("set A=1", "set A=" + "1" * 120), "line 2: 126 characters"),
        (("set A=1", "set A=!B!"), "line 2: delayed expansion"),
        (("set A=1", ":end"), "label end twice"),
        (("@echo off", "rem x"), "it echoes"),
    ],
)
def test_the_judge_is_judged(change: tuple[str, str], fault: str) -> None:
    assert list(faults("a.cmd", {"a.cmd": SOUND.encode()})) == []
    spoiled = SOUND.replace(*change).encode("latin-1")
    assert fault in list(faults("a.cmd", {"a.cmd": spoiled}))
