"""The ring of security cells, read strictly: links, counts and the bounds of each descriptor."""

import struct

from bootgraft.registry.cells import NIL
from bootgraft.registry.integrity.defects import DefectKind, DefectSeverity
from bootgraft.registry.integrity.reading import Reading

_SK = struct.Struct("<2sHIIII")
_NEXT_AT, _PREVIOUS_AT = 4, 8


def check_security(reading: Reading, first: int) -> None:
    """Follow the ring from the root key's cell ``first``; every key's descriptor must be in it, counted rightly."""
    reading.names.clear()
    members: set[int] = set()
    previous, at = NIL, first
    while at != NIL and at not in members:
        following = _read(reading, at, previous)
        if following is None:
            break
        members.add(at)
        previous, at = at, following
    else:
        if at != first:
            reading.report_hive(DefectKind.SECURITY_RING, previous, "the ring of security descriptors does not close")
        elif first != NIL and _link(reading, first, _PREVIOUS_AT) != previous:
            reading.report_hive(DefectKind.SECURITY_RING, first, "the ring of security descriptors is not closed")
    for offset, users in reading.security_users.items():
        if offset not in members:
            what = f"{users} keys use a security descriptor that is not in the hive's ring"
            reading.report_hive(DefectKind.SECURITY_RING, offset, what)
            if offset != NIL:
                _read(reading, offset, NIL)


def _link(reading: Reading, offset: int, at: int) -> int:
    reading.map.load(offset)
    return int.from_bytes(reading.data[offset + 4 + at : offset + 8 + at], "little")


def _read(reading: Reading, offset: int, previous: int) -> int | None:
    """Check one descriptor whose predecessor in the ring is known, and return the next; None where there is none."""
    at = reading.take(offset, _SK.size, DefectKind.SECURITY_RECORD, "a security descriptor")
    if not at:
        return None
    signature, _, following, before, count, length = _SK.unpack_from(reading.data, at)
    if signature != b"sk" or _SK.size + length > reading.capacity(offset):
        reading.report_hive(DefectKind.SECURITY_RECORD, offset, "there is no security descriptor in this cell")
        return None
    if previous not in (NIL, before):
        reading.report_hive(DefectKind.SECURITY_RING, offset, "this security descriptor names another one before it")
    users = reading.security_users[offset]
    if count != users:
        # Too few, and it is freed while keys still use it; too many, and it merely stays for ever.
        severity = DefectSeverity.LOSES if count < users else DefectSeverity.HARMLESS
        what = f"this security descriptor counts {count} keys, and {users} use it"
        reading.report_hive(DefectKind.SECURITY_COUNT, offset, what, severity)
    return int(following)
