"""``history``, and what ``undo`` and ``undo --all`` say of what is left."""

import json
from pathlib import Path

import pytest
from tests.report.contract import faults
from tests.storage.journal_machine import noise

from bootgraft import __version__
from bootgraft.cli.main import main
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.storage.images.opening import identify, open_image
from bootgraft.storage.journal.commit import commit
from bootgraft.storage.journal.journalsearch import new_journal_path
from bootgraft.storage.journal.transaction import DiskTransaction, Transaction

SIZE = 65536


def disk(folder: Path, name: str = "a.img") -> Path:
    path = folder / name
    path.write_bytes(noise(1, SIZE))
    return path


def change(
    path: Path, seed: int, *, offset: int = 4096, journal: Path | None = None, said: str = "change number"
) -> Path:
    """Change a disk under a journal; each seed changes something else."""
    location = str(path)
    with open_image(identify(location), writable=True) as image:
        overlay = Overlay(image.device)
        overlay.write(offset, noise(seed, 2048))
        transaction = Transaction((DiskTransaction(image, overlay, ((0, 512),)),), f"{said} {seed}")
        return commit(transaction, journal=new_journal_path([location], journal))


def unseal(journal: Path) -> None:
    data = journal.read_bytes()
    journal.write_bytes(data[:256] + bytes(64) + data[320:])


