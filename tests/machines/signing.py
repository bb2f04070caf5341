r"""Signatures of drivers: certificates by openssl, signatures by osslsigncode, under roots that only tests trust.

A ``Hierarchy`` is a root with all that stands below it. The roots of the tests stand for Microsoft's own root and for
its Code Verification Root; who wants them to count tells the code under test so (``tests/trust.py``).
"""

import hashlib
import json
import struct
import tempfile
from functools import cache, partial
from pathlib import Path

from msgspec import Struct

from tests.machines.cache import FOUNDATION, cached
from tests.machines.spec import Signature, Signer
from tests.machines.tools import run

CODE_SIGNING = "codeSigning"
WHQL = "1.3.6.1.4.1.311.10.3.5"
ATTESTATION = "1.3.6.1.4.1.311.10.3.5.1"
WINDOWS_COMPONENT = "1.3.6.1.4.1.311.10.3.6"
MICROSOFT_ROOT, CODE_VERIFICATION_ROOT, OTHER_ROOT = (
    f"Root of the tests for {what}" for what in ("Microsoft", "code verification", "nobody")
)
_TIME = 1_700_000_000


class Identity(Struct, frozen=True):
    """A certificate with its key, both PEM files."""

    certificate: Path
    key: Path


class Hierarchy:
    """Certificates in a folder, made when they are first asked for."""

    def __init__(self, folder: Path, root_name: str) -> None:
        self._folder = folder
        self.root_name = root_name
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def root(self) -> Identity:
        """The root."""
        return self._issued("root", self.root_name, "basicConstraints=critical,CA:TRUE")

    @property
    def root_key(self) -> bytes:
        """The root's SubjectPublicKeyInfo."""
        public = run("openssl", "x509", "-in", self.root.certificate, "-pubkey", "-noout")
        return run("openssl", "pkey", "-pubin", "-outform", "DER", stdin=public)

    def authority(self, digest: str = "sha256") -> Identity:
        """What the root signed, by this hash, to sign others."""
        name, extension = f"authority-{digest}", "basicConstraints=critical,CA:TRUE"
        return self._issued(name, "Authority of the tests", extension, self.root, digest=digest)

    def vendor(
        self, *uses: str, digest: str = "sha256", chain_digest: str = "sha256", subject: str = "A Vendor, Inc."
    ) -> Identity:
        """A vendor with these key usages, his certificate signed by ``digest`` and the authority's by the other."""
        extension = f"extendedKeyUsage={','.join(uses or (CODE_SIGNING,))}"
        name = f"vendor-{digest}-{chain_digest}-{'-'.join(uses)}"
        return self._issued(name, subject, extension, self.authority(chain_digest), digest=digest)

    def alone(self, algorithm: str = "rsa:2048", digest: str = "sha256") -> Identity:
        """A vendor who vouches for himself."""
        name = f"alone-{algorithm.replace(':', '-')}-{digest}"
        extension = f"extendedKeyUsage={CODE_SIGNING}"
        return self._issued(name, "Alone Inc.", extension, algorithm=algorithm, digest=digest)

    def impostor(self) -> Identity:
        """One whom a vendor signed for, who may not."""
        return self._issued("impostor", "Impostor", f"extendedKeyUsage={CODE_SIGNING}", self.vendor())

    def clock(self) -> Identity:
        """A timestamp authority."""
        return self._issued("clock", "Clock", "extendedKeyUsage=critical,timeStamping", self.authority())

    def sign(
        self,
        data: bytes,
        signer: Identity,
        *options: str | Path,
        digest: str = "sha256",
        chain: bool = True,
        chain_digest: str = "sha256",
    ) -> bytes:
        """The file with a signature by osslsigncode, which judges it too if asked to.

        ``digest`` is the hash of the file, ``chain_digest`` that of the authority's certificate which goes with it.
        """
        with tempfile.TemporaryDirectory() as folder:
            kind = "cat" if data[:2] != b"MZ" else "sys"
            source, target = Path(folder, f"unsigned.{kind}"), Path(folder, f"signed.{kind}")
            source.write_bytes(data)
            with_chain = ("-ac", self.authority(chain_digest).certificate) if chain else ()
            command = ("sign", "-h", digest, "-certs", signer.certificate, "-key", signer.key, *with_chain, *options)
            run("osslsigncode", *command, "-in", source, "-out", target)
            return target.read_bytes()

    def stamped(self, data: bytes, signer: Identity) -> bytes:
        """The file with a signature and an RFC 3161 timestamp of 2023-11-14."""
        clock = self.clock()
        options = ("-TSA-certs", clock.certificate, "-TSA-key", clock.key, "-TSA-time", str(_TIME))
        return self.sign(data, signer, *options)

    def _issued(
        self,
        file: str,
        subject: str,
        extension: str,
        issuer: Identity | None = None,
        *,
        digest: str = "sha256",
        algorithm: str = "rsa:2048",
    ) -> Identity:
        identity = Identity(self._folder / f"{file}.pem", self._folder / f"{file}.key")
        if identity.certificate.exists():
            return identity
        curve = ("-pkeyopt", "ec_paramgen_curve:prime256v1") if algorithm == "ec" else ()
        key = ("-newkey", algorithm, *curve, "-noenc", "-keyout", identity.key, f"-{digest}")
        by = () if issuer is None else ("-CA", issuer.certificate, "-CAkey", issuer.key)
        words = ("-subj", f"/CN={subject}", "-addext", extension, "-days", "3650", "-out", identity.certificate)
        run("openssl", "req", "-x509", *key, *by, *words)
        return identity


