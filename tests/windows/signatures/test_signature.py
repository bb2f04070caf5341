"""Each signature of a file: made by osslsigncode, classed here."""

import hashlib
from datetime import UTC, date, datetime

import pytest
from tests.windows.signatures.signers import ATTESTATION, CODE_SIGNING, WHQL, Signers

from bootgraft.windows.signatures.authenticode import read_signed_file
from bootgraft.windows.signatures.pkcs7 import parse_signed_data
from bootgraft.windows.signatures.roots import RootKind
from bootgraft.windows.signatures.signature import FileSignature, SignatureClass, read_signatures


def only(data: bytes) -> FileSignature:
    (signature,) = read_signatures(data)
    return signature


def test_a_file_without_a_signature(unsigned: bytes) -> None:
    assert read_signatures(unsigned) == ()


def test_a_vendor_who_vouches_for_himself(signers: Signers, unsigned: bytes) -> None:
    found = only(signers.sign(unsigned, signers.alone(), chain=False))
    assert (found.kind, found.signer, found.hash) == (SignatureClass.SELF_SIGNED, "Alone Inc.", "sha256")
    assert (found.chain_hashes, found.timestamp) == (("sha256",), None)
    assert found.issued is not None
    assert found.issued <= datetime.now(UTC).date()
    assert found.detail == "its chain ends at Alone Inc."


def test_a_root_that_nobody_knows(signers: Signers, unsigned: bytes) -> None:
    found = only(signers.sign(unsigned, signers.vendor()))
    assert (found.kind, found.detail) == (SignatureClass.UNKNOWN_ROOT, "its chain ends at Root of the tests")


@pytest.mark.parametrize(
    ("kind", "uses", "expected"),
    [
        (RootKind.CROSS, (CODE_SIGNING,), SignatureClass.CROSS_SIGNED),
        (RootKind.MICROSOFT, (CODE_SIGNING,), SignatureClass.MICROSOFT),
        (RootKind.MICROSOFT, (CODE_SIGNING, WHQL), SignatureClass.WHQL),
        (RootKind.MICROSOFT, (WHQL, ATTESTATION, CODE_SIGNING), SignatureClass.ATTESTATION),
        (RootKind.STANDARD, (CODE_SIGNING,), SignatureClass.MICROSOFT_STANDARD),
    ],
)
def test_the_root_and_the_usages_tell_the_class(
    kind: RootKind,
    uses: tuple[str, ...],
    expected: SignatureClass,
    signers: Signers,
    unsigned: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signers.trust(kind, monkeypatch)
    found = only(signers.sign(unsigned, signers.vendor(*uses)))
    assert (found.kind, found.signer) == (expected, "A Vendor, Inc.")
    assert found.detail == "its chain ends at Root of the tests"


def test_a_chain_whose_middle_is_not_in_the_file(
    signers: Signers, unsigned: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    signers.trust(RootKind.CROSS, monkeypatch)
    found = only(signers.sign(unsigned, signers.vendor(), chain=False))
    assert (found.kind, found.detail) == (SignatureClass.UNKNOWN_ROOT, "its chain ends at Authority of the tests")


def test_a_vendor_is_no_authority(signers: Signers, unsigned: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that a vendor signed with his own counts for nothing, though his leads to a root."""
    signers.trust(RootKind.CROSS, monkeypatch)
    found = only(signers.sign(unsigned, signers.impostor(), "-ac", signers.vendor().certificate))
    assert found.kind is SignatureClass.UNKNOWN_ROOT


def test_nested_signatures_are_read_each(signers: Signers, unsigned: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    signers.trust(RootKind.CROSS, monkeypatch)
    old = signers.sign(unsigned, signers.vendor(digest="sha1"), digest="sha1")
    both = signers.sign(old, signers.alone(), "-nest", chain=False)
    first, second = read_signatures(both)
    assert (first.kind, first.hash, first.is_first) == (SignatureClass.CROSS_SIGNED, "sha1", True)
    assert (second.kind, second.hash, second.is_first) == (SignatureClass.SELF_SIGNED, "sha256", False)
    assert [each.needs_sha2 for each in (first, second)] == [True, True]  # the authority's certificate has SHA-256


def test_a_timestamp(signers: Signers, unsigned: bytes) -> None:
    found = only(signers.stamped(unsigned, signers.vendor()))
    assert found.timestamp == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_timestamp_of_something_else_is_none(signers: Signers, unsigned: bytes) -> None:
    stamped = signers.stamped(unsigned, signers.vendor())
    (blob,) = read_signed_file(stamped).signatures
    (signer,) = parse_signed_data(blob).signers
    place = stamped.index(hashlib.sha256(signer.signature).digest())
    found = only(stamped[:place] + bytes([stamped[place] ^ 1]) + stamped[place + 1 :])
    assert (found.kind, found.timestamp) == (SignatureClass.UNKNOWN_ROOT, None)


def test_an_altered_file(signers: Signers, unsigned: bytes) -> None:
    signed = signers.sign(unsigned, signers.vendor())
    found = only(signed[:0x400] + bytes([signed[0x400] ^ 1]) + signed[0x401:])
    assert found.kind is SignatureClass.ALTERED
    assert found.detail == "its SHA256 hash is not the one that was signed"


def test_what_the_hash_leaves_out_may_change(signers: Signers, unsigned: bytes) -> None:
    signed = signers.sign(unsigned, signers.vendor())
    checksum = int.from_bytes(signed[0x3C:0x40], "little") + 24 + 64
    assert only(signed[:checksum] + b"\xaa\xbb\xcc\xdd" + signed[checksum + 4 :]).kind is SignatureClass.UNKNOWN_ROOT


def test_a_signature_made_with_another_key(signers: Signers, unsigned: bytes) -> None:
    signed = signers.sign(unsigned, signers.vendor())
    end = signed.rstrip(b"\0")  # the signature's last byte, before the padding
    broken = end[:-1] + bytes([end[-1] ^ 1]) + signed[len(end) :]
    found = only(broken)
    assert (found.kind, found.detail) == (SignatureClass.INVALID, "it was not made with the key of A Vendor, Inc.")


def test_an_algorithm_that_is_not_verified_here(signers: Signers, unsigned: bytes) -> None:
    found = only(signers.sign(unsigned, signers.alone("ec"), chain=False))
    assert found.kind is SignatureClass.UNREADABLE
    assert "1.2.840.10045" in found.detail


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "its headers are cut short"),
        (b"MZ" + bytes(58) + b"\xff\xff\xff\xff", "its headers are cut short"),
    ],
)
def test_no_executable_at_all(data: bytes, detail: str) -> None:
    found = only(data)
    assert (found.kind, found.detail) == (SignatureClass.UNREADABLE, detail)


def test_a_table_outside_of_the_file(signers: Signers, unsigned: bytes) -> None:
    signed = signers.sign(unsigned, signers.vendor())
    assert only(signed[:-8]).detail == "its certificate table lies outside the file"


def test_dates_are_the_certificates(signers: Signers, unsigned: bytes) -> None:
    found = only(signers.sign(unsigned, signers.vendor()))
    assert found.issued is not None
    assert found.expires is not None
    assert (found.expires - found.issued).days == 3650
    assert isinstance(found.issued, date)
