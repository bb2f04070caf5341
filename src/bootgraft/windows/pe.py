"""What a Windows binary was built for and what it imports: driver files, the kernel.

Parsed by pefile (Microsoft, "PE Format", https://learn.microsoft.com/windows/win32/debug/pe-format), imported where
it is first needed: that takes 30 ms, parsing a driver takes 3. Files are hostile input.
"""

import struct
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from bootgraft.errors import BootgraftError, ErrorId

if TYPE_CHECKING:
    import pefile

MAX_SIZE = 64 * 2**20
"""Bytes of a file that are looked at: far above any driver."""

MAX_IMPORTS = 256
"""Files that one driver may import from; real ones have under twenty."""

_HEADER_SIZE = 4096
_IMPORT_DESCRIPTOR_SIZE = 20
_DAMAGE = (AttributeError, IndexError, OverflowError, TypeError, UnboundLocalError, ValueError, struct.error)
"""What pefile lets through for damaged headers beside its own PEFormatError: mutated files gave AttributeError (a
section list cut short), its issue tracker (erocarrera/pefile) has the others."""


class Architecture(StrEnum):
    """The processor architectures that Windows exists for."""

    X86 = "x86"
    X64 = "x64"
    IA64 = "ia64"
    ARM64 = "arm64"
    UNKNOWN = "unknown"


_MACHINES = {0x014C: Architecture.X86, 0x8664: Architecture.X64, 0x0200: Architecture.IA64, 0xAA64: Architecture.ARM64}


class NotPortableExecutableError(BootgraftError):
    """A file that should be a Windows binary and is none, or a damaged one."""

    usual_id: ClassVar[ErrorId] = "not-a-binary"


class PeFacts(Struct, frozen=True):
    """What decides whether the loader can use a binary."""

    machine: Architecture
    imports: tuple[str, ...]  # names of the files imported from, as written, in order, each once
    version: tuple[int, int, int, int] | None  # FILEVERSION of its version resource
    functions: tuple[tuple[str, ...], ...] = ()  # for each of the imports what is imported: names, and ``#ORDINAL``


def read_architecture(head: bytes, *, name: str) -> Architecture:
    """Tell the architecture by the first bytes of a file (4096 are plenty).

    Read here rather than by pefile: it is one 16-bit field, and inspecting a machine needs nothing else of PE.

    Raises:
        NotPortableExecutableError: it is no PE file.
    """
    if len(head) < 64 or head[:2] != b"MZ":
        raise _not_executable("it lacks the MZ header of a Windows binary", name)
    (offset,) = struct.unpack_from("<I", head, 0x3C)
    if offset + 6 > len(head) or head[offset : offset + 4] != b"PE\0\0":
        raise _not_executable("it lacks the PE header of a Windows binary", name)
    (machine,) = struct.unpack_from("<H", head, offset + 4)
    return _MACHINES.get(machine, Architecture.UNKNOWN)


def read_pe(data: bytes, *, name: str) -> PeFacts:
    """Read what the checks need from a whole file; ``name`` is what errors say as where.

    Raises:
        NotPortableExecutableError: it is no PE file, a damaged one, or larger than any driver.
    """
    machine = read_architecture(data[:_HEADER_SIZE], name=name)
    if len(data) > MAX_SIZE:
        raise _not_executable(f"it has more than {MAX_SIZE} bytes, more than any driver", name)
    import pefile

    try:
        # Never closed: no file is behind it, and closing collects the garbage of the whole process, 10 ms each time.
        parsed = pefile.PE(data=data, fast_load=True)
        index = pefile.DIRECTORY_ENTRY
        wanted = [index["IMAGE_DIRECTORY_ENTRY_IMPORT"], index["IMAGE_DIRECTORY_ENTRY_RESOURCE"]]
        parsed.parse_data_directories(directories=wanted)
        if any(each.PointerToRawData + each.SizeOfRawData > len(data) for each in parsed.sections):
            raise _not_executable("it is truncated: its headers promise more bytes than it has", name)
        imports = _imports(parsed, name)
        return PeFacts(machine, tuple(imports), _version(parsed), tuple(imports.values()))
    except (pefile.PEFormatError, *_DAMAGE) as error:
        detail = str(error).strip("'\"")  # PEFormatError quotes its own text
        raise _not_executable(f"its headers are damaged ({detail})", name) from error


def _imports(parsed: "pefile.PE", name: str) -> dict[str, tuple[str, ...]]:
    """The files imported from, each once without regard to case, and what; a damaged directory is no empty one."""
    descriptors = getattr(parsed, "DIRECTORY_ENTRY_IMPORT", ())
    if len(descriptors) > MAX_IMPORTS or (not descriptors and _announces_imports(parsed)):
        raise _not_executable("its import directory is damaged", name)
    names: dict[str, str] = {}
    functions: dict[str, list[str]] = {}
    for descriptor in descriptors:
        imported = descriptor.dll.decode("ascii")
        if not imported or "*" in imported:  # pefile's mark for a name that no file can have
            raise _not_executable("its import directory is damaged", name)
        names.setdefault(imported.casefold(), imported)
        functions.setdefault(imported.casefold(), []).extend(_functions(descriptor))
    return {names[key]: tuple(found) for key, found in functions.items()}


def _functions(descriptor: "pefile.ImportDescData") -> Iterator[str]:
    for each in descriptor.imports:
        if each.import_by_ordinal:
            yield f"#{each.ordinal}"
        elif each.name:
            yield each.name.decode("latin-1")


def _announces_imports(parsed: "pefile.PE") -> bool:
    """Whether the header points at an import directory that does not begin with its closing entry of zeros."""
    directory = parsed.OPTIONAL_HEADER.DATA_DIRECTORY
    if len(directory) < 2 or not directory[1].VirtualAddress or not directory[1].Size:
        return False
    return any(parsed.get_data(directory[1].VirtualAddress, _IMPORT_DESCRIPTOR_SIZE))


def _version(parsed: "pefile.PE") -> tuple[int, int, int, int] | None:
    for fixed in getattr(parsed, "VS_FIXEDFILEINFO", ()):
        high, low = fixed.FileVersionMS, fixed.FileVersionLS
        return high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF
    return None


def _not_executable(what: str, name: str) -> NotPortableExecutableError:
    return NotPortableExecutableError(
        what, where=name, advice="The file is damaged or was replaced; take it from another source"
    )