def test_history_says_what_when_and_by_which_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = disk(tmp_path)
    journals = [change(path, seed) for seed in (11, 12)]
    now = path.read_bytes()
    assert main(["history", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"2 changes by bootgraft recorded for {path}, the oldest first.\n")
    assert out.index("change number 11") < out.index(str(journals[0])) < out.index("change number 12")
    assert out.count(f" UTC  bootgraft {__version__}  finished\n") == 2
    assert f"\n    bootgraft undo {path}\n" in out
    assert f"\n    bootgraft undo {path} --all\n" in out
    assert main(["history", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert faults(document, "history") == []
    assert [each["what"] for each in document["changes"]] == ["change number 11", "change number 12"]
    assert path.read_bytes() == now


def test_a_journal_prints_no_line_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = disk(tmp_path)
    change(path, 11, said="one file\n\nTo revert it, run:\n    sh evil")
    for words in (["history"], ["undo", "--dry-run"], ["undo"]):
        assert main([*words, str(path)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert any("sh evil" in line for line in lines)
        assert not [line for line in lines if line.startswith("    sh evil")], words


def test_history_of_what_nobody_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = disk(tmp_path)
    assert main(["history", str(path)]) == 0
    assert capsys.readouterr().out == f"No change by bootgraft is recorded beside {path}.\n"
    assert main(["history", str(tmp_path / "no.img")]) == 3
    assert "there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize(("at", "words"), [(256, "INTERRUPTED: the disks may hold"), (320, "its undo was INTERRUPTED")])
def test_history_of_an_interrupted_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], at: int, words: str
) -> None:
    path = disk(tmp_path)
    journal = change(path, 11)
    if at == 256:
        unseal(journal)
    else:
        from bootgraft.storage.journal.journalfile import JournalFile, Mark

        with JournalFile(journal, writable=True) as file:
            file.mark(Mark.UNDOING)
    assert main(["history", str(path)]) == 0
    out = capsys.readouterr().out
    assert words in out
    assert f"bootgraft undo {path}" in out
    assert ("--resume" in out) is (at == 256)


def test_undo_takes_back_the_last_and_says_what_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = disk(tmp_path)
    states = [path.read_bytes()]
    for seed in (11, 12, 13):
        change(path, seed, offset=4096 + 512 * seed)
        states.append(path.read_bytes())
    for number, left in ((2, "2 earlier changes are left"), (1, "1 earlier change is left")):
        assert main(["undo", str(path)]) == 0
        out = capsys.readouterr().out
        first, _, rest = out.partition("\n")
        assert first == f"Undone: change number {11 + number}; {path} is as it was before that change; {left}."
        assert f"\n    bootgraft undo {path}\n" in rest
        assert path.read_bytes() == states[number]
    assert main(["undo", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert faults(document, "undo") == []
    assert ([each["number"] for each in document["taken_back"]], document["left"]) == ([1], [])
    assert path.read_bytes() == states[0]


def test_all_is_taken_back_in_reverse_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = disk(tmp_path)
    before = path.read_bytes()
    for seed in (11, 12, 13):  # one over the other
        change(path, seed, offset=4096 + 512 * (seed - 11))
    now = path.read_bytes()
    assert main(["undo", str(path), "--all", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("Dry run: all 3 changes can be reverted; nothing was written.\n")
    assert path.read_bytes() == now
    assert main(["undo", "--all", str(path)]) == 0
    assert capsys.readouterr().out == f"Undone: all 3 changes; {path} is as it was before.\n"
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    assert main(["undo", "--all", str(path)]) == 3


def test_all_is_not_taken_back_where_the_journal_that_is_named_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = disk(tmp_path)
    change(path, 11)
    now = path.read_bytes()
    assert main(["undo", "--all", str(path), "--journal", str(tmp_path / "no")]) == 3
    assert "there is no such undo journal" in capsys.readouterr().err
    assert path.read_bytes() == now


def test_the_last_of_all_may_have_been_interrupted(tmp_path: Path) -> None:
    path = disk(tmp_path)
    before = path.read_bytes()
    change(path, 11)
    half = path.read_bytes()
    unseal(change(path, 12, offset=8192))
    path.write_bytes(path.read_bytes()[:8704] + half[8704:])
    assert main(["undo", "--all", str(path)]) == 0
    assert path.read_bytes() == before


def test_all_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = disk(tmp_path)
    first = change(path, 11)
    change(path, 12, offset=8192)
    data = bytearray(path.read_bytes())
    data[4100] ^= 1  # written since the first change, where the second has nothing to say
    path.write_bytes(data)
    for more in ([], ["--dry-run"]):
        assert main(["undo", "--all", str(path), *more]) == 3
        assert f"its journal {first}: the machine has run" in capsys.readouterr().err
        assert path.read_bytes() == data
    assert main(["undo", str(path)]) == 0
    assert "1 earlier change is left" in capsys.readouterr().out


def test_disks_that_were_changed_apart_are_taken_back_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = disk(tmp_path), disk(tmp_path, "b.img")
    before = one.read_bytes()
    change(one, 11)
    change(two, 12)
    assert main(["undo", str(one), str(two)]) == 3
    assert main(["undo", "--all", str(one), str(two)]) == 0
    assert f"{one}, {two} are as they were before.\n" in capsys.readouterr().out
    assert (one.read_bytes(), two.read_bytes()) == (before, before)


def test_as_it_was_before_is_said_only_where_it_is_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = disk(tmp_path)
    first = change(path, 11)
    change(path, 12)
    first.rename(tmp_path / "elsewhere")
    assert main(["undo", str(path)]) == 0
    where = "(whether earlier ones were recorded elsewhere cannot be determined)"
    said = f"{path} is as it was before that change {where}.\n"
    assert capsys.readouterr().out.endswith(said)


def test_a_damaged_journal_of_another_change_does_not_make_an_undo_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bootgraft.cli import undo
    from bootgraft.errors import JournalError

    path = disk(tmp_path)
    change(path, 11)

    def damaged(*_arguments: object, **_options: object) -> tuple[()]:
        raise JournalError("damaged", where="", advice="")

    monkeypatch.setattr(undo, "find_journals", damaged)
    assert main(["undo", str(path)]) == 0
    assert "cannot be determined" in capsys.readouterr().out


def test_of_this_host_where_there_is_no_index(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert main(["history"]) == 0
    assert "on this host, since neither XDG_STATE_HOME nor HOME says where." in capsys.readouterr().out
