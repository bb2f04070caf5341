import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.fat.names import checksum, fold, is_valid, new_name, short_text


def nothing(_name: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("raw", "bits", "text"),
    [
        (b"NTLDR      ", 0, "NTLDR"),
        (b"NTLDR      ", 0x18, "ntldr"),
        (b"BOOT    INI", 0x18, "boot.ini"),
        (b"BOOT    INI", 0x10, "BOOT.ini"),
        (b"BOOT    INI", 0x08, "boot.INI"),
        (b"\x05BC        ", 0, "\u03c3BC"),  # 0xE5 would mean deleted
        (b"A B     C D", 0, "A B.C D"),
        (b"GR\x99\xe1E   TXT", 0, "GRÖßE.TXT"),
    ],
)
def test_short_text(raw: bytes, bits: int, text: str) -> None:
    assert short_text(raw, bits) == text


@pytest.mark.parametrize(
    ("name", "short", "bits", "has_long"),
    [
        ("NTLDR", b"NTLDR      ", 0, False),
        ("ntldr", b"NTLDR      ", 0x08, False),
        ("boot.ini", b"BOOT    INI", 0x18, False),
        ("NTDETECT.com", b"NTDETECTCOM", 0x10, False),
        ("Boot.ini", b"BOOT    INI", 0, True),
        ("größe.txt", b"GR\x99\xe1E   TXT", 0, True),
        ("eightchar.sys", b"EIGHTC~1SYS", 0, True),
        ("a.html", b"A~1     HTM", 0, True),
        ("a b.c", b"AB~1    C  ", 0, True),
        ("日本.sys", b"__~1    SYS", 0, True),
        ("\u03c3", b"\xe4          ", 0, True),
    ],
)
def test_new_name(name: str, short: bytes, bits: int, has_long: bool) -> None:
    stored = new_name(name, nothing, where="test")
    assert (stored.short, stored.case_bits, stored.long) == (short, bits, name if has_long else None)


def test_numbers_shorten_the_base() -> None:
    taken = {f"LONGNA~{number}.TXT" for number in range(1, 10)} | {f"LONGN~{number}.TXT" for number in range(10, 100)}
    assert new_name("long name.txt", taken.__contains__, where="test").short == b"LONG~100TXT"


def test_no_number_is_left() -> None:
    def all_taken(_name: str) -> bool:
        return True

    with pytest.raises(FileSystemError, match="all short names"):
        new_name("long name.txt", all_taken, where="test")


def test_checksum() -> None:
    assert checksum(b"A" + bytes(10)) == 0x50  # ten rotations to the right, of which eight bring it round
    assert checksum(bytes(10) + b"A") == 0x41


@given(st.text(max_size=300))
def test_any_name_is_stored_readably_or_refused(name: str) -> None:
    try:
        stored = new_name(name, nothing, where="test")
    except FileSystemError:
        return
    assert is_valid(name)
    assert len(stored.short) == 11
    assert stored.short[0] not in b"\0\xe5 "
    assert fold(stored.long or short_text(stored.short)) == fold(name)
    if stored.long is None:
        assert short_text(stored.short, stored.case_bits) == name


@given(st.text(max_size=20))
def test_fold_keeps_the_length(name: str) -> None:
    assert len(fold(name)) == len(name)
    assert fold(fold(name)) == fold(name) or not name.isascii()
