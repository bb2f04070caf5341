"""Signed catalogs: the hashes of files that one signature vouches for, and the Windows that they are meant for.

A catalog is a certificate trust list in a PKCS#7 signature (Microsoft, [MS-CAESO] and "Catalog Files"): each member
goes by its file's hash, in catalogs of the second version as it is, in older ones as hexadecimal digits in UTF-16. A
driver's member and the catalog itself may have the attribute ``OSAttr``: ``2:6.1,2:10.0``.
"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.windows.signatures.der import OCTET_STRING, SEQUENCE, SET, DerElement, DerError, parse, parts
from bootgraft.windows.signatures.pkcs7 import SignedData, read_signed_data
from bootgraft.windows.signatures.signature import FileSignature, SignatureClass, judge_signer

MAX_CATALOG = 32 * 2**20
"""Bytes; those of Windows' own cumulative updates have up to ten million."""

_TRUST_LIST = "1.3.6.1.4.1.311.10.1"
_NAME_AND_VALUE = "1.3.6.1.4.1.311.12.2.1"
_OS_ATTRIBUTE = "osattr"
_WINDOWS_NT = "2"
_PLAIN = (20, 32)  # bytes of a SHA-1 and a SHA-256


class Catalog(Struct, frozen=True):
    """A catalog; ``systems`` are the Windows NT versions of its OSAttr attributes, a minor number None for any."""

    hashes: frozenset[bytes]
    systems: frozenset[tuple[int, int | None]]
    signature: FileSignature

    def covers(self, version: tuple[int, int]) -> bool:
        """Whether it names this NT version."""
        return version in self.systems or (version[0], None) in self.systems


def read_catalog(data: bytes) -> Catalog:
    """Read a catalog and verify its signature. Raises DerError where it is none, or damaged."""
    if len(data) > MAX_CATALOG:
        raise DerError(f"it has more than {MAX_CATALOG >> 20} MiB, more than any catalog")
    signed = read_signed_data(parse(data))
    if signed.kind != _TRUST_LIST or not signed.signers:
        raise DerError("it is no signed catalog")
    hashes: set[bytes] = set()
    systems: set[tuple[int, int | None]] = set()
    for member, attributes in _members(signed.content):
        hashes.add(member)
        systems.update(_systems(attributes))
    return Catalog(frozenset(hashes), frozenset(systems), _signature(signed))


def may_list(data: bytes, digest: bytes) -> bool:
    """Whether a catalog's bytes hold a hash at all, in either form: a quick look before it is read."""
    return digest in data or digest.hex().upper().encode("utf-16-le") in data


def _signature(signed: SignedData) -> FileSignature:
    try:
        return judge_signer(signed, signed.signers[0])
    except DerError as error:
        return FileSignature(SignatureClass.UNREADABLE, detail=str(error))


def _members(content: DerElement) -> Iterator[tuple[bytes, DerElement]]:
    """The hash and the attributes of each member."""
    lists = [each for each in parts(content, "a catalog", at_least=4)[3:] if each.tag == SEQUENCE]
    for member in lists[-1].children() if len(lists) > 1 else ():  # the first names the kind of hash
        tag, attributes = parts(member, "a catalog's member", at_least=2)[:2]
        yield _hash(tag.require(OCTET_STRING, "a catalog's hash").content), attributes.require(SET, "attributes")


def _hash(tag: bytes) -> bytes:
    """A member's hash, whether it is written as it is or as digits."""
    if len(tag) in _PLAIN:
        return tag
    try:
        return bytes.fromhex(tag.decode("utf-16-le").rstrip("\0"))
    except ValueError:
        return tag


def _systems(attributes: DerElement) -> Iterator[tuple[int, int | None]]:
    for attribute in attributes.children():
        kind, values = parts(attribute, "an attribute", at_least=2)[:2]
        if kind.oid() == _NAME_AND_VALUE:
            for each in parts(values, "an attribute's values", tag=SET, at_least=0):
                name, _, value = parts(each, "an attribute's value", at_least=3)[:3]
                if (name.text() or "").casefold() == _OS_ATTRIBUTE:
                    yield from _versions(value.content.decode("utf-16-le", "replace").rstrip("\0"))


def _versions(text: str) -> Iterator[tuple[int, int | None]]:
    """``2:5.1,2:6.X``: platform and version; what else stands in one is not looked at."""
    for each in text.split(","):
        platform, _, version = each.strip().partition(":")
        major, _, minor = version.partition(":")[0].partition(".")
        if platform == _WINDOWS_NT and major.isascii() and major.isdecimal() and len(major) < 4:
            number = int(minor) if minor.isascii() and minor.isdecimal() and len(minor) < 4 else None
            yield int(major), number
