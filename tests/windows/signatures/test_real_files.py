"""Every real driver at hand: what osslsigncode says of its signature is what is read here, and each is of its class."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.machines.tools import run

from bootgraft.windows.signatures.authenticode import read_signed_file
from bootgraft.windows.signatures.catalog import read_catalog
from bootgraft.windows.signatures.signature import SignatureClass, read_signatures

_LINES = {
    "hash": re.compile(r"Calculated message digest : ([0-9A-F]+)"),
    "signed": re.compile(r"Current message digest    : ([0-9A-F]+)"),
    "time": re.compile(r"(?:Timestamp|Countersignature) time: (.+) GMT"),
    "signer": re.compile(r"Signer #0:\n\t\tSubject: .*?CN ?= ?([^/\n]+)"),
}


@pytest.fixture(scope="module")
def drivers(shared_testdata: Path) -> tuple[Path, ...]:
    found = (each for each in (shared_testdata / "drivers").rglob("*") if each.suffix.casefold() == ".sys")
    return tuple(sorted(found))


def _of(name: str, said: str) -> str:
    match = _LINES[name].search(said)
    assert match, (name, said)
    return match[1].strip()


def test_osslsigncode_says_the_same(drivers: tuple[Path, ...]) -> None:
    """All of one release's storage drivers, and every older one: the others are signed alike."""
    some = [each for each in drivers if re.search("viostor|vioscsi|old-drivers", str(each))]
    assert len(some) > 40
    for path in some:
        data = path.read_bytes()
        said = run("osslsigncode", "verify", path, expect=(0, 1)).decode(errors="replace")
        (found,) = read_signatures(data)
        assert read_signed_file(data).digest(found.hash).hex().upper() == _of("hash", said) == _of("signed", said), path
        assert found.signer == _of("signer", said), path
        time = datetime.strptime(_of("time", said), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        assert found.timestamp == time, path


def test_every_driver_is_of_its_class(drivers: tuple[Path, ...]) -> None:
    found = Counter(signature.kind for path in drivers for signature in read_signatures(path.read_bytes()))
    assert set(found) == {SignatureClass.ATTESTATION, SignatureClass.CROSS_SIGNED, SignatureClass.SELF_SIGNED}
    assert found.total() == len(drivers)
    for path in drivers:
        (signature,) = read_signatures(path.read_bytes())
        assert signature.timestamp is not None, path
        if "virtio-win-0.1.240/" in str(path):
            release = path.parent.parent.name if path.parent.name in ("amd64", "x86", "ARM64") else path.parent.name
            assert signature.kind is _CLASSES[release.casefold()], path


_CLASSES = {
    **dict.fromkeys(("xp", "2k3", "2k8", "w7", "2k8r2"), SignatureClass.CROSS_SIGNED),
    **dict.fromkeys(("w8", "2k12", "w8.1", "2k12r2"), SignatureClass.SELF_SIGNED),
    **dict.fromkeys(("w10", "2k16", "2k19", "2k22", "w11"), SignatureClass.ATTESTATION),
}


def test_every_catalog_lists_the_driver_beside_it(drivers: tuple[Path, ...]) -> None:
    for path in drivers:
        beside = next(each for each in path.parent.iterdir() if each.name.casefold() == f"{path.stem}.cat".casefold())
        catalog = read_catalog(beside.read_bytes())
        file = read_signed_file(path.read_bytes())
        assert {file.digest("sha1"), file.digest("sha256")} & catalog.hashes, path
        assert catalog.systems, beside
        assert catalog.signature.kind is read_signatures(path.read_bytes())[0].kind, beside
