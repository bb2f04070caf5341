"""Which of a Windows' own catalogs lists a driver's file."""

import pytest
from tests.fakes import FakeFileSystem
from tests.machines.catalogs import catalog
from tests.windows.signatures.signers import Signers
from tests.windows.signatures.test_acceptance import rules

from bootgraft.windows.signatures import catroot
from bootgraft.windows.signatures.authenticode import read_signed_file
from bootgraft.windows.signatures.catroot import Listed, find_in_catalogs
from bootgraft.windows.signatures.roots import RootKind
from bootgraft.windows.signatures.signature import SignatureClass

FOLDER = "\\Windows\\system32\\CatRoot\\{F750E6C3-38EE-11D1-85E5-00C04FC295EE}"
EIGHT = rules((6, 2), 9200)


def look(data: bytes, **catalogs: bytes) -> Listed:
    files = {f"{FOLDER}\\{name}.cat": content for name, content in catalogs.items()} or {"\\Windows\\x": b""}
    return find_in_catalogs(FakeFileSystem(files), "\\Windows", data, EIGHT)


@pytest.fixture
def good(signers: Signers, unsigned: bytes, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A catalog that lists the driver, under a root that is trusted."""
    signers.trust(RootKind.MICROSOFT, monkeypatch)
    return catalog(signers, signers.vendor(), [read_signed_file(unsigned).digest("sha1")])


def test_a_driver_that_a_catalog_lists(good: bytes, unsigned: bytes) -> None:
    assert look(unsigned, package=b"", oem7=good) == Listed(f"{FOLDER}\\oem7.cat", (), SignatureClass.MICROSOFT)
    assert look(unsigned[:-1] + b"\1", oem7=good) == Listed(None)
    assert look(unsigned) == Listed(None)


def test_catalogs_that_vouch_for_nothing(good: bytes, signers: Signers, unsigned: bytes) -> None:
    digest = read_signed_file(unsigned).digest("sha256")
    by_himself = catalog(signers, signers.alone(), [digest])
    assert look(unsigned, oem1=by_himself) == Listed(None)
    assert look(unsigned, oem1=by_himself, oem2=good) == Listed(f"{FOLDER}\\oem2.cat", (), SignatureClass.MICROSOFT)
    altered = good.replace(b"\x17\x0d230722113900Z", b"\x17\x0d230722113901Z")
    assert look(unsigned, oem1=altered) == Listed(None)


def test_what_cannot_be_read_is_named(good: bytes, unsigned: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = read_signed_file(unsigned).digest("sha1")
    assert look(unsigned, oem1=b"\x30\x80" + digest).unread == (
        f"{FOLDER}\\oem1.cat: the length of an element is not written as DER writes it",
    )
    monkeypatch.setattr(catroot, "MAX_CATALOG", 100)
    assert look(unsigned, a=bytes(101), oem2=good) == Listed(
        None, (f"{FOLDER}\\oem2.cat: it is too large", f"{FOLDER}\\a.cat: it is too large")
    )
    monkeypatch.undo()
    monkeypatch.setattr(catroot, "MAX_READ", 150)
    assert look(unsigned, oem1=bytes(100), oem2=bytes(100), oem3=b"").unread == (
        f"{FOLDER}\\oem2.cat and the rest: too many",
    )
