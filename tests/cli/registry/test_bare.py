"""``bootgraft reg`` on hive files by themselves: read, replaced whole, grown, recovered, and put back."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import CommandResult
from tests.machines import oracles
from tests.registry.checker import check
from tests.registry.support import built_hive, exported, open_bytes, real_file, tree
from tests.report.contract import faults

Run = Callable[..., CommandResult]
TEXT = r"""
[\Select]
"Current"=dword:00000001
"Default"=dword:00000002

[\ControlSet001]

[\ControlSet001\Services]

[\ControlSet001\Control]

[\ControlSet002]

[\ControlSet002\Services]

[\ControlSet002\Control]

[\Other]
"a"="b"
"""


@pytest.fixture
def hive(tmp_path: Path) -> Path:
    path = tmp_path / "SYSTEM"
    path.write_bytes(built_hive(tmp_path, minor=5, text=TEXT))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if "bootgraft" in path.name)


def test_query_by_any_name_of_its_root(hive: Path, bootgraft: Run) -> None:
    for key in ("Other", r"HKLM\SYSTEM\Other", r"HKEY_LOCAL_MACHINE\LOADED\other"):
        told = bootgraft("reg", "query", hive, key, "--json")
        assert told.json["keys"][0]["key"] == r"HKEY_LOCAL_MACHINE\SYSTEM\Other"


def test_the_current_control_set_is_the_default_one(hive: Path, bootgraft: Run) -> None:
    assert bootgraft("reg", "set", hive, r"ControlSet002\Services\x", "--value", "v", "--data", "d").status == 0
    told = bootgraft("reg", "query", hive, r"CurrentControlSet\Services\x", "--json").json
    assert told["keys"][0]["values"][0]["value"] == "d"


def test_edit_and_undo(hive: Path, bootgraft: Run, tmp_path: Path) -> None:
    before = hive.read_bytes()
    hive.chmod(0o640)
    done = bootgraft("reg", "set", hive, r"HKLM\X\CurrentControlSet\Services\new", "--default-value", "--data", "ä")
    assert done.status == 0, done
    after = exported(hive.read_bytes(), tmp_path)
    assert after[r"ControlSet001\Services\new"] == {"": (1, "ä\0".encode("utf-16-le"))}
    assert after[r"ControlSet002\Services\new"] == {"": (1, "ä\0".encode("utf-16-le"))}
    assert check(hive.read_bytes()).faults == []
    assert hive.stat().st_mode & 0o777 == 0o640
    (kept,) = names(tmp_path)
    assert (tmp_path / kept).read_bytes() == before
    assert kept in done.stdout
    dry = bootgraft("undo", hive, "--dry-run")
    assert (dry.status, names(tmp_path)) == (0, [kept])
    assert bootgraft("undo", hive, "--json").json["undone"] is True
    assert hive.read_bytes() == before
    assert names(tmp_path) == []
    assert bootgraft("undo", hive).status == 3


def test_undo_one_by_one(hive: Path, bootgraft: Run) -> None:
    states = [hive.read_bytes()]
    for number in range(3):
        told = bootgraft("reg", "set", hive, f"New{number}", "--json").json
        assert (told["committed"], Path(told["backup"]).read_bytes()) == (True, states[-1])
        states.append(hive.read_bytes())
    for state in reversed(states[:-1]):
        assert bootgraft("undo", hive).status == 0
        assert hive.read_bytes() == state


def test_the_history_of_a_hive_and_its_end(hive: Path, bootgraft: Run, tmp_path: Path) -> None:
    before = hive.read_bytes()
    for number in range(3):
        assert bootgraft("reg", "set", hive, f"New{number}").status == 0
    told = bootgraft("history", hive, "--json").json
    assert faults(told, "history") == []
    assert [each["number"] for each in told["changes"]] == [1, 2, 3]
    assert f"bootgraft undo {hive} --all" in bootgraft("history", hive).stdout
    assert "it is as it was before that change; 2 earlier changes are left." in bootgraft("undo", hive).stdout
    assert bootgraft("undo", "--all", hive).stdout.endswith("all 2 changes; it is as it was before.\n")
    assert hive.read_bytes() == before
    assert names(tmp_path) == []


def test_all_changes_of_a_hive_or_none(hive: Path, bootgraft: Run, tmp_path: Path) -> None:
    for number in range(2):
        assert bootgraft("reg", "set", hive, f"New{number}").status == 0
    newest = tmp_path / names(tmp_path)[-1]
    newest.write_bytes(newest.read_bytes() + b"x")  # no longer what the first change wrote
    now = hive.read_bytes()
    assert bootgraft("undo", "--all", hive).status == 3
    assert hive.read_bytes() == now
    assert len(names(tmp_path)) == 2


def test_a_hive_that_was_used_since_is_left_alone(hive: Path, bootgraft: Run) -> None:
    assert bootgraft("reg", "set", hive, "New").status == 0
    data = bytearray(hive.read_bytes())
    data[4] += 1
    hive.write_bytes(data)
    done = bootgraft("undo", hive)
    assert (done.status, hive.read_bytes()) == (3, bytes(data))
    assert "changed since" in done.stderr


def test_a_change_that_was_interrupted_is_none(hive: Path, bootgraft: Run, tmp_path: Path) -> None:
    before = hive.read_bytes()
    assert bootgraft("reg", "set", hive, "New").status == 0
    changed = hive.read_bytes()
    (tmp_path / "SYSTEM.bootgraft-2.0123456789abcdef.bak").hardlink_to(hive)
    (tmp_path / "SYSTEM.bootgraft-new").write_bytes(b"half")
    assert bootgraft("undo", hive).status == 0
    assert hive.read_bytes() == before
    assert bootgraft("reg", "set", hive, "New").status == 0
    assert tree(open_bytes(hive.read_bytes())) == tree(open_bytes(changed))


def test_nobody_reads_to_the_end(hive: Path, bootgraft: Run, tmp_path: Path) -> None:
    script = (
        "import subprocess, sys; p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)"
    )
    script += "; p.stdout.close(); print(p.wait(), p.stderr.read())"
    words = [sys.executable, "-m", "bootgraft.cli.main", "reg", "query", str(hive), "", "--recursive"]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    assert done.stdout == "0 b''\n"
    with open("/dev/full", "wb") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, "could not be written" in done.stderr) == (3, True)


def test_growth(hive: Path, bootgraft: Run, tmp_path: Path) -> None:
    before = hive.read_bytes()
    file = tmp_path / "large.reg"
    lines = [f'"{number}"=hex:{"01," * 3000}02\n' for number in range(40)]
    file.write_text("REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\Large]\n" + "".join(lines))
    assert bootgraft("reg", "import", hive, file).status == 0
    data = hive.read_bytes()
    assert len(data) > len(before) + 100_000
    assert len(exported(data, tmp_path)["Large"]) == 40
    assert check(data).faults == []
    assert bootgraft("undo", hive).status == 0
    assert hive.read_bytes() == before


def test_nothing_to_do_and_not_there(hive: Path, bootgraft: Run, tmp_path: Path) -> None:
    before = hive.read_bytes()
    assert bootgraft("reg", "set", hive, "Other", "--value", "A", "--data", "b").status == 0
    assert bootgraft("reg", "set", hive, "Other", "--value", "a", "--data", "c", "--dry-run").status == 0
    assert bootgraft("reg", "delete", hive, "Nothing").status == 1
    assert bootgraft("reg", "recover", hive).status == 0
    assert hive.read_bytes() == before
    assert names(tmp_path) == []


@pytest.mark.parametrize("option", [("--hive", "SYSTEM"), ("--windows", "x"), ("--journal", "x"), ("--format", "raw")])
def test_options_that_are_for_images(hive: Path, bootgraft: Run, option: tuple[str, str]) -> None:
    done = bootgraft("reg", "set", hive, "New", *option)
    assert (done.status, option[0] in done.stderr) == (2, True)


def test_a_file_marked_read_only_is_left_alone(hive: Path, bootgraft: Run) -> None:
    hive.chmod(0o444)
    assert bootgraft("reg", "set", hive, "New").status == 3
    assert bootgraft("reg", "set", hive, "New", "--dry-run").status == 0


def test_a_file_of_an_odd_length(hive: Path, bootgraft: Run, tmp_path: Path) -> None:
    hive.write_bytes(hive.read_bytes() + b"behind")
    before = hive.read_bytes()
    assert bootgraft("reg", "set", hive, "New").status == 0
    assert len(hive.read_bytes()) == len(before)
    assert "New" in exported(hive.read_bytes(), tmp_path)


def test_damage(hive: Path, bootgraft: Run) -> None:
    parsed = open_bytes(hive.read_bytes())
    node = parsed.root.node()
    data = bytearray(hive.read_bytes())
    data[4096 + node.offset + 4 + 20] += 1  # the number of sub-keys
    hive.write_bytes(data)
    told = bootgraft("reg", "verify", hive, "--json")
    assert told.status == 1
    (document,) = told.json["hives"]
    assert [each["kind"] for each in document["defects"]] == ["subkey-count"]
    text = bootgraft("reg", "verify", hive).stdout
    assert text.splitlines()[0] == "1 hive verified: 1 not sound."
    assert "rejects: the key says 5 sub-keys, its list holds 4" in text
    done = bootgraft("reg", "set", hive, "New", "--dry-run")
    assert done.status in (1, 3)
    assert hive.read_bytes() == bytes(data)


def test_a_truncated_hive_is_told(hive: Path, bootgraft: Run) -> None:
    hive.write_bytes(hive.read_bytes()[:-4096])
    told = bootgraft("reg", "verify", hive, "--json")
    assert (told.status, told.json["hives"][0]["error"] is not None) == (1, True)
    assert bootgraft("reg", "query", hive, "Select").status == 3


def copy_with_logs(name: str, folder: Path) -> Path:
    source = real_file(name)
    for path in source.parent.glob(source.name + "*"):
        shutil.copyfile(path, folder / path.name)
    return folder / source.name


@pytest.mark.parametrize(
    ("name", "recovered"),
    [
        ("hives-other/yarp/NewDirtyHive1/NewDirtyHive", "hives-other/yarp/NewDirtyHive1/RecoveredHive_Windows10"),
        ("hives-other/yarp/OldDirtyHive/OldDirtyHive", "hives-other/yarp/OldDirtyHive/RecoveredHive_Windows7"),
    ],
)
def test_recovery_as_windows_did_it(bootgraft: Run, tmp_path: Path, name: str, recovered: str) -> None:
    hive = copy_with_logs(name, tmp_path)
    before = hive.read_bytes()
    seen = bootgraft("reg", "query", hive, "", "--recursive", "--json").json
    told = bootgraft("reg", "recover", hive, "--json").json
    assert told["recovered"][0]["transactions"] >= 1
    assert tree(open_bytes(hive.read_bytes())) == tree(open_bytes(real_file(recovered).read_bytes()))
    assert bootgraft("reg", "query", hive, "", "--recursive", "--json").json == seen
    assert bootgraft("reg", "recover", hive).stdout.startswith("Nothing to do")
    assert bootgraft("undo", hive).status == 0
    assert hive.read_bytes() == before


def test_a_dirty_hive_without_logs(bootgraft: Run, tmp_path: Path) -> None:
    hive = tmp_path / "SYSTEM"
    shutil.copyfile(real_file("hives-other/yarp/OldDirtyHive/OldDirtyHive"), hive)
    for words in (("query", hive, ""), ("recover", hive)):
        done = bootgraft("reg", *words)
        assert done.status == 3
        assert "log" in done.stderr


@pytest.mark.parametrize("ansi", [False, True])
def test_what_is_exported_can_be_imported(hive: Path, bootgraft: Run, tmp_path: Path, *, ansi: bool) -> None:
    source = tmp_path / "source"
    shutil.copyfile(real_file("hives-other/setup-media/xp-sp3-x86-nlite-media/SETUPREG.HIV"), source)
    source.chmod(0o600)
    file = tmp_path / "all.reg"
    done = bootgraft("reg", "export", source, "", "--out", file, *(["--ansi"] if ansi else []))
    assert done.status == 0, done
    empty = tmp_path / "empty"
    empty.write_bytes(built_hive(tmp_path, minor=5))
    assert bootgraft("reg", "import", empty, file).status == 0
    theirs = tree(open_bytes(source.read_bytes()))
    assert tree(open_bytes(empty.read_bytes())) == theirs
    assert json.loads(bootgraft("reg", "verify", empty, "--json").stdout)["hives"][0]["sound"]
    assert oracles.export_hive(empty)
