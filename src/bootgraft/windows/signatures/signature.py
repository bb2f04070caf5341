"""Each signature of a driver's file: what it is worth by itself, whatever Windows meets it.

Object identifiers: Microsoft, "Windows Authenticode Portable Executable Signature Format"; key usages of the hardware
programme, "Attestation signing" and "WHQL release signature". A signature of attestation names the usage of WHQL too.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.windows.signatures.authenticode import read_signed_file
from bootgraft.windows.signatures.certificate import algorithm_of, hash_of
from bootgraft.windows.signatures.chain import CertificateChain, build_chain
from bootgraft.windows.signatures.der import OCTET_STRING, DerElement, DerError, parse, parts
from bootgraft.windows.signatures.pkcs7 import SignedData, Signer, read_signed_data
from bootgraft.windows.signatures.roots import RootKind
from bootgraft.windows.signatures.timestamp import read_timestamp

MAX_SIGNATURES = 16
"""Signatures of one file, nested ones too; real files have up to three."""

INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
NESTED = "1.3.6.1.4.1.311.2.4.1"
"""Of an unsigned attribute: one signature in another."""
_WHQL = "1.3.6.1.4.1.311.10.3.5"
_ATTESTATION = "1.3.6.1.4.1.311.10.3.5.1"
_DAMAGE = (DerError, RecursionError)


class SignatureClass(StrEnum):
    """Who vouches for a signature, or why nobody does."""

    MICROSOFT = "Microsoft's own"
    WHQL = "WHQL"
    ATTESTATION = "attestation-signed"
    CROSS_SIGNED = "cross-signed"
    MICROSOFT_STANDARD = "signed under Microsoft's root of 2011"
    SELF_SIGNED = "self-signed"
    UNKNOWN_ROOT = "signed under a root that Windows does not know"
    ALTERED = "altered after it was signed"
    INVALID = "not validly signed"
    UNREADABLE = "signed in a way that cannot be read"


VOUCHED = (
    SignatureClass.MICROSOFT,
    SignatureClass.WHQL,
    SignatureClass.ATTESTATION,
    SignatureClass.CROSS_SIGNED,
    SignatureClass.MICROSOFT_STANDARD,
)
"""Chains that end at a root of Microsoft's."""


class FileSignature(Struct, frozen=True):
    """One signature. ``hash`` is that of the file which it speaks about (``sha1``), ``chain_hashes`` are those by which
    the certificates from the signer's on are signed. ``issued`` and ``expires`` are the signer's certificate's.

    ``detail`` says more about what cannot be read or does not hold, and where a chain ends; for people.
    ``is_first`` is false of those that Windows before 8 does not look at: nested ones, and further table entries.
    """

    kind: SignatureClass
    signer: str = ""
    hash: str = ""
    chain_hashes: tuple[str, ...] = ()
    issued: date | None = None
    expires: date | None = None
    timestamp: datetime | None = None
    is_first: bool = True
    detail: str = ""

    @property
    def needs_sha2(self) -> bool:
        """Whether only a Windows that knows SHA-256 can follow it."""
        return self.hash != "sha1" or any(each != "sha1" for each in self.chain_hashes)


def read_signatures(data: bytes) -> tuple[FileSignature, ...]:
    """Every signature of a driver's file, in the order in which they lie there; none where it carries none.

    A signature that cannot be read is one of the class UNREADABLE: no file of whatever content raises.
    """
    try:
        file = read_signed_file(data)
        return tuple(_all(file.signatures, file.digest))
    except _DAMAGE as error:
        return (_unreadable(error, is_first=True),)


def _all(blobs: tuple[bytes, ...], digest: Callable[[str], bytes]) -> Iterator[FileSignature]:
    pending: list[bytes] = list(blobs)
    count = 0
    while pending and count < MAX_SIGNATURES:
        blob = pending.pop(0)
        try:
            signed = read_signed_data(parse(blob))
            for signer in signed.signers:
                pending += (each.encoded for each in signer.unsigned.get(NESTED, ()))
                count += 1
                yield _classed(signed, signer, digest, is_first=count == 1)
        except _DAMAGE as error:
            count += 1
            yield _unreadable(error, is_first=count == 1)


def _unreadable(error: Exception, *, is_first: bool) -> FileSignature:
    return FileSignature(SignatureClass.UNREADABLE, is_first=is_first, detail=str(error))


def _classed(signed: SignedData, signer: Signer, digest: Callable[[str], bytes], *, is_first: bool) -> FileSignature:
    algorithm, stated = read_digest(signed.content) if signed.kind == INDIRECT_DATA else ("", b"")
    if not algorithm:
        return FileSignature(SignatureClass.INVALID, is_first=is_first, detail="it signs something else than a file")
    if stated != digest(algorithm):
        what = f"its {algorithm.upper()} hash is not the one that was signed"
        return FileSignature(SignatureClass.ALTERED, hash=algorithm, is_first=is_first, detail=what)
    return replace(judge_signer(signed, signer, is_first=is_first), hash=algorithm)


def judge_signer(signed: SignedData, signer: Signer, *, is_first: bool = True) -> FileSignature:
    """What a signature of whatever content is worth. Raises DerError where it cannot be followed."""
    leaf = signer.certificate(signed.certificates)
    if leaf is None:
        return FileSignature(SignatureClass.INVALID, is_first=is_first, detail="the signer's certificate is not in it")
    fault = signer.fault(signed.content.content, leaf)
    if fault is not None:
        return FileSignature(SignatureClass.INVALID, leaf.name, signer.hash, is_first=is_first, detail=fault)
    chain = build_chain(leaf, signed.certificates)
    return FileSignature(
        _kind(chain),
        leaf.name,
        signer.hash,
        tuple(each.hash for each in chain.certificates),
        leaf.valid_from.date(),
        leaf.valid_until.date(),
        read_timestamp(signer, signed.certificates),
        is_first,
        f"its chain ends at {chain.end}",
    )


def read_digest(content: DerElement) -> tuple[str, bytes]:
    """The hash in an SpcIndirectDataContent: by which algorithm, and what it is."""
    digest = parts(content, "what is signed", at_least=2)[1]
    algorithm, value = parts(digest, "a digest", at_least=2)[:2]
    return hash_of(algorithm_of(algorithm)), value.require(OCTET_STRING, "a digest").content


def _kind(chain: CertificateChain) -> SignatureClass:
    if chain.root is None:
        return SignatureClass.SELF_SIGNED if chain.is_self_signed else SignatureClass.UNKNOWN_ROOT
    match chain.root.kind:
        case RootKind.CROSS:
            return SignatureClass.CROSS_SIGNED
        case RootKind.STANDARD:
            return SignatureClass.MICROSOFT_STANDARD
        case RootKind.MICROSOFT:
            if _ATTESTATION in chain.leaf.uses:
                return SignatureClass.ATTESTATION
            return SignatureClass.WHQL if _WHQL in chain.leaf.uses else SignatureClass.MICROSOFT
