"""The table of what each Windows' loader takes, row by row."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from bootgraft.windows.pe import Architecture
from bootgraft.windows.signatures.acceptance import Acceptance, DriverPolicy, Judgement, Rules, judge_file
from bootgraft.windows.signatures.signature import FileSignature, SignatureClass

ACCEPTED, UNKNOWN, REFUSED = Acceptance.ACCEPTED, Acceptance.UNKNOWN, Acceptance.REFUSED
MICROSOFT, WHQL, ATTESTATION, CROSS, STANDARD, SELF, STRANGER, ALTERED, INVALID, UNREADABLE = SignatureClass


def signed(kind: SignatureClass, algorithm: str = "sha256", **fields: Any) -> FileSignature:
    """A signature of this class, its chain by the same hash, stamped, of a certificate of 2019 that has expired."""
    given: dict[str, Any] = {
        "signer": "A Vendor",
        "hash": algorithm,
        "chain_hashes": (algorithm,),
        "issued": date(2019, 2, 15),
        "expires": date(2019, 12, 31),
        "timestamp": datetime(2019, 6, 8, tzinfo=UTC),
        "detail": "its chain ends at X",
    }
    return FileSignature(kind, **{**given, **fields})


SHA1_CROSS = signed(CROSS, "sha1")
EARLY_CROSS = signed(CROSS, "sha1", issued=date(2015, 7, 28))


def rules(version: tuple[int, int], build: int = 0, **settings: Any) -> Rules:
    """A 64-bit Windows that a BIOS starts."""
    given: dict[str, Any] = {"arch": Architecture.X64, "secure_boot": False, "today": date(2026, 11, 30)}
    return Rules(product="Windows", version=version, build=build, **{**given, **settings})


def judge(by: Rules, *signatures: FileSignature) -> Judgement:
    return judge_file(signatures, by)


@pytest.mark.parametrize("version", [(4, 0), (5, 0), (5, 1), (5, 2)])
@pytest.mark.parametrize("signatures", [(), (signed(SELF),), (signed(ALTERED),), (SHA1_CROSS,)])
def test_windows_before_vista_looks_at_none(version: tuple[int, int], signatures: tuple[FileSignature, ...]) -> None:
    assert judge(rules(version), *signatures).acceptance is ACCEPTED


_8, _81, _1511, _1607, _24H2 = ((6, 2), 9200), ((6, 3), 9600), ((10, 0), 10586), ((10, 0), 14393), ((10, 0), 26100)
VISTA, SEVEN = rules((6, 0), 6002), rules((6, 1), 7601, knows_sha2=False)
SEVEN_UPDATED = rules((6, 1), 7601, knows_sha2=True)
SECURE: dict[str, Any] = {"secure_boot": True}
TABLE = [
    (VISTA, SHA1_CROSS, ACCEPTED),
    (VISTA, signed(MICROSOFT, "sha1"), ACCEPTED),
    (VISTA, signed(CROSS), UNKNOWN),
    (SEVEN, SHA1_CROSS, ACCEPTED),
    (SEVEN, signed(WHQL, "sha1"), ACCEPTED),
    (SEVEN, signed(CROSS), REFUSED),
    (SEVEN, signed(CROSS, "sha1", chain_hashes=("sha256", "sha1")), UNKNOWN),
    (SEVEN, signed(ATTESTATION), REFUSED),
    (SEVEN_UPDATED, signed(CROSS), ACCEPTED),
    (SEVEN_UPDATED, signed(WHQL), ACCEPTED),
    (SEVEN_UPDATED, signed(ATTESTATION), UNKNOWN),
    (rules((6, 1), 7601, knows_sha2=None), signed(CROSS), UNKNOWN),
    *(
        row
        for version, build in (_8, _81)
        for boot in (False, True, None)
        for row in (
            (rules(version, build, secure_boot=boot), SHA1_CROSS, ACCEPTED),
            (rules(version, build, secure_boot=boot), signed(CROSS), ACCEPTED),
            (rules(version, build, secure_boot=boot), signed(WHQL), ACCEPTED),
            (rules(version, build, secure_boot=boot), signed(ATTESTATION), UNKNOWN),
        )
    ),
    *((rules(*_1511, secure_boot=True), signed(kind), ACCEPTED) for kind in (CROSS, WHQL, ATTESTATION)),
    *((rules(*_1607), signed(kind), ACCEPTED) for kind in (CROSS, WHQL, ATTESTATION, MICROSOFT)),
    *((rules(*_1607, **SECURE), signed(kind), ACCEPTED) for kind in (WHQL, ATTESTATION, MICROSOFT)),
    (rules(*_1607, **SECURE), SHA1_CROSS, UNKNOWN),
    (rules(*_1607, secure_boot=None), SHA1_CROSS, UNKNOWN),
    (rules(*_1607, **SECURE), EARLY_CROSS, ACCEPTED),
    (rules(*_1607, **SECURE), signed(CROSS, issued=date(2015, 7, 29)), UNKNOWN),
    (rules(*_1607, **SECURE, is_upgraded=True), SHA1_CROSS, ACCEPTED),
    (rules((10, 0), 0, **SECURE), SHA1_CROSS, UNKNOWN),  # a build that is not known
    (rules(*_24H2), SHA1_CROSS, ACCEPTED),
    (rules(*_24H2, driver_policy=DriverPolicy.AUDIT), SHA1_CROSS, ACCEPTED),
    (rules(*_24H2, driver_policy=DriverPolicy.ENFORCED), SHA1_CROSS, UNKNOWN),
    (rules(*_24H2, driver_policy=DriverPolicy.ENFORCED), EARLY_CROSS, UNKNOWN),
    (rules(*_24H2, driver_policy=DriverPolicy.ENFORCED), signed(ATTESTATION), ACCEPTED),
    (rules((10, 0), 19045, driver_policy=DriverPolicy.ENFORCED), SHA1_CROSS, ACCEPTED),  # it has no such policy
    (rules(*_1607), signed(STANDARD), UNKNOWN),
    *((each, signed(SELF), REFUSED) for each in (VISTA, SEVEN, rules(*_8), rules(*_81), rules(*_1607), rules(*_24H2))),
    *((each, signed(STRANGER), REFUSED) for each in (VISTA, SEVEN, rules(*_8), rules(*_1607))),
    *((each, signed(ALTERED), REFUSED) for each in (VISTA, rules(*_8), rules(*_1607, test_signing=True))),
    *((each, signed(INVALID), REFUSED) for each in (VISTA, rules(*_8), rules(*_1607, test_signing=True))),
    *((each, signed(UNREADABLE), UNKNOWN) for each in (VISTA, rules(*_8), rules(*_1607))),
    (rules(*_8, test_signing=True), signed(SELF), ACCEPTED),
    (rules(*_8, test_signing=True), signed(STRANGER), ACCEPTED),
    (rules(*_8, test_signing=True, secure_boot=True), signed(SELF), REFUSED),
    (rules(*_8, test_signing=True, secure_boot=None), signed(SELF), UNKNOWN),
    (rules((6, 1), 7601, knows_sha2=False, test_signing=True), signed(CROSS), ACCEPTED),
]


@pytest.mark.parametrize(("by", "signature", "expected"), TABLE)
def test_the_table(by: Rules, signature: FileSignature, expected: Acceptance) -> None:
    found = judge(by, signature)
    assert found.acceptance is expected
    assert found.reason
    assert found.short == signature.kind.value


@pytest.mark.parametrize(
    ("by", "signature", "expected"),
    [
        (rules(*_1607, **SECURE), SHA1_CROSS, True),
        (rules(*_1607, secure_boot=None), SHA1_CROSS, True),
        (rules(*_1607, **SECURE), signed(SELF), False),
        (rules(*_1607, **SECURE, test_signing=True), signed(SELF), True),
        (rules(*_24H2, **SECURE, driver_policy=DriverPolicy.ENFORCED), SHA1_CROSS, False),
        (rules(*_1607), SHA1_CROSS, False),  # accepted, and it is off
        (rules(*_1607, **SECURE, arch=Architecture.X86), signed(SELF), True),
    ],
)
def test_what_hangs_on_secure_boot(by: Rules, signature: FileSignature, expected: bool) -> None:
    assert judge(by, signature).hangs_on_secure_boot is expected


def test_no_signature_at_all() -> None:
    for by in (VISTA, SEVEN, rules(*_8), rules(*_1607), rules(*_1607, test_signing=True)):
        assert judge(by) == Judgement(REFUSED, "unsigned", "it carries no signature")


def test_32_bit_windows_looks_only_under_secure_boot() -> None:
    for version, build in (((6, 0), 6002), ((6, 1), 7601), _8, _81, _1607):
        x86 = rules(version, build, arch=Architecture.X86)
        assert judge(x86).acceptance is ACCEPTED
        assert judge(x86, signed(SELF)).acceptance is ACCEPTED
    secure = rules(*_1607, arch=Architecture.X86, secure_boot=True)
    assert judge(secure, signed(ATTESTATION)).acceptance is ACCEPTED
    assert judge(secure, signed(SELF)).acceptance is UNKNOWN  # as 64-bit ones do, but with less certainty
    assert judge(secure).acceptance is REFUSED
    assert judge(rules(*_1607, arch=Architecture.ARM64), signed(SELF)).acceptance is REFUSED


def test_each_signature_is_judged_and_one_that_is_taken_is_enough() -> None:
    """Of two signatures that which this Windows follows, not the one that looks best."""
    second = signed(CROSS, is_first=False)
    assert judge(SEVEN, SHA1_CROSS, second).acceptance is ACCEPTED
    assert judge(rules(*_8), signed(SELF, "sha1"), second).acceptance is ACCEPTED
    assert judge(SEVEN_UPDATED, signed(SELF, "sha1"), second).acceptance is UNKNOWN  # a second one, before 8
    found = judge(SEVEN, signed(SELF, "sha1"), second)
    assert found.acceptance is REFUSED
    assert "self-signed by A Vendor" in found.reason
    assert "cross-signed by SHA-256 only" in found.reason


def test_an_expired_certificate_matters_without_a_timestamp() -> None:
    assert judge(rules(*_8), SHA1_CROSS).remark == ""
    bare = judge(rules(*_8), signed(CROSS, timestamp=None))
    assert bare.acceptance is ACCEPTED
    assert bare.remark.startswith("its certificate expired on 2019-12-31")
    assert judge(rules(*_8, today=date(2019, 1, 1)), signed(CROSS, timestamp=None)).remark == ""
