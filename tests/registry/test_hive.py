"""Reading hives: real ones against hivexregedit and reglookup, and by the page."""

import datetime as dt
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.registry.support import (
    REAL_HIVES,
    Memory,
    built_hive,
    exported,
    open_bytes,
    parse_export,
    real_bcds,
    real_file,
    tree,
)

from bootgraft.errors import DirtyHiveError, HiveError
from bootgraft.registry.hive import Hive

CONTENT = r"""
[\Select]
"Current"=dword:00000001

[\ControlSet001]

[\ControlSet001\Services]

[\ControlSet001\Services\atapi]
"Start"=dword:00000000
"ImagePath"=hex(2):61,00,2e,00,73,00,79,00,73,00,00,00
@="the default"

[\ControlSet001\Services\Zebra]

[\ControlSet001\Services\mouclass]
"""


@pytest.mark.parametrize("name", [*REAL_HIVES, *real_bcds()])
def test_same_as_hivexregedit(name: str, tmp_path: Path) -> None:
    if name.endswith("System_Delta"):
        pytest.skip("hivex fails on the values without data that a differencing hive has")
    data = real_file(name).read_bytes()
    assert tree(open_bytes(data)) == exported(data, tmp_path)


@pytest.mark.parametrize("name", [*REAL_HIVES[:3], *REAL_HIVES[7:]])
def test_keys_and_times_as_reglookup(name: str) -> None:
    path = real_file(name)
    if shutil.which("reglookup") is None:
        pytest.skip("reglookup is not installed")
    done = subprocess.run(["reglookup", "-t", "KEY", "-H", str(path)], capture_output=True, check=True)
    if b"encoding US-ASCII" in done.stderr:
        pytest.skip("reglookup cannot spell the names in this one")
    rows = [line.split(",") for line in done.stdout.decode("ascii").splitlines()]
    theirs = {(unquote(row[0], "latin-1"), row[3]) for row in rows}
    ours = set()
    for key in open_bytes(path.read_bytes()).root.walk():
        # 100 ns since 1601 to seconds since 1970; reglookup shows a time that was never set as 1970
        seconds = key.last_written // 10**7 - 11_644_473_600 if key.last_written else 0
        written = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)
        ours.add(("/" + key.path.replace("\\", "/"), f"{written:%Y-%m-%d %H:%M:%S}"))
    assert ours == theirs


@pytest.mark.parametrize("name", [*REAL_HIVES[:2], *REAL_HIVES[7:]])
def test_every_key_is_found_by_its_path(name: str) -> None:
    hive = open_bytes(real_file(name).read_bytes())
    for number, key in enumerate(hive.root.walk()):
        if number % 29 == 0:
            assert hive.key(key.path.swapcase() if key.path.isascii() else key.path) == key
            assert hive.key(key.path + "\\no such key") is None


def test_opening_and_one_look_up_read_little() -> None:
    memory = Memory(real_file("hives-system/win7-sp1-x86-vmware-lsisas/SYSTEM").read_bytes())
    hive = Hive.open(memory, name="SYSTEM")
    key = hive.key(r"ControlSet001\Services\lsi_sas")
    assert key is not None
    start = key.value("start")
    assert start is not None
    assert start.dword() == 0
    assert sum(length for _, length in memory.reads) < memory.size / 10


@pytest.mark.parametrize("minor", [3, 5])
def test_a_built_hive(minor: int, tmp_path: Path) -> None:
    hive = open_bytes(built_hive(tmp_path, minor=minor, text=CONTENT))
    assert hive.version == minor
    assert not hive.is_changed
    key = hive.key(r"\controlset001\\services\ATAPI\\")
    assert key is not None
    assert (key.name, key.path) == ("atapi", r"ControlSet001\Services\atapi")
    values = {value.name: value for value in key.values()}
    assert list(values) == ["Start", "ImagePath", ""]
    assert values["Start"].dword() == 0
    assert values["ImagePath"].text() == "a.sys"
    assert key.value("IMAGEPATH") == values["ImagePath"]
    assert key.value("") == values[""]
    assert key.value("none") is None
    assert key.class_name() == ""
    assert hive.key("") == hive.root
    assert hive.key("ControlSet002") is None
    services = hive.key(r"ControlSet001\Services")
    assert services is not None
    below = services.keys()
    assert [child.name for child in below] == ["atapi", "mouclass", "Zebra"]


def test_class_names() -> None:
    hive = open_bytes(real_file("hives-system/xp-sp3-x86-virtualpc-iecompat/SYSTEM").read_bytes())
    classes = {key.path: key.class_name() for key in hive.root.walk()}
    assert classes[r"ControlSet001\Control\Lsa\JD"] == "cad8d28b"


@pytest.mark.parametrize(
    "name",
    [
        "hives-system/win81-x64-virtualbox-ahci-dirty-nolog/SYSTEM",
        "hives-system/win10-1709-x64-physical-iastorav-dirty-withlogs/SYSTEM",
        "hives-other/yarp/OldDirtyHive/OldDirtyHive",
        "hives-other/yarp/EffectiveSizeHive",
    ],
)
def test_dirty_hives_are_refused(name: str) -> None:
    memory = Memory(real_file(name).read_bytes())
    with pytest.raises(DirtyHiveError):
        Hive.open(memory, name="SYSTEM")
    assert memory.writes == []


@pytest.mark.parametrize("name", ["hives-other/yarp/TruncatedHive", "hives-other/plaso/corrupt_sub_key_list.hiv"])
def test_damaged_hives_are_refused(name: str) -> None:
    data = real_file(name).read_bytes()
    with pytest.raises(HiveError) as info:
        tree(open_bytes(data))
    assert not isinstance(info.value, DirtyHiveError)


def test_the_export_parser_reads_what_hivexregedit_writes() -> None:
    text = 'Windows Registry Editor Version 5.00\n\n[\\]\n@=dword:00000001\n\n[\\a]b]\n"x\\"y\\\\"=hex(3):01,ff\n'
    assert parse_export(text) == {"": {"": (4, b"\1\0\0\0")}, "a]b": {'x"y\\': (3, b"\1\xff")}}
