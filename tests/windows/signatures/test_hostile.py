"""Signatures of whatever content: a class, or the one error of the reader, and nothing else; in bounded time."""

import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.windows.signatures.signers import Signers

from bootgraft.windows.signatures.authenticode import read_signed_file
from bootgraft.windows.signatures.catalog import read_catalog
from bootgraft.windows.signatures.der import SEQUENCE, DerError, parse
from bootgraft.windows.signatures.pkcs7 import parse_signed_data
from bootgraft.windows.signatures.roots import RootKind
from bootgraft.windows.signatures.signature import VOUCHED, SignatureClass, read_signatures

_ROUNDS = 600


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    readers: tuple[Callable[[bytes], object], ...] = (parse, parse_signed_data, read_catalog)
    for read in readers:
        try:
            read(data)
        except DerError:
            continue
    assert all(each.kind is SignatureClass.UNREADABLE for each in read_signatures(b"MZ" + data))


def _encode(tag: int, content: bytes) -> bytes:
    size = len(content).to_bytes(4, "big")
    return bytes([tag, 0x84]) + size + content


_ELEMENTS = st.recursive(
    st.tuples(st.sampled_from([1, 2, 3, 4, 5, 6, 0x0C, 0x17, 0x18, 0x1E]), st.binary(max_size=12)).map(
        lambda pair: _encode(*pair)
    ),
    lambda inner: st.tuples(st.sampled_from([0x30, 0x31, 0xA0, 0xA1]), st.lists(inner, max_size=6)).map(
        lambda pair: _encode(pair[0], b"".join(pair[1]))
    ),
    max_leaves=40,
)


@settings(max_examples=200)
@given(_ELEMENTS)
def test_any_structure(data: bytes) -> None:
    readers: tuple[Callable[[bytes], object], ...] = (parse_signed_data, read_catalog)
    for read in readers:
        with pytest.raises(DerError):
            read(data)


def test_a_spoiled_signature_never_passes(signers: Signers, unsigned: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of the file and of its signature changed, removed, doubled: never vouched for with another content."""
    signers.trust(RootKind.CROSS, monkeypatch)
    whole = signers.stamped(unsigned, signers.vendor())
    (good,) = read_signatures(whole)
    assert good.kind in VOUCHED
    table = read_signed_file(whole).table
    chance = random.Random(1)
    for _ in range(_ROUNDS):
        data = bytearray(whole)
        place = chance.randrange(table, len(data))
        match chance.randrange(4):
            case 0:
                data[place] ^= 1 << chance.randrange(8)
            case 1:
                data[place : place + 4] = chance.randbytes(4)
            case 2:
                del data[place : place + chance.randrange(1, 9)]
            case 3:
                data[place:place] = data[place : place + chance.randrange(1, 9)]
        for found in read_signatures(bytes(data)):
            if found.kind in VOUCHED:
                assert (found.signer, found.hash, found.issued) == (good.signer, good.hash, good.issued)


def test_lengths_that_promise_gigabytes() -> None:
    for size in (1, 2, 3, 4, 5, 0x7F):
        with pytest.raises(DerError):
            parse(bytes([SEQUENCE, 0x80 | size]) + b"\xff" * size + bytes(64))


def test_nesting_without_end() -> None:
    data = b""
    for _ in range(3000):
        data = _encode(SEQUENCE, data)
    with pytest.raises(DerError):
        parse_signed_data(data)


def test_a_million_elements(signers: Signers, unsigned: bytes) -> None:
    began = time.process_time()
    with pytest.raises(DerError, match="has more than 200000 parts"):
        list(parse(_encode(SEQUENCE, b"\5\0" * 1_000_000)).children())
    assert time.process_time() - began < 30


def test_a_key_of_absurd_size(signers: Signers, unsigned: bytes) -> None:
    """A modulus of a million bits would take hours to compute with."""
    from bootgraft.windows.signatures.certificate import read_key

    numbers = _encode(SEQUENCE, _encode(2, b"\x7f" + b"\xff" * 125_000) + _encode(2, b"\x7f\xff\xff\xff\xff\xff"))
    rsa = _encode(SEQUENCE, _encode(6, bytes.fromhex("2a864886f70d010101")))
    with pytest.raises(DerError, match="no sensible numbers"):
        read_key(_encode(SEQUENCE, rsa + _encode(3, b"\0" + numbers)))
