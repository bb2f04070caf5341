"""Registry hives: an empty one from the format's public description, filled by hivexregedit.

hivex cannot make a hive from nothing, so the base block, one hive bin, the root key and its security descriptor are
written here; everything else is merged by hivexregedit. Offsets: "Windows registry file format specification",
https://github.com/msuhanov/regf.
"""

import struct
from pathlib import Path

from tests.machines.spec import Hive, HiveState
from tests.machines.tools import run

_PAGE = 4096
_LAST_WRITTEN = 0x01C7_52A4_9B21_6E00  # 17 February 2007, the day of Service Pack 2
_ROOT_NAME = b"$$$PROTO.HIV"
_ROOT_OFFSET = 0x20
_ADMINISTRATORS = (5, 32, 544)
_SYSTEM = (5, 18)
_CREATOR_OWNER = (3, 0)
_USERS = (5, 32, 545)
_KEY_ALL_ACCESS = 0x000F003F
_KEY_READ = 0x00020019


def make_hive(hive: Hive, path: Path) -> None:
    """Write the hive file ``path``."""
    if hive.state is HiveState.NOT_A_HIVE:
        path.write_bytes(b"This is no registry hive.\r\n" * 400)
        return
    path.write_bytes(_empty_hive(hive.minor))
    text = path.with_suffix(".reg")
    text.write_text("Windows Registry Editor Version 5.00\n\n" + hive.text, encoding="utf-8")
    if hive.text:
        run("hivexregedit", "--merge", path, text)
    text.unlink()
    path.write_bytes(_finish(bytearray(path.read_bytes()), hive))


def transaction_log(hive: bytes) -> bytes:
    """What lies beside a clean hive: its base block as a log (file type 1), with no pages to replay."""
    block = bytearray(hive[:512])
    struct.pack_into("<I", block, 28, 1)
    _seal(block)
    return bytes(block) + bytes(512)


def _empty_hive(minor: int) -> bytes:
    security = _security_cell()
    root = _root_cell(security_offset=_ROOT_OFFSET + _root_size())
    used = _ROOT_OFFSET + len(root) + len(security)
    free = struct.pack("<i", _PAGE - used) + bytes(_PAGE - used - 4)
    bin_header = struct.pack("<4sIIQQI", b"hbin", 0, _PAGE, 0, _LAST_WRITTEN, 0)
    block = bytearray(_PAGE)
    # signature, primary and secondary sequence, last written, version, type, format, root cell, bins size, clustering
    fields = (b"regf", 1, 1, _LAST_WRITTEN, 1, minor, 0, 1, _ROOT_OFFSET, _PAGE, 1)
    struct.pack_into("<4sIIQIIIIIII", block, 0, *fields)
    name = r"\SystemRoot\System32\Config".encode("utf-16-le")
    block[48 : 48 + len(name)] = name
    _seal(block)
    return bytes(block) + bin_header + root + security + free


def _root_size() -> int:
    return _cell_size(76 + len(_ROOT_NAME))


def _root_cell(*, security_offset: int) -> bytes:
    nowhere = 0xFFFFFFFF
    record = struct.pack("<2sHQII", b"nk", 0x2C, _LAST_WRITTEN, 0, nowhere)  # flags: root, no delete, Latin-1 name
    record += struct.pack("<IIIIII", 0, 0, nowhere, nowhere, 0, nowhere)  # subkeys, volatile ones, lists, values
    record += struct.pack("<IIIIIIIHH", security_offset, nowhere, 0, 0, 0, 0, 0, len(_ROOT_NAME), 0)
    return _cell(record + _ROOT_NAME)


def _security_cell() -> bytes:
    own = _ROOT_OFFSET + _root_size()
    descriptor = security_descriptor(
        (_KEY_ALL_ACCESS, _ADMINISTRATORS),
        (_KEY_ALL_ACCESS, _SYSTEM),
        (_KEY_ALL_ACCESS, _CREATOR_OWNER),
        (_KEY_READ, _USERS),
        inheritance=0x02,
    )
    return _cell(struct.pack("<2sHIIII", b"sk", 0, own, own, 1, len(descriptor)) + descriptor)


def security_descriptor(*allowed: tuple[int, tuple[int, ...]], inheritance: int) -> bytes:
    """A self-relative descriptor, owner Administrators, group SYSTEM, one allow entry per right (MS-DTYP 2.4.6)."""
    entries = b"".join(
        struct.pack("<BBHI", 0, inheritance, 8 + len(_sid(who)), mask) + _sid(who) for mask, who in allowed
    )
    acl = struct.pack("<BBHHH", 2, 0, 8 + len(entries), len(allowed), 0) + entries
    owner, group = _sid(_ADMINISTRATORS), _sid(_SYSTEM)
    header = struct.pack("<BBHIIII", 1, 0, 0x8004, 20 + len(acl), 20 + len(acl) + len(owner), 0, 20)
    return header + acl + owner + group


def _sid(parts: tuple[int, ...]) -> bytes:
    authority, *subs = parts
    return struct.pack("<BB", 1, len(subs)) + authority.to_bytes(6, "big") + struct.pack(f"<{len(subs)}I", *subs)


def _cell_size(content: int) -> int:
    return (content + 4 + 7) // 8 * 8


def _cell(content: bytes) -> bytes:
    size = _cell_size(len(content))
    return struct.pack("<i", -size) + content.ljust(size - 4, b"\0")


def _finish(data: bytearray, hive: Hive) -> bytes:
    if hive.minor < 5:
        _use_lf_lists(data)
    if hive.state is HiveState.DIRTY:
        struct.pack_into("<I", data, 4, struct.unpack_from("<I", data, 8)[0] + 1)
        _seal(data)
    elif hive.state is HiveState.CORRUPT:
        second_bin = _PAGE + struct.unpack_from("<I", data, _PAGE + 8)[0]
        data[second_bin : second_bin + 512] = b"\xa5" * 512
    elif hive.state is HiveState.TRUNCATED:
        del data[len(data) // 2 // _PAGE * _PAGE :]
    return bytes(data)


def _use_lf_lists(data: bytearray) -> None:
    """Turn hivex's lists of hashes into lists of name hints: Windows before XP knows no others."""
    for cell in _cells(data):
        if data[cell + 4 : cell + 6] != b"lh":
            continue
        data[cell + 4 : cell + 6] = b"lf"
        count = struct.unpack_from("<H", data, cell + 6)[0]
        for index in range(count):
            at = cell + 8 + 8 * index
            key = _PAGE + struct.unpack_from("<I", data, at)[0] + 4
            length = struct.unpack_from("<H", data, key + 72)[0]
            data[at + 4 : at + 8] = bytes(data[key + 76 : key + 76 + min(4, length)]).ljust(4, b"\0")


def _cells(data: bytearray) -> list[int]:
    """Offsets of the allocated cells."""
    found = []
    at = _PAGE
    while at < len(data):
        end = at + struct.unpack_from("<I", data, at + 8)[0]
        at += 32
        while at < end:
            size = struct.unpack_from("<i", data, at)[0]
            if size < 0:
                found.append(at)
            at += abs(size)
    return found


def _seal(block: bytearray) -> None:
    """Put in the checksum of the base block: the XOR of its first 127 double words."""
    total = 0
    for word in struct.unpack_from("<127I", block, 0):
        total ^= word
    struct.pack_into("<I", block, 508, {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(total, total))
