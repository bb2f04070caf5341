"""Single elements of DER, as openssl writes them."""

from datetime import UTC, datetime

import pytest
from tests.machines.tools import run

from bootgraft.windows.signatures.der import DerError, parse, parts


def der(text: str) -> bytes:
    """An element by openssl's notation."""
    return run("openssl", "asn1parse", "-genstr", text, "-noout", "-out", "/dev/stdout")


def test_numbers() -> None:
    for number in (0, 1, 127, 128, 255, 65536, 2**64, 2**200):
        assert parse(der(f"INTEGER:{number}")).integer() == number
    assert parse(der("INTEGER:-129")).integer() == -129
    with pytest.raises(DerError, match="a number is empty"):
        parse(b"\2\0").integer()
    with pytest.raises(DerError, match="a number has the tag 0x04, where 0x02 belongs"):
        parse(b"\4\1\1").integer()


@pytest.mark.parametrize("oid", ["1.3.6.1.4.1.311.10.3.5.1", "2.5.4.3", "0.9.2342.19200300.100.1.25", "2.999.1"])
def test_object_identifiers(oid: str) -> None:
    assert parse(der(f"OID:{oid}")).oid() == oid


def test_object_identifiers_cut_short() -> None:
    for data in (b"\6\0", b"\6\2\x2a\x86", b"\6\x41" + b"\1" * 65):
        with pytest.raises(DerError):
            parse(data).oid()


def test_texts() -> None:
    for kind in ("UTF8", "PRINTABLE", "IA5", "T61", "BMP"):
        assert parse(der(f"{kind}:A Vendor")).text() == "A Vendor"
    assert parse(der("INTEGER:1")).text() is None


@pytest.mark.parametrize(
    ("text", "year"), [("UTCTIME:490101000000Z", 2049), ("UTC:500101000000Z", 1950), ("GENTIME:20991231235959Z", 2099)]
)
def test_times(text: str, year: int) -> None:
    assert parse(der(text)).time().year == year
    assert parse(b"\x18\x1320231114221320.250Z").time() == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize("data", [b"\x17\x0d231314221320Z", b"\x18\x0f20231114221320+", b"\x17\0", b"\2\1\1"])
def test_times_that_are_none(data: bytes) -> None:
    with pytest.raises(DerError, match="a time"):
        parse(data).time()


def test_bits() -> None:
    assert parse(der("FORMAT:HEX,BITSTRING:0102")).bits() == b"\1\2"
    for data in (b"\3\0", b"\3\2\4\x10"):
        with pytest.raises(DerError, match="a bit string"):
            parse(data).bits()


def test_parts() -> None:
    assert [each.encoded for each in parts(parse(b"\x30\5\2\1\1\5\0"), "it")] == [b"\2\1\1", b"\5\0"]
    with pytest.raises(DerError, match="it has 0 parts, fewer than 1"):
        parts(parse(b"\x30\0"), "it")


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x1f\x20\0", b"\x30\x80\0\0", b"\x30\x85\0\0\0\0\1\0", b"\x30\2\5"])
def test_what_is_no_element(data: bytes) -> None:
    with pytest.raises(DerError):
        parse(data)
