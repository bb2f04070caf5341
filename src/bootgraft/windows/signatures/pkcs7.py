"""PKCS#7 SignedData (RFC 2315; CMS, RFC 5652): who signed what, and whether that holds.

Authenticode hashes the content without its tag and length, as CMS does the octets of its own.
"""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from bootgraft.windows.signatures.certificate import (
    RSA,
    Certificate,
    UnsupportedError,
    algorithm_of,
    digest_of,
    hash_of,
    read_certificate,
)
from bootgraft.windows.signatures.der import INTEGER, SEQUENCE, SET, DerElement, DerError, context, parse, parts

MAX_CERTIFICATES = 64
"""Certificates in one signature; real ones have up to eight."""
MAX_SIGNERS = 16

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"


class Signer(Struct, frozen=True):
    """One signer: who, by issuer and serial number, and the signature. ``signed_part`` is None for the content itself.

    The attributes are the values of each by its OID; those under ``unsigned`` are not covered by the signature.
    """

    issuer: bytes
    serial: int
    hash: str
    algorithm: str
    signed_part: bytes | None
    signed: dict[str, tuple[DerElement, ...]]
    signature: bytes
    unsigned: dict[str, tuple[DerElement, ...]]

    def certificate(self, certificates: tuple[Certificate, ...]) -> Certificate | None:
        """The signer's certificate among these."""
        matching = (each for each in certificates if each.issuer == self.issuer and each.serial == self.serial)
        return next(matching, None)

    @property
    def signing_time(self) -> datetime | None:
        """When it was signed, as the signer says."""
        found = self.signed.get(_SIGNING_TIME, ())
        return found[0].time() if found else None

    def fault(self, content: bytes, certificate: Certificate, *, or_bare: bool = False) -> str | None:
        """What is wrong with the signature of this content, for people; None where it holds.

        Raises UnsupportedError where it is made by an algorithm that is not verified here.
        """
        if certificate.key is None or self.algorithm not in (RSA, *_with_hash(self)):
            raise UnsupportedError(f"{certificate.name} signed it by the algorithm {self.algorithm}")
        digest = digest_of(content, self.hash)
        if self.signed_part is not None:
            stated = self.signed.get(_MESSAGE_DIGEST, ())
            if not stated or stated[0].content != digest:
                return "its content is not what was signed"
            digest = digest_of(self.signed_part, self.hash)
        if not certificate.key.signed(digest, self.hash, self.signature, or_bare=or_bare):
            return f"it was not made with the key of {certificate.name}"
        return None


class SignedData(Struct, frozen=True):
    """What was signed (its kind, as an OID, and the element), and by whom; ``certificates`` came along with it."""

    kind: str
    content: DerElement
    certificates: tuple[Certificate, ...]
    signers: tuple[Signer, ...]


def read_signed_data(element: DerElement) -> SignedData:
    """Read a ContentInfo with SignedData in it. Raises DerError where it is none."""
    kind, body = parts(element, "a signature", at_least=2)[:2]
    if kind.oid() != _SIGNED_DATA:
        raise DerError("it is no PKCS#7 SignedData")
    fields = parts(parts(body, "a signature's content", tag=context(0))[0], "signed data", at_least=4)
    inner = parts(fields[2], "what is signed", at_least=2)
    content = parts(inner[1], "what is signed", tag=context(0))[0]
    certificates = tuple(each for field in fields[3:] if field.tag == context(0) for each in _certificates(field))
    signers = fields[-1].require(SET, "the signers")
    return SignedData(inner[0].oid(), content, certificates, tuple(_signers(signers)))


def read_signer(element: DerElement) -> Signer:
    """Read a SignerInfo. Raises DerError where it is none."""
    fields = parts(element, "a signer", at_least=5)
    identity, hashed = fields[1], algorithm_of(fields[2])
    issuer, serial = parts(identity, "a signer's name", at_least=2)[:2]
    rest = fields[3:]
    signed: dict[str, tuple[DerElement, ...]] = {}
    signed_part = None
    if rest[0].tag == context(0):
        signed_part = bytes([SET]) + rest[0].encoded[1:]  # what is signed is the set itself: RFC 5652, section 5.4
        signed, rest = _attributes(rest[0]), rest[1:]
    if len(rest) < 2:
        raise DerError("a signer has no signature")
    unsigned = _attributes(rest[2]) if len(rest) > 2 and rest[2].tag == context(1) else {}
    return Signer(
        issuer.require(SEQUENCE, "an issuer").encoded,
        serial.require(INTEGER, "a serial number").integer(),
        hash_of(hashed),
        algorithm_of(rest[0]),
        signed_part,
        signed,
        rest[1].content,
        unsigned,
    )


def _signers(element: DerElement) -> Iterator[Signer]:
    for count, each in enumerate(element.children()):
        if count == MAX_SIGNERS:
            raise DerError(f"it has more than {MAX_SIGNERS} signers")
        yield read_signer(each)


def _certificates(field: DerElement) -> Iterator[Certificate]:
    for count, each in enumerate(field.children()):
        if count == MAX_CERTIFICATES:
            raise DerError(f"it carries more than {MAX_CERTIFICATES} certificates")
        if each.tag == SEQUENCE:  # others are kinds of the past
            yield read_certificate(each)


def _attributes(element: DerElement) -> dict[str, tuple[DerElement, ...]]:
    found: dict[str, tuple[DerElement, ...]] = {}
    for attribute in element.children():
        kind, values = parts(attribute, "an attribute", at_least=2)[:2]
        found[kind.oid()] = (*found.get(kind.oid(), ()), *parts(values, "an attribute's values", tag=SET, at_least=0))
    return found


def _with_hash(signer: Signer) -> tuple[str, ...]:
    """The signer's algorithm, if it is RSA with the hash that the signer names."""
    try:
        return (signer.algorithm,) if hash_of(signer.algorithm) == signer.hash else ()
    except UnsupportedError:
        return ()


def parse_signed_data(data: bytes) -> SignedData:
    """Read the SignedData that the bytes begin with. Raises DerError where they hold none."""
    return read_signed_data(parse(data))
