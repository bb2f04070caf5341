"""A hive from nothing: read by hivexregedit and reglookup, and strictly."""

from pathlib import Path

import pytest
from tests.machines.hives import security_descriptor
from tests.machines.tools import run
from tests.registry.support import FILETIME, Memory, exported

from bootgraft.errors import HiveError
from bootgraft.registry.hive import Hive
from bootgraft.registry.integrity.survey import verify
from bootgraft.registry.newhive import new_hive

DESCRIPTOR = security_descriptor((0x000F003F, (5, 18)), inheritance=0)


def fill(hive: Hive) -> None:
    for number in range(200):  # more than the first bin holds
        hive.create_key(f"Objects\\{number:03}")
        hive.set_value(f"Objects\\{number:03}", "Element", 3, bytes([number]) * number)


def test_others_read_what_was_put_in(tmp_path: Path) -> None:
    data = new_hive("NewStoreRoot", DESCRIPTOR, fill, filetime=FILETIME, name="BCD")
    keys = exported(data, tmp_path)
    assert len(keys) == 202
    assert keys["Objects\\007"] == {"Element": (3, bytes([7]) * 7)}
    hive = Hive.open(Memory(data), name="BCD")
    assert (hive.version, hive.root.name, hive.root.key("Objects") is not None) == (3, "NewStoreRoot", True)
    assert verify(hive) == ()
    assert int.from_bytes(data[4:8], "little") == int.from_bytes(data[8:12], "little") > 1 << 20
    (tmp_path / "BCD").write_bytes(data)
    lines = run("reglookup", "-H", "-s", tmp_path / "BCD").decode().splitlines()
    assert sum(",KEY," in line for line in lines) == 202
    assert all("NT AUTHORITY" in line or "S-1-5-18" in line for line in lines if ",KEY," in line)


def test_an_empty_one_is_a_hive_and_the_same_content_the_same_bytes() -> None:
    one, other = (new_hive("R", DESCRIPTOR, lambda _: None, filetime=FILETIME, name="x") for _ in range(2))
    assert one == other
    assert verify(Hive.open(Memory(one), name="x")) == ()


def test_what_no_hive_can_hold_is_refused() -> None:
    with pytest.raises(HiveError):
        new_hive("R", DESCRIPTOR, lambda hive: hive.set_value("gone", "x", 3, b""), filetime=FILETIME, name="x")