class _Kind(Struct, frozen=True):
    """Under which root a signer of fixtures stands, and what its certificate says."""

    root: str
    uses: tuple[str, ...]
    subject: str


_KINDS = {
    Signer.MICROSOFT: _Kind(MICROSOFT_ROOT, (CODE_SIGNING, WINDOWS_COMPONENT), "Microsoft Windows of the tests"),
    Signer.WHQL: _Kind(MICROSOFT_ROOT, (CODE_SIGNING, WHQL), "Hardware programme of the tests"),
    Signer.ATTESTATION: _Kind(MICROSOFT_ROOT, (CODE_SIGNING, WHQL, ATTESTATION), "Attestation of the tests"),
    Signer.CROSS_SIGNED: _Kind(CODE_VERIFICATION_ROOT, (CODE_SIGNING,), "A Vendor, Inc."),
    Signer.UNKNOWN_ROOT: _Kind(OTHER_ROOT, (CODE_SIGNING,), "A Stranger, Inc."),
}


def hierarchy(root_name: str, folder: Path) -> Hierarchy:
    """The hierarchy that fixtures are signed under, with the certificates kept in the cache ``folder``."""
    return _unpacked(cached(folder, FOUNDATION, root_name, partial(_make_hierarchy, root_name)), root_name)


def signed(data: bytes, signatures: tuple[Signature, ...], folder: Path) -> bytes:
    """The file with these signatures, the second and later ones nested in the first."""
    for place, each in enumerate(signatures):
        nested = ("-nest",) if place else ()
        group = hierarchy(_root_of(each.signer), folder)
        kind = _KINDS.get(each.signer)
        signer = group.alone(digest=each.digest) if kind is None else _vendor(group, kind, each.digest)
        options = {"digest": each.digest, "chain_digest": each.digest}
        data = group.sign(data, signer, *nested, chain=kind is not None, **options)
    return data


def altered(data: bytes) -> bytes:
    """A signed file with one byte of its code changed."""
    at = _certificate_table(data)[0] - 1
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def authenticode_hash(data: bytes, algorithm: str) -> bytes:
    """The hash of a PE file that a signature or a catalog speaks about: without checksum and certificates.

    Microsoft, "Windows Authenticode Portable Executable Signature Format", "Calculating the PE Image Hash".
    """
    (start,) = struct.unpack_from("<I", data, 0x3C)
    checksum, entry = start + 24 + 64, _entry(data)
    table, size = _certificate_table(data)
    end = table or len(data)
    body = data[:checksum] + data[checksum + 4 : entry] + data[entry + 8 : end] + data[end + size :]
    return hashlib.new(algorithm, body + bytes(-len(data) % 8)).digest()


def _entry(data: bytes) -> int:
    """Where the data directory's entry of the certificate table lies."""
    (start,) = struct.unpack_from("<I", data, 0x3C)
    (magic,) = struct.unpack_from("<H", data, start + 24)
    return int(start) + 24 + (112 if magic == 0x20B else 96) + 4 * 8


def _certificate_table(data: bytes) -> tuple[int, int]:
    offset, size = struct.unpack_from("<II", data, _entry(data))
    return offset, size


def _root_of(signer: Signer) -> str:
    return OTHER_ROOT if signer is Signer.SELF_SIGNED else _KINDS[signer].root


def _vendor(group: Hierarchy, kind: _Kind, digest: str) -> Identity:
    return group.vendor(*kind.uses, digest=digest, chain_digest=digest, subject=kind.subject)


def _make_hierarchy(root_name: str, path: Path) -> None:
    """Make the certificates of all who sign fixtures below this root, as one file: several processes share it."""
    with tempfile.TemporaryDirectory() as folder:
        made = Hierarchy(Path(folder), root_name)
        for digest in ("sha1", "sha256"):
            for kind in _KINDS.values():
                if kind.root == root_name:
                    _vendor(made, kind, digest)
            if root_name == OTHER_ROOT:
                made.alone(digest=digest)
        path.write_text(json.dumps({each.name: each.read_text() for each in Path(folder).iterdir()}))


@cache
def _unpacked(bundle: Path, root_name: str) -> Hierarchy:
    folder = tempfile.TemporaryDirectory(prefix="hierarchy-")
    for name, text in json.loads(bundle.read_text()).items():
        Path(folder.name, name).write_text(text)
    return _Kept(folder, root_name)


class _Kept(Hierarchy):
    """One whose folder goes with it, at the end of the process."""

    def __init__(self, folder: "tempfile.TemporaryDirectory[str]", root_name: str) -> None:
        super().__init__(Path(folder.name), root_name)
        self._kept = folder
