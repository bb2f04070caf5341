"""Signed fixtures, judged by osslsigncode, and classed as who signed them is meant to be."""

from pathlib import Path

import pytest

from bootgraft.windows.signatures.catalog import read_catalog
from bootgraft.windows.signatures.signature import SignatureClass, read_signatures
from tests.machines.build import content
from tests.machines.signing import (
    CODE_VERIFICATION_ROOT,
    MICROSOFT_ROOT,
    OTHER_ROOT,
    authenticode_hash,
    hierarchy,
)
from tests.machines.spec import Architecture, Catalog, File, PortableExecutable, Signature, Signer
from tests.machines.tools import run

ROOTS = {
    Signer.MICROSOFT: MICROSOFT_ROOT,
    Signer.WHQL: MICROSOFT_ROOT,
    Signer.ATTESTATION: MICROSOFT_ROOT,
    Signer.CROSS_SIGNED: CODE_VERIFICATION_ROOT,
    Signer.UNKNOWN_ROOT: OTHER_ROOT,
    Signer.SELF_SIGNED: None,
}
CLASSES = {
    Signer.MICROSOFT: SignatureClass.MICROSOFT,
    Signer.WHQL: SignatureClass.WHQL,
    Signer.ATTESTATION: SignatureClass.ATTESTATION,
    Signer.CROSS_SIGNED: SignatureClass.CROSS_SIGNED,
    Signer.UNKNOWN_ROOT: SignatureClass.UNKNOWN_ROOT,
    Signer.SELF_SIGNED: SignatureClass.SELF_SIGNED,
}


def driver(*signatures: Signature, arch: Architecture = Architecture.X64, altered: bool = False) -> PortableExecutable:
    imports = (("ntoskrnl.exe", ("DbgPrint",)),)
    return PortableExecutable("signed.sys", arch, imports, signatures=signatures, altered=altered)


def data_of(made: PortableExecutable | Catalog, cache: Path) -> bytes:
    return content(File("", made), cache)


def verified(data: bytes, root: str | None, cache: Path, folder: Path, *options: str | Path) -> str:
    """What osslsigncode says of a file under this root; "" where it does not verify."""
    path = folder / "file"
    path.write_bytes(data)
    trusted = () if root is None else ("-CAfile", hierarchy(root, cache).root.certificate)
    said = run("osslsigncode", "verify", *trusted, *options, "-in", path, expect=(0, 1)).decode(errors="replace")
    return said if "Signature verification: ok" in said and "Signature verification: failed" not in said else ""


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
@pytest.mark.parametrize("signer", Signer)
def test_each_signer(signer: Signer, digest: str, machine_cache: Path, tmp_path: Path) -> None:
    data = data_of(driver(Signature(signer, digest)), machine_cache)
    (found,) = read_signatures(data)
    assert (found.kind, found.needs_sha2) == (CLASSES[signer], digest != "sha1")
    root = ROOTS[signer]
    assert (verified(data, root, machine_cache, tmp_path) != "") == (root is not None)
    wrong = CODE_VERIFICATION_ROOT if root != CODE_VERIFICATION_ROOT else MICROSOFT_ROOT
    assert verified(data, wrong, machine_cache, tmp_path) == ""


def test_a_nested_signature(machine_cache: Path, tmp_path: Path) -> None:
    data = data_of(driver(Signature(Signer.WHQL, "sha1"), Signature(Signer.WHQL)), machine_cache)
    assert [(each.kind, each.hash, each.is_first) for each in read_signatures(data)] == [
        (SignatureClass.WHQL, "sha1", True),
        (SignatureClass.WHQL, "sha256", False),
    ]
    said = verified(data, MICROSOFT_ROOT, machine_cache, tmp_path)
    assert said.count("Signature verification: ok") == 2


@pytest.mark.parametrize("arch", Architecture)
def test_an_altered_file(arch: Architecture, machine_cache: Path, tmp_path: Path) -> None:
    signature = Signature(Signer.CROSS_SIGNED)
    good = data_of(driver(signature, arch=arch), machine_cache)
    bad = data_of(driver(signature, arch=arch, altered=True), machine_cache)
    assert sum(one != other for one, other in zip(good, bad, strict=True)) == 1
    assert verified(good, CODE_VERIFICATION_ROOT, machine_cache, tmp_path)
    assert not verified(bad, CODE_VERIFICATION_ROOT, machine_cache, tmp_path)
    assert [each.kind for each in read_signatures(bad)] == [SignatureClass.ALTERED]


def test_a_catalog_lists_a_file_that_is_not_signed(machine_cache: Path, tmp_path: Path) -> None:
    unsigned = driver()
    data = data_of(unsigned, machine_cache)
    made = data_of(Catalog((unsigned,), Signature(Signer.WHQL), "2:6.1,2:10.0"), machine_cache)
    found = read_catalog(made)
    assert authenticode_hash(data, "sha1") in found.hashes
    assert found.covers((6, 1))
    assert found.signature.kind is SignatureClass.WHQL
    listed = tmp_path / "list.cat"
    listed.write_bytes(made)
    assert verified(data, MICROSOFT_ROOT, machine_cache, tmp_path, "-catalog", listed)
    other = data_of(driver(arch=Architecture.X86), machine_cache)
    assert not verified(other, MICROSOFT_ROOT, machine_cache, tmp_path, "-catalog", listed)


def test_the_hash_is_the_one_that_osslsigncode_signs(machine_cache: Path, tmp_path: Path) -> None:
    data = data_of(driver(Signature(Signer.WHQL)), machine_cache)
    said = verified(data, MICROSOFT_ROOT, machine_cache, tmp_path)
    assert authenticode_hash(data, "sha256").hex().upper() in said
