"""Content compressed as Windows' WOF driver does it, by wimlib's compressors."""

import re
import struct
from functools import cache
from pathlib import Path
from typing import Any

import cffi
from tests.filesystems.ntfs.images import Job, attribute, file
from tests.machines.tools import run

from bootgraft.filesystems.ntfs import wof

_TYPES = {"XPRESS4K": (0, 1, 4096), "LZX": (1, 2, 32768), "XPRESS8K": (2, 1, 8192), "XPRESS16K": (3, 1, 16384)}
"""WOF's number of the algorithm, wimlib's, and the bytes of content in one chunk."""


def reparse_point(number: int, *, provider: int = 2) -> bytes:
    """The reparse point of a file so compressed (MS-FSCC 2.1.2.1; WOF_EXTERNAL_INFO, FILE_PROVIDER_EXTERNAL_INFO)."""
    return struct.pack("<IHHIIII", 0x80000017, 16, 0, 1, provider, 1, number)


def stream(content: bytes, kind: str) -> bytes:
    """The stream WofCompressedData."""
    _, wimlib_type, size = _TYPES[kind]
    chunks = [_compress(content[at : at + size], wimlib_type, size) for at in range(0, len(content), size)]
    ends = [sum(map(len, chunks[:count])) for count in range(1, len(chunks))]
    return struct.pack(f"<{len(ends)}I", *ends) + b"".join(chunks)


def captured(content: bytes, kind: str, folder: Path) -> bytes:
    """The same made by wimcapture: a resource in a WIM file is laid out as the stream is."""
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "file").write_bytes(content)
    size = _TYPES[kind][2]
    options = (f"--compress={kind[:6].rstrip('4').lower()}", f"--chunk-size={size}", "--no-acls")
    run("wimcapture", folder / "in", folder / "made.wim", *options)
    (found,) = (
        each
        for each in run("wiminfo", "--blobs", folder / "made.wim").decode().split("\n\n")
        if "FLAG_COMPRESSED" in each and "FLAG_METADATA" not in each
    )
    start, length = (re.search(rf"{name} += (\d+) bytes", found) for name in ("Offset in WIM", "Compressed size"))
    assert start is not None
    assert length is not None
    return (folder / "made.wim").read_bytes()[int(start[1]) : int(start[1]) + int(length[1])]


def compressed(path: str, content: bytes, kind: str, packed: bytes | None = None) -> tuple[Job, ...]:
    """What makes such a file on a volume mounted with ``streams_interface=windows``; ``packed`` is its stream."""
    return (
        file(path, b""),
        ("hole", path, str(len(content))),
        file(f"{path}:{wof.STREAM}", packed or stream(content, kind)),
        attribute(path, "system.ntfs_reparse_data", reparse_point(_TYPES[kind][0])),
    )


def lzx(chunk: bytes) -> bytes:
    """One chunk of at most 32 KiB, compressed as in WIM files and WOF streams; as it is where it does not shrink."""
    return _compress(chunk, *_TYPES["LZX"][1:])


def _compress(chunk: bytes, kind: int, size: int) -> bytes:
    ffi, lib, compressor = _compressor(kind, size)
    buffer = ffi.new("char[]", len(chunk))
    done = lib.wimlib_compress(chunk, len(chunk), buffer, len(chunk) - 1, compressor)
    return bytes(ffi.buffer(buffer, done)) if done else chunk


@cache
def _compressor(kind: int, size: int) -> tuple[Any, Any, Any]:
    ffi = cffi.FFI()
    ffi.cdef(
        "struct c; int wimlib_create_compressor(int, size_t, unsigned int, struct c **);"
        "size_t wimlib_compress(const void *, size_t, void *, size_t, struct c *);"
    )
    lib: Any = ffi.dlopen(wof.LIBWIM.soname)
    made = ffi.new("struct c **")
    assert lib.wimlib_create_compressor(kind, size, 0, made) == 0
    return ffi, lib, made[0]
