"""Packed files of all kinds come out as they went in; damaged ones are refused in words."""

import contextlib
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.machines.cabinets import cabinet, lzx_cabinet
from tests.machines.tools import run

from bootgraft.drivers.archives.expand import expand
from bootgraft.errors import DriverSourceError

NOISE = random.Random(4).randbytes(3000)
CONTENTS = {
    "driver": NOISE + bytes(9000) + NOISE + b"symmpi" * 3000 + random.Random(5).randbytes(20_000),
    "spaces": b" " * 10_000,  # matches with the window as it is before the first byte
}


def compress(data: bytes, folder: Path) -> bytes:
    """The file packed by mscompress, which writes what Microsoft's COMPRESS.EXE writes."""
    (folder / "symmpi.sys").write_bytes(data)
    packed = folder / "symmpi.sys_"
    packed.unlink(missing_ok=True)
    run("mscompress", "symmpi.sys", cwd=folder)
    return packed.read_bytes()


@pytest.mark.parametrize("kind", CONTENTS)
def test_szdd_files(kind: str, tmp_path: Path) -> None:
    packed = compress(CONTENTS[kind], tmp_path)
    assert packed.startswith(b"SZDD")
    assert expand(packed, "symmpi.sy_") == CONTENTS[kind]
    assert run("7z", "e", "-so", tmp_path / "symmpi.sys_") == CONTENTS[kind]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([b"ab", b" ", b"\0" * 40, NOISE[:200], b"abcabc" * 9]), max_size=60).map(b"".join))
def test_szdd_round_trip(tmp_path: Path, data: bytes) -> None:
    data = NOISE[:40] + data  # mscompress itself fails on less than a few bytes
    assert expand(compress(data, tmp_path), "x.sy_") == data


def test_cabinets_with_one_file() -> None:
    assert expand(cabinet({"symmpi.sys": CONTENTS["driver"]}), "symmpi.sy_") == CONTENTS["driver"]
    assert expand(lzx_cabinet("symmpi.sys", NOISE), "symmpi.sy_") == NOISE


def test_a_cabinet_with_two_files_is_refused() -> None:
    with pytest.raises(DriverSourceError, match="a cabinet with 2 files"):
        expand(cabinet({"a.sys": b"a", "b.sys": b"b"}), "x.sy_")


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "no packed file"),
        (b"MZ" + bytes(99), "no packed file"),
        (b"KWAJ\x88\xf0\x27\xd1" + bytes(99), "packed with KWAJ"),
        (b"SZDD\x88\xf0\x27\x33", "header is damaged"),
        (b"SZDD\x88\xf0\x27\x33B\0" + bytes(99), "header is damaged"),
        (b"SZDD\x88\xf0\x27\x33A\0\xff\xff\xff\xff" + bytes(99), "header is damaged"),
        (b"SZDD\x88\xf0\x27\x33A\0\xff\xff\0\0\xffabc", "truncated"),
        (b"MSCF" + bytes(99), "no archive|damaged"),
    ],
)
def test_what_cannot_be_expanded_is_refused(data: bytes, fault: str) -> None:
    with pytest.raises(DriverSourceError, match=fault) as caught:
        expand(data, "x.sy_")
    assert caught.value.where == "x.sy_"


@given(st.binary(max_size=300), st.integers(0, 70_000))
def test_hostile_szdd_gives_bytes_or_one_clear_error(packed: bytes, size: int) -> None:
    with contextlib.suppress(DriverSourceError):
        data = expand(b"SZDD\x88\xf0\x27\x33A\0" + size.to_bytes(4, "little") + packed, "x.sy_")
        assert len(data) == size
