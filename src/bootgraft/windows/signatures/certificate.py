"""X.509 certificates: what a chain is followed by, and RSA signatures, verified with the standard library's ``pow``.

RFC 5280 for certificates, RFC 8017 section 8.2.2 for RSASSA-PKCS1-v1_5.
"""

import hashlib
from datetime import datetime

from msgspec import Struct

from bootgraft.windows.signatures.der import (
    BOOLEAN,
    OCTET_STRING,
    SEQUENCE,
    DerElement,
    DerError,
    context,
    parse,
    parts,
)

CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
RSA = "1.2.840.113549.1.1.1"
_HASHES = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_RSA_WITH = {
    "1.2.840.113549.1.1.4": "md5",
    "1.2.840.113549.1.1.5": "sha1",
    "1.3.14.3.2.29": "sha1",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_DIGEST_INFO = {
    "md5": "3020300c06082a864886f70d020505000410",
    "sha1": "3021300906052b0e03021a05000414",
    "sha256": "3031300d060960864801650304020105000420",
    "sha384": "3041300d060960864801650304020205000430",
    "sha512": "3051300d060960864801650304020305000440",
}
"""What stands before a digest in a signature: RFC 8017, section 9.2, note 1."""
_MAX_BITS = 16384
_MAX_EXPONENT = 2**33
_COMMON_NAME, _ORGANIZATION, _UNIT = "2.5.4.3", "2.5.4.10", "2.5.4.11"
_BASIC_CONSTRAINTS, _EXTENDED_KEY_USAGE = "2.5.29.19", "2.5.29.37"


class UnsupportedError(DerError):
    """A signature is made by an algorithm that is not verified here."""


class PublicKey(Struct, frozen=True):
    """An RSA key."""

    modulus: int
    exponent: int

    def signed(self, digest: bytes, algorithm: str, signature: bytes, *, or_bare: bool = False) -> bool:
        """Whether the signature is one of this digest. ``or_bare`` takes one without the DigestInfo around it too."""
        size = (self.modulus.bit_length() + 7) // 8
        value = int.from_bytes(signature, "big")
        if len(signature) != size or value >= self.modulus:
            return False
        message = pow(value, self.exponent, self.modulus).to_bytes(size, "big")
        padded = bytes.fromhex(_DIGEST_INFO[algorithm]) + digest
        return message == _pad(padded, size) or (or_bare and message == _pad(digest, size))


class Certificate(Struct, frozen=True):
    """One certificate. ``key`` is None where it is not RSA, ``algorithm`` what it is itself signed by (an OID)."""

    subject: bytes  # names as encoded: equal names are equal bytes
    issuer: bytes
    serial: int
    valid_from: datetime
    valid_until: datetime
    key: PublicKey | None
    uses: tuple[str, ...]  # extended key usages
    is_authority: bool
    signed_part: bytes
    algorithm: str
    signature: bytes
    encoded: bytes

    @property
    def name(self) -> str:
        """Its subject, for people."""
        return read_name(self.subject)

    @property
    def hash(self) -> str:
        """What its issuer hashed it by: ``sha256``; empty where that is not known."""
        return _RSA_WITH.get(self.algorithm, "")

    def issued_by(self, key: PublicKey) -> bool:
        """Whether this key signed it.

        Raises UnsupportedError where it is signed by another algorithm than RSA's first.
        """
        if not self.hash:
            raise UnsupportedError(f"the certificate of {self.name} is signed by the algorithm {self.algorithm}")
        return key.signed(digest_of(self.signed_part, self.hash), self.hash, self.signature)


def read_certificate(element: DerElement) -> Certificate:
    """Read a certificate. Raises DerError where it is none."""
    body, algorithm, signature = parts(element, "a certificate", at_least=3)[:3]
    fields = parts(body, "a certificate's body", at_least=6)
    if fields[0].tag == context(0):  # the version
        fields = fields[1:]
    if len(fields) < 6:
        raise DerError("a certificate lacks fields")
    serial, _, issuer, validity, subject, key = fields[:6]
    begin, end = parts(validity, "a validity", at_least=2)[:2]
    extensions = _extensions(fields[6:])
    return Certificate(
        subject=subject.encoded,
        issuer=issuer.encoded,
        serial=serial.integer(),
        valid_from=begin.time(),
        valid_until=end.time(),
        key=_key(key),
        uses=tuple(each.oid() for each in parse_uses(extensions.get(_EXTENDED_KEY_USAGE))),
        is_authority=_is_authority(extensions.get(_BASIC_CONSTRAINTS)),
        signed_part=body.encoded,
        algorithm=algorithm_of(algorithm),
        signature=signature.bits(),
        encoded=element.encoded,
    )


def read_key(encoded: bytes) -> PublicKey:
    """Read a SubjectPublicKeyInfo of an RSA key. Raises DerError for anything else."""
    key = _key(parse(encoded))
    if key is None:
        raise UnsupportedError("the key is no RSA key")
    return key


def algorithm_of(element: DerElement) -> str:
    """The OID of an AlgorithmIdentifier."""
    return parts(element, "an algorithm")[0].oid()


def hash_of(oid: str) -> str:
    """``sha256`` for a hash's OID, or that of RSA with it. Raises UnsupportedError for others."""
    name = _HASHES.get(oid) or _RSA_WITH.get(oid)
    if name is None:
        raise UnsupportedError(f"it is hashed by the algorithm {oid}")
    return name


def digest_of(data: bytes, algorithm: str) -> bytes:
    """The digest of the data by ``md5``, ``sha1``, ``sha256`` …; it proves nothing by itself, so weak ones will do."""
    return hashlib.new(algorithm, data, usedforsecurity=False).digest()


def read_name(encoded: bytes) -> str:
    """The common name in an encoded name, or else its organizational unit or organization; for people."""
    found: dict[str, str] = {}
    for relative in parts(parse(encoded), "a name", at_least=0):
        for pair in relative.children():
            kind, value = parts(pair, "a part of a name", at_least=2)[:2]
            found[kind.oid()] = value.text() or ""
    return next((found[kind] for kind in (_COMMON_NAME, _UNIT, _ORGANIZATION) if found.get(kind)), "(no name)")


def parse_uses(extension: bytes | None) -> list[DerElement]:
    """The key usages of an extension that may be absent."""
    return [] if extension is None else parts(parse(extension), "the key usages")


def _key(element: DerElement) -> PublicKey | None:
    algorithm, bits = parts(element, "a public key", at_least=2)[:2]
    if algorithm_of(algorithm) != RSA:
        return None
    modulus, exponent = (each.integer() for each in parts(parse(bits.bits()), "an RSA key", at_least=2)[:2])
    if not 0 < modulus < 1 << _MAX_BITS or not 0 < exponent < _MAX_EXPONENT:
        raise DerError("an RSA key has no sensible numbers")
    return PublicKey(modulus, exponent)


def _extensions(fields: list[DerElement]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for field in fields:
        if field.tag != context(3):
            continue
        for extension in parts(parts(field, "extensions", tag=context(3))[0], "extensions", at_least=0):
            kind, *_, value = parts(extension, "an extension", at_least=2)
            found[kind.oid()] = value.require(OCTET_STRING, "an extension's value").content
    return found


def _is_authority(extension: bytes | None) -> bool:
    if extension is None:
        return False
    found = parts(parse(extension), "basic constraints", tag=SEQUENCE, at_least=0)
    return bool(found) and found[0].tag == BOOLEAN and found[0].content not in (b"", b"\0")


def _pad(data: bytes, size: int) -> bytes:
    return b"\0\1" + b"\xff" * (size - len(data) - 3) + b"\0" + data
