"""Upper case: against the table inside libntfs-3g and those that Windows wrote into $UpCase."""

import ctypes
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest
from tests.registry.support import real_file

from bootgraft.registry.upcase import is_portable, name_hash, upcase


def table_of_libntfs() -> tuple[int, ...]:
    try:
        library = ctypes.CDLL("libntfs-3g.so.89")
    except OSError:
        pytest.skip("libntfs-3g is not installed")
    table = (ctypes.c_uint16 * 0x10000)()
    library.ntfs_upcase_table_build(table, ctypes.c_uint32(0x20000))
    return tuple(table)


def ours() -> tuple[int, ...]:
    return tuple(ord(upcase(chr(unit))) for unit in range(0x10000))


def test_same_as_libntfs() -> None:
    assert ours() == table_of_libntfs()


def test_differs_from_windows_xp_only_where_said(tmp_path: Path) -> None:
    archive = real_file("disk-images/ntfs-fat-carrier-xp-era/10b-ntfs-autodetect.zip")
    with zipfile.ZipFile(archive) as content:
        content.extract("10-ntfs-autodetect/10-ntfs-part1.dd", tmp_path)
    image = tmp_path / "10-ntfs-autodetect" / "10-ntfs-part1.dd"
    done = subprocess.run(["icat", "-f", "ntfs", str(image), "10"], capture_output=True, check=True)
    image.unlink()
    old = struct.unpack("<65536H", done.stdout)
    differing = {unit for unit, (new, was) in enumerate(zip(ours(), old, strict=True)) if new != was}
    assert len(differing) == 339
    assert differing == {unit for unit in range(0x10000) if not is_portable(chr(unit))}


@pytest.mark.parametrize(
    ("name", "upper"),
    [
        ("Straße", "STRAßE"),
        ("ÿ", "Ÿ"),
        ("µ", "µ"),
        ("\u0131", "\u0131"),
        ("\u017f", "\u017f"),
        ("i", "I"),
        ("я", "Я"),
        ("中", "中"),
    ],
)
def test_known_letters(name: str, upper: str) -> None:
    assert upcase(name) == upper
    assert is_portable(name)


def test_characters_beyond_16_bits_compare_as_surrogates() -> None:
    assert upcase("\U00010428") == "\ud801\udc28"
    assert upcase("\U0001f600") < upcase("\uffee")


def test_hash() -> None:
    assert name_hash("") == 0
    assert name_hash("a") == ord("A")
    assert name_hash("ab") == name_hash("AB") == 37 * ord("A") + ord("B")
    assert name_hash("Größe") == 0x08326487
