"""The signatures in a PE file, and the hash of the file that they speak about.

Microsoft, "Windows Authenticode Portable Executable Signature Format" and "PE Format" (the attribute certificate
table): all of the file but its checksum, the entry of the certificate table, and that table.
"""

import hashlib
import struct
from collections.abc import Iterator

from msgspec import Struct

from bootgraft.windows.signatures.der import DerError

MAX_SIGNATURE = 4 * 2**20
MAX_ENTRIES = 16
"""Entries of one certificate table; real ones have one."""

_PE32_PLUS = 0x20B
_CHECKSUM = 64  # in the optional header
_SECURITY_DIRECTORY = 4
_ENTRY = struct.Struct("<IHH")  # WIN_CERTIFICATE: length with this header, revision, type
_PKCS_SIGNED_DATA = 2
_ALIGNMENT = 8


class SignedFile(Struct, frozen=True):
    """A PE file as Authenticode sees it: ``signatures`` are the PKCS#7 blobs of its certificate table, in order."""

    data: bytes
    checksum: int  # offsets: of the checksum, of the directory's entry, of the table
    entry: int
    table: int
    signatures: tuple[bytes, ...]

    def digest(self, algorithm: str) -> bytes:
        """The file's Authenticode hash by ``sha1``, ``sha256`` …; without a table it is padded as signing would."""
        digest = hashlib.new(algorithm, usedforsecurity=False)
        view = memoryview(self.data)
        digest.update(view[: self.checksum])
        digest.update(view[self.checksum + 4 : self.entry])
        digest.update(view[self.entry + 8 : self.table])
        digest.update(view[self.table + self._table_size :])
        digest.update(b"\0" * (-(len(self.data) - self._table_size) % _ALIGNMENT if not self._table_size else 0))
        return digest.digest()

    @property
    def _table_size(self) -> int:
        (size,) = struct.unpack_from("<I", self.data, self.entry + 4)
        return min(int(size), len(self.data) - self.table)


def read_signed_file(data: bytes) -> SignedFile:
    """Find the signatures of a PE file. Raises DerError where its headers or its certificate table make no sense."""
    try:
        (offset,) = struct.unpack_from("<I", data, 0x3C)
        start = offset + 24  # behind the PE signature and the file header
        (magic,) = struct.unpack_from("<H", data, start)
        entry = start + (112 if magic == _PE32_PLUS else 96) + _SECURITY_DIRECTORY * 8
        place, size = struct.unpack_from("<II", data, entry)
    except struct.error as error:
        raise DerError("its headers are cut short") from error
    if not place or not size:
        place, size = len(data), 0
    if place < entry + 8 or place + size > len(data):
        raise DerError("its certificate table lies outside the file")
    return SignedFile(data, start + _CHECKSUM, entry, place, tuple(_entries(data, place, place + size)))


def _entries(data: bytes, offset: int, end: int) -> Iterator[bytes]:
    count = 0
    while offset + _ENTRY.size <= end:
        length, _, kind = _ENTRY.unpack_from(data, offset)
        if length < _ENTRY.size or offset + length > end:
            raise DerError("its certificate table is damaged")
        count += 1
        if count > MAX_ENTRIES or length > MAX_SIGNATURE:
            raise DerError("its certificate table is larger than any real one")
        if kind == _PKCS_SIGNED_DATA:
            yield data[offset + _ENTRY.size : offset + length]
        offset += (length + _ALIGNMENT - 1) // _ALIGNMENT * _ALIGNMENT
