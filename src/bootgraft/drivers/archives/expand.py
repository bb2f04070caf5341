"""Single files as they lie on installation media and in ServicePackFiles: ``symmpi.sy_``, packed by Microsoft's tools.

Since Windows 2000 such a file is a cabinet with one member. NT 4's are SZDD files: 8 bytes of signature, ``A``, the
last letter of the true name, the expanded size, then LZSS over a window of 4096 bytes that begins full of spaces
(https://www.cabextract.org.uk/libmspack/doc/szdd_kwaj_format.html).
"""

from bootgraft.drivers.archives.archive import MAX_MEMBER_BYTES, open_archive_bytes
from bootgraft.errors import DriverSourceError

_CABINET = b"MSCF"
_SZDD = b"SZDD\x88\xf0\x27\x33"
_KWAJ = b"KWAJ\x88\xf0\x27\xd1"
_HEADER = 14  # bytes before the packed data of SZDD
_WINDOW = 4096
_FIRST = _WINDOW - 16  # where in the window the first byte goes


def expand(data: bytes, name: str) -> bytes:
    """The content of a packed file; ``name`` is what errors say as where.

    Raises:
        DriverSourceError: it is packed in another way, holds several files, is damaged or too long.
        MissingDependencyError: it is a cabinet, and libarchive is not installed.
    """
    if data.startswith(_CABINET):
        archive = open_archive_bytes(data, name)
        members = archive.members()
        if len(members) != 1:
            raise _refuse(f"it is a cabinet with {len(members)} files, and not one packed file", name)
        return archive.read(members[0].path)
    if data.startswith(_SZDD):
        return _expand_szdd(data, name)
    kind = "it is packed with KWAJ, which bootgraft does not read" if data.startswith(_KWAJ) else "it is no packed file"
    raise _refuse(kind, name)


def _expand_szdd(data: bytes, name: str) -> bytes:
    size = int.from_bytes(data[10:_HEADER], "little")
    if len(data) < _HEADER or data[8:9] != b"A" or size > MAX_MEMBER_BYTES:
        raise _refuse("its SZDD header is damaged", name)
    packed, place = memoryview(data), _HEADER
    expanded = bytearray(b" " * _FIRST)  # the window before the first byte, so that a match may reach into it
    end = _FIRST + size
    try:
        while len(expanded) < end:
            flags, place = packed[place], place + 1
            for bit in range(8):
                if len(expanded) >= end:
                    break
                if flags >> bit & 1:
                    expanded.append(packed[place])
                    place += 1
                else:
                    low, high = packed[place], packed[place + 1]
                    place += 2
                    _copy(expanded, low | (high & 0xF0) << 4, (high & 0x0F) + 3)
    except IndexError as error:
        raise _refuse("it ends in the middle: it is truncated", name) from error
    return bytes(expanded[_FIRST:end])


def _copy(expanded: bytearray, place: int, length: int) -> None:
    """Append what the window holds from ``place`` on; the copy may run into itself.

    What the window's last 16 bytes held before anything was written there counts as spaces too.
    """
    distance = (len(expanded) - place) % _WINDOW or _WINDOW
    for _ in range(length):
        source = len(expanded) - distance
        expanded.append(expanded[source] if source >= 0 else 0x20)


def _refuse(what: str, name: str) -> DriverSourceError:
    return DriverSourceError(
        what, where=name, advice="Expand it by hand (7z, or expand.exe in Windows), or give another source"
    )
