"""``bootgraft reg`` on the machine of the story: read, written under the journal, and reverted."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import CommandResult
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.windows_hives import Select, Symmpi
from tests.registry.log_writer import Write, new_log, rebased
from tests.registry.support import FILETIME, Memory

from bootgraft.machine import Machine
from bootgraft.registry.hive import Hive
from bootgraft.storage.devices.rawfile import RawFile

Run = Callable[..., CommandResult]
ATAPI = r"HKLM\SYSTEM\CurrentControlSet\Services\atapi"
DRIVER = r"""Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\symmpi]
"Type"=dword:00000001
"Start"=dword:00000000
"ImagePath"=hex(2):73,00,79,00,73,00,00,00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\symmpi\Enum]
"Count"=dword:00000001

[HKEY_LOCAL_MACHINE\SOFTWARE\Bootgraft]
@="was here"
"""


SYSTEM = "\\WINDOWS\\system32\\config\\SYSTEM"
SOFTWARE = "\\WINDOWS\\system32\\config\\SOFTWARE"


def registry(machine: BuiltMachine, path: str = SYSTEM) -> oracles.Registry:
    """A whole hive as hivexregedit reads it from what sleuthkit fetches from the image."""
    return oracles.export_hive_of(machine.disk, machine.span(1), path)


def test_query(server1: BuiltMachine, bootgraft: Run) -> None:
    done = bootgraft("reg", "query", server1.disk, r"HKLM\SYSTEM\Select")
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == r"HKEY_LOCAL_MACHINE\SYSTEM\Select"
    assert "    Default    REG_DWORD    0x1" in done.stdout.splitlines()


def test_query_of_the_current_control_set_is_of_the_default_one(
    build_server1: Callable[..., BuiltMachine], bootgraft: Run
) -> None:
    machine = build_server1(select=Select(1, 2, 0, 1))
    told = bootgraft("reg", "query", machine.disk, ATAPI, "--json").json
    assert told["keys"][0]["key"] == r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\atapi"
    named = bootgraft("reg", "query", machine.disk, ATAPI.replace("CurrentControlSet", "controlset002"), "--json").json
    assert named["keys"][0]["values"] == told["keys"][0]["values"]
    assert named["keys"][0]["key"] == r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\Services\atapi"


def test_query_of_everything(server1: BuiltMachine, bootgraft: Run) -> None:
    told = bootgraft("reg", "query", server1.disk, r"HKLM\SOFTWARE", "--recursive", "--json").json
    names = [key["key"] for key in told["keys"]]
    assert names[0] == r"HKEY_LOCAL_MACHINE\SOFTWARE"
    assert r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion" in names


def test_query_of_one_value(server1: BuiltMachine, bootgraft: Run) -> None:
    done = bootgraft("reg", "query", server1.disk, r"SYSTEM\Select", "--value", "default", "--json")
    assert done.json["value"]["value"] == 1
    assert bootgraft("reg", "query", server1.disk, r"SYSTEM\Select", "--value", "none").status == 1


@pytest.mark.parametrize(
    ("key", "status", "told"),
    [
        (r"HKLM\SYSTEM\Nowhere", 1, "There is no key"),
        (r"HKLM\HARDWARE\DEVICEMAP", 2, "in no file"),
        (r"HKCU\Software", 2, "--hive"),
        (r"HKLM\BCD00000000", 3, "no boot store"),
        (r"HKLM\COMPONENTS\x", 3, "COMPONENTS"),
    ],
)
def test_keys_that_are_not_there(server1: BuiltMachine, bootgraft: Run, key: str, status: int, told: str) -> None:
    done = bootgraft("reg", "query", server1.disk, key)
    assert done.status == status
    assert told in done.stdout + done.stderr


def test_a_hive_by_its_path(server1: BuiltMachine, bootgraft: Run) -> None:
    path = r"\WINDOWS\SYSTEM32\config\software"
    told = bootgraft("reg", "query", server1.disk, "Microsoft", "--hive", path, "--json").json
    assert told["keys"][0]["key"] == r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft"
    assert bootgraft("reg", "query", server1.disk, "Microsoft", "--hive", "NONSENSE").status == 2


def test_export_to_a_file_and_to_standard_output(server1: BuiltMachine, bootgraft: Run, tmp_path: Path) -> None:
    out = tmp_path / "select.reg"
    assert bootgraft("reg", "export", server1.disk, r"HKLM\SYSTEM\Select", "--out", out).status == 0
    text = out.read_bytes()
    assert text.startswith(b"\xff\xfe")
    lines = text[2:].decode("utf-16-le").split("\r\n")
    assert lines[:3] == ["Windows Registry Editor Version 5.00", "", r"[HKEY_LOCAL_MACHINE\SYSTEM\Select]"]
    assert '"Default"=dword:00000001' in lines
    ansi = bootgraft("reg", "export", server1.disk, r"HKLM\SYSTEM\Select", "--ansi").stdout
    assert ansi.splitlines()[0] == "REGEDIT4"
    assert bootgraft("reg", "export", server1.disk, r"HKLM\SYSTEM\Select", "--out", out).status == 2


def test_import_dry_run_import_and_undo(server1: BuiltMachine, bootgraft: Run, tmp_path: Path) -> None:
    file = tmp_path / "driver.reg"
    file.write_text(DRIVER)
    before = oracles.sha256(server1.disk)
    dry = bootgraft("reg", "import", server1.disk, file, "--dry-run")
    assert dry.status == 0
    assert r"+[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\Services\symmpi]" in dry.stdout
    assert "Enum is left out" in dry.stdout
    assert oracles.sha256(server1.disk) == before
    done = bootgraft("reg", "import", server1.disk, file, "--json")
    assert (done.status, done.json["committed"]) == (0, True)
    system = registry(server1)
    for number in (1, 2):
        assert system[rf"ControlSet00{number}\Services\symmpi"]["Start"] == "dword:00000000"
        assert rf"ControlSet00{number}\Services\symmpi\Enum" not in system
    assert registry(server1, SOFTWARE)["Bootgraft"][""].startswith("hex(1):77,00,61,00")
    oracles.ntfs_is_consistent(server1.disk, server1.span(1))
    again = bootgraft("reg", "import", server1.disk, file)
    assert (again.status, again.stdout.splitlines()[0]) == (0, "Nothing to do: all of it is there already.")
    assert bootgraft("undo", server1.disk).status == 0
    assert oracles.sha256(server1.disk) == before


def test_set_and_delete(server1: BuiltMachine, bootgraft: Run) -> None:
    done = bootgraft("reg", "set", server1.disk, ATAPI, "--value", "Start", "--type", "REG_DWORD", "--data", "4")
    assert done.status == 0
    assert '+"Start"=dword:00000004' in done.stdout
    assert "bootgraft undo" in done.stdout
    keys = [rf"ControlSet00{number}\Services\atapi" for number in (1, 2)]
    system = registry(server1)
    assert [system[key]["Start"] for key in keys] == ["dword:00000004"] * 2
    assert bootgraft("reg", "delete", server1.disk, ATAPI, "--value", "Start").status == 0
    assert not any("Start" in registry(server1)[key] for key in keys)
    second = ATAPI.replace("CurrentControlSet", "ControlSet002")
    assert bootgraft("reg", "delete", server1.disk, second).status == 0
    system = registry(server1)
    assert [key in system for key in keys] == [True, False]
    gone = bootgraft("reg", "delete", server1.disk, second)
    assert (gone.status, "Nothing was written" in gone.stdout) == (1, True)


def test_only_the_default_control_set(server1: BuiltMachine, bootgraft: Run) -> None:
    key = r"HKLM\SYSTEM\CurrentControlSet\Services\new"
    assert bootgraft("reg", "set", server1.disk, key, "--no-all-control-sets").status == 0
    system = registry(server1)
    assert [rf"ControlSet00{number}\Services\new" in system for number in (1, 2)] == [True, False]
    named = r"HKLM\SYSTEM\ControlSet001\Services\newer"
    assert bootgraft("reg", "set", server1.disk, named, "--all-control-sets").status == 0
    assert r"ControlSet002\Services\newer" in registry(server1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[HKEY_LOCAL_MACHINE\\HARDWARE\\x]\n", "line 3"),
        ("[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\n\n[HKEY_CURRENT_USER\\x]\n", "line 5"),
        ("[HKEY_LOCAL_MACHINE\\SAM\\x]\n", "accounts"),
        ("[-HKEY_LOCAL_MACHINE\\SYSTEM]\n", "root"),
        ('[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\n"x"=nonsense\n', "line 4"),
    ],
)
def test_files_that_reach_too_far(server1: BuiltMachine, bootgraft: Run, tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "x.reg"
    file.write_text("Windows Registry Editor Version 5.00\n\n" + text)
    before = oracles.sha256(server1.disk)
    done = bootgraft("reg", "import", server1.disk, file)
    assert done.status == 3
    assert told in done.stderr
    assert oracles.sha256(server1.disk) == before


def test_a_control_set_that_is_not_there_is_left_out(server1: BuiltMachine, bootgraft: Run, tmp_path: Path) -> None:
    file = tmp_path / "x.reg"
    file.write_text("REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet009\\Services\\x]\n")
    done = bootgraft("reg", "import", server1.disk, file, "--json")
    assert (done.status, done.json["changes"], done.json["committed"]) == (0, [], False)
    assert "ControlSet009" in done.json["notes"][0]


def test_a_whole_control_set_is_not_deleted(server1: BuiltMachine, bootgraft: Run) -> None:
    assert bootgraft("reg", "delete", server1.disk, r"HKLM\SYSTEM\CurrentControlSet").status == 2
    assert bootgraft("reg", "delete", server1.disk, r"HKLM\SYSTEM").status == 2


def test_an_overlay_instead_of_the_image(server1: BuiltMachine, bootgraft: Run, tmp_path: Path) -> None:
    before = oracles.sha256(server1.disk)
    out = tmp_path / "new.qcow2"
    assert bootgraft("reg", "set", server1.disk, r"HKLM\SYSTEM\Mounted", "--overlay", out).status == 0
    assert oracles.sha256(server1.disk) == before
    assert bootgraft("reg", "query", out, r"HKLM\SYSTEM\Mounted").status == 0


def test_verify_and_recover(server1: BuiltMachine, bootgraft: Run) -> None:
    done = bootgraft("reg", "verify", server1.disk, "--json")
    assert done.status == 0
    assert [each["sound"] for each in done.json["hives"]] == [True] * 5
    text = bootgraft("reg", "verify", server1.disk).stdout
    assert text.splitlines()[0] == "5 hives verified: sound."
    nothing = bootgraft("reg", "recover", server1.disk)
    assert (nothing.status, nothing.stdout) == (0, "Nothing to do: no hive has transactions pending.\n")


def make_dirty(disk: Path) -> None:
    """Leave an edit of SYSTEM in a log beside it, as a machine that was cloned while it ran."""
    with RawFile(disk, writable=True) as device, Machine.read([device], writable=True) as machine:
        volume = machine.volume(0, 2)
        assert volume is not None
        filesystem = volume.filesystem()
        before = filesystem.read(SYSTEM)
        memory = Memory(before)
        hive = Hive.open(memory, name="SYSTEM")
        hive.create_key(r"ControlSet001\Services\logged")
        hive.commit(filetime=FILETIME)
        log = new_log([Write(before=before, after=bytes(memory.data), sequence=40)])
        filesystem.write(SYSTEM, 0, rebased(before, primary=41, secondary=40))
        filesystem.create(SYSTEM + ".LOG1", log)


def test_recover_writes_what_is_pending(server1: BuiltMachine, bootgraft: Run) -> None:
    make_dirty(server1.disk)
    before = oracles.sha256(server1.disk)
    assert bootgraft("reg", "query", server1.disk, r"HKLM\SYSTEM\ControlSet001\Services\logged").status == 0
    assert "1 transaction" in bootgraft("reg", "verify", server1.disk).stdout
    assert r"ControlSet001\Services\logged" not in registry(server1)
    assert bootgraft("reg", "recover", server1.disk, "--hive", "SOFTWARE").stdout.startswith("Nothing to do")
    done = bootgraft("reg", "recover", server1.disk)
    assert (done.status, done.stdout.startswith("Done: 1 hive recovered")) == (0, True)
    assert r"ControlSet001\Services\logged" in registry(server1)
    assert bootgraft("reg", "recover", server1.disk).stdout.startswith("Nothing to do")
    assert bootgraft("undo", server1.disk).status == 0
    assert oracles.sha256(server1.disk) == before


def test_the_storys_registry_part(
    build_server1: Callable[..., BuiltMachine], donor: BuiltMachine, bootgraft: Run, tmp_path: Path
) -> None:
    """What took an hour at night: export on one machine, search and replace, merge into every set of the other."""
    machine = build_server1(symmpi=Symmpi.ABSENT)
    for number, key in enumerate((r"Services\symmpi", r"Control\CriticalDeviceDatabase\pci#ven_1000&dev_0030")):
        file = tmp_path / f"{number}.reg"
        key = rf"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\{key}"
        assert bootgraft("reg", "export", donor.disk, key, "--out", file).status == 0
        assert bootgraft("reg", "import", machine.disk, file).status == 0
    told = json.loads(bootgraft("check", machine.disk, "--target", "vmware:lsilogic", "--json").stdout)
    assert {finding["id"] for finding in told["findings"]} == {"driver-file-missing"}


def test_help_and_wrong_words(bootgraft: Run) -> None:
    assert "export" in bootgraft("reg", "--help").stdout
    assert bootgraft("reg").status == 2
    assert bootgraft("reg", "frob", "x").status == 2
    assert "--ansi" in bootgraft("reg", "export", "--help").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--type", "REG_NOTHING", "--value", "x"),
        ("--type", "REG_DWORD", "--value", "x", "--data", "many"),
        ("--data", "x"),
        ("--value", "x", "--data", "a", "--data", "b"),
        ("--type", "REG_DWORD", "--value", "x", "--data", "0x100000000"),
    ],
)
def test_values_that_make_no_sense(bootgraft: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = bootgraft("reg", "set", tmp_path / "none", r"HKLM\SYSTEM\x", *words)
    assert done.status == 2
