"""Catalogs of both versions."""

import pytest
from tests.machines.catalogs import catalog
from tests.windows.signatures.signers import Signers

from bootgraft.windows.signatures.catalog import may_list, read_catalog
from bootgraft.windows.signatures.der import DerError
from bootgraft.windows.signatures.roots import RootKind
from bootgraft.windows.signatures.signature import SignatureClass

DIGESTS = (bytes(range(20)), bytes(range(100, 132)))


@pytest.mark.parametrize("digits", [False, True])
def test_members(digits: bool, signers: Signers, monkeypatch: pytest.MonkeyPatch) -> None:
    signers.trust(RootKind.CROSS, monkeypatch)
    data = catalog(signers, signers.vendor(), DIGESTS, digits=digits)
    found = read_catalog(data)
    assert found.hashes == set(DIGESTS)
    assert found.signature.kind is SignatureClass.CROSS_SIGNED
    assert all(may_list(data, each) for each in DIGESTS)
    assert not may_list(data, bytes(20))


@pytest.mark.parametrize(
    ("systems", "covered", "not_covered"),
    [
        ("2:6.1,2:6.2", [(6, 1), (6, 2)], [(6, 0), (6, 3), (10, 0)]),
        ("2:5.00, 2:5.1", [(5, 0), (5, 1)], [(5, 2)]),
        ("2:6.X", [(6, 0), (6, 3)], [(5, 2), (10, 0)]),
        ("2:10.0:1", [(10, 0)], [(6, 3)]),
        ("1:4.x,nonsense,2:,2:a.b,2:99999.0", [], [(4, 0), (0, 0)]),
    ],
)
def test_systems(
    systems: str,
    covered: list[tuple[int, int]],
    not_covered: list[tuple[int, int]],
    signers: Signers,
) -> None:
    found = read_catalog(catalog(signers, signers.vendor(), DIGESTS, systems=systems))
    assert all(found.covers(each) for each in covered)
    assert not any(found.covers(each) for each in not_covered)


def test_an_altered_catalog(signers: Signers) -> None:
    data = catalog(signers, signers.vendor(), DIGESTS)
    altered = read_catalog(data.replace(DIGESTS[0], bytes(20)))
    assert altered.hashes == {bytes(20), DIGESTS[1]}
    assert (altered.signature.kind, altered.signature.detail) == (
        SignatureClass.INVALID,
        "its content is not what was signed",
    )


def test_what_is_no_catalog(signers: Signers, unsigned: bytes) -> None:
    from bootgraft.windows.signatures.authenticode import read_signed_file

    (blob,) = read_signed_file(signers.sign(unsigned, signers.vendor())).signatures
    with pytest.raises(DerError, match="it is no signed catalog"):
        read_catalog(blob)
