"""Signers of drivers, made by openssl, and what they sign, by osslsigncode: under a root that only tests trust."""

from base64 import b64encode
from pathlib import Path

import pytest
from msgspec import Struct
from tests.machines.tools import run

from bootgraft.windows.signatures import roots
from bootgraft.windows.signatures.roots import Root, RootKind

ROOT_NAME = "Root of the tests"
CODE_SIGNING = "codeSigning"
WHQL = "1.3.6.1.4.1.311.10.3.5"
ATTESTATION = "1.3.6.1.4.1.311.10.3.5.1"
_TIME = 1_700_000_000


class Identity(Struct, frozen=True):
    """A certificate with its key, both PEM files."""

    certificate: Path
    key: Path


class Signers:
    """Certificates in a folder, made when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    @property
    def root(self) -> Identity:
        """The root."""
        return self._issued("root", ROOT_NAME, "basicConstraints=critical,CA:TRUE")

    @property
    def authority(self) -> Identity:
        """What it signed to sign others."""
        return self._issued("authority", "Authority of the tests", "basicConstraints=critical,CA:TRUE", self.root)

    def vendor(self, *uses: str, digest: str = "sha256") -> Identity:
        """A vendor with these key usages, under the authority."""
        extension = f"extendedKeyUsage={','.join(uses or (CODE_SIGNING,))}"
        name = f"vendor-{digest}-{'-'.join(uses)}"
        return self._issued(name, "A Vendor, Inc.", extension, self.authority, digest=digest)

    def alone(self, algorithm: str = "rsa:2048") -> Identity:
        """A vendor who vouches for himself."""
        name = f"alone-{algorithm.replace(':', '-')}"
        return self._issued(name, "Alone Inc.", f"extendedKeyUsage={CODE_SIGNING}", algorithm=algorithm)

    def impostor(self) -> Identity:
        """One whom a vendor signed for, who may not."""
        return self._issued("impostor", "Impostor", f"extendedKeyUsage={CODE_SIGNING}", self.vendor())

    def clock(self) -> Identity:
        """A timestamp authority."""
        return self._issued("clock", "Clock", "extendedKeyUsage=critical,timeStamping", self.authority)

    def sign(
        self,
        data: bytes,
        signer: Identity,
        *options: str | Path,
        digest: str = "sha256",
        name: str = "file.sys",
        chain: bool = True,
    ) -> bytes:
        """The file with a signature by osslsigncode, which judges it too if asked to."""
        source, target = self._folder / f"unsigned-{name}", self._folder / f"signed-{name}"
        source.write_bytes(data)
        target.unlink(missing_ok=True)
        with_chain = ("-ac", self.authority.certificate) if chain else ()
        command = ("sign", "-h", digest, "-certs", signer.certificate, "-key", signer.key, *with_chain, *options)
        run("osslsigncode", *command, "-in", source, "-out", target)
        return target.read_bytes()

    def stamped(self, data: bytes, signer: Identity) -> bytes:
        """The file with a signature and an RFC 3161 timestamp of 2023-11-14."""
        clock = self.clock()
        options = ("-TSA-certs", clock.certificate, "-TSA-key", clock.key, "-TSA-time", str(_TIME))
        return self.sign(data, signer, *options)

    def trust(self, kind: RootKind, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have the root of the tests count as one of Windows' own."""
        public = run("openssl", "x509", "-in", self.root.certificate, "-pubkey", "-noout")
        key = run("openssl", "pkey", "-pubin", "-outform", "DER", stdin=public)
        monkeypatch.setattr(roots, "ROOTS", (*roots.ROOTS, Root(ROOT_NAME, kind, b64encode(key).decode())))

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
