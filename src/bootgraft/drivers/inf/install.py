r"""What an INF does to install a device: its install section, the services that it adds, their registry values.

Microsoft, "INF DDInstall Section", "INF DDInstall.Services Section", "INF AddService Directive", "INF AddReg
Directive". Of ``[section.NTamd64]``, ``[section.NT]`` and ``[section]`` the first that exists is taken, and with the
same suffix ``.Services``. ``Include`` and ``Needs`` draw sections of other INFs in.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from bootgraft.changes import RegistryData
from bootgraft.drivers.inf.models import SUFFIXES
from bootgraft.drivers.inf.text import InfFile, InfLine
from bootgraft.registry.values import ValueType, dword_data, multi_data, text_data
from bootgraft.windows.pe import Architecture

Library = Callable[[str], InfFile | None]
"""Gives the INF of a name (``mshdc.inf``) that ``Include`` asks for; None where the source has none."""

FUNCTION_DRIVER = 0x2
"""SPSVCINST_ASSOCSERVICE: the service is the one that drives the device."""

_MAX_NEEDS = 32  # sections that one install section may draw in, one by another
_NO_CLOBBER, _DELETE, _APPEND, _KEY_ONLY, _OVERWRITE_ONLY = 0x2, 0x4, 0x8, 0x10, 0x20
_TYPE_MASK = 0xFFFF0001
_TYPES = {
    0x00000: ValueType.REG_SZ,
    0x00001: ValueType.REG_BINARY,
    0x10000: ValueType.REG_MULTI_SZ,
    0x10001: ValueType.REG_DWORD,
    0x20000: ValueType.REG_EXPAND_SZ,
    0x20001: ValueType.REG_NONE,
}


class ServiceLine(Struct, frozen=True):
    """One ``AddService``: a service and the section that describes it. ``name`` is empty where none drives a device."""

    name: str
    flags: int
    section: str
    inf: InfFile
    line: int

    @property
    def is_function_driver(self) -> bool:
        """Whether this service drives the device itself."""
        return bool(self.flags & FUNCTION_DRIVER)


class RegistryLine(Struct, frozen=True):
    """One line of an AddReg section. ``data`` None creates the key alone, or deletes the value where ``delete``."""

    root: str  # "HKR", "HKLM" and so on
    key: str
    name: str
    data: RegistryData | None
    line: int
    delete: bool = False
    no_clobber: bool = False
    append: bool = False
    overwrite_only: bool = False


def install_section(inf: InfFile, name: str, arch: Architecture) -> str | None:
    """The section that Windows takes for an install section's name; None where there is none."""
    return next((each for each in decorated(name, arch) if inf.has(each)), None)


def decorated(name: str, arch: Architecture) -> tuple[str, ...]:
    """A section's names in the order in which Windows looks for them."""
    return (f"{name}.NT{SUFFIXES.get(arch, 'x86')}", f"{name}.NT", name)


def directives(inf: InfFile, section: str, key: str, library: Library) -> Iterator[tuple[InfFile, InfLine]]:
    """The lines of a section with this key, with those of the sections that it needs, each with the INF it stands in.

    Raises:
        DriverSourceError: a needed section is missing, or they need one another without end.
    """
    for needed, name in _with_needs(inf, section, library):
        for line in needed.values(name, key):
            yield needed, line


def _with_needs(inf: InfFile, section: str, library: Library) -> Iterator[tuple[InfFile, str]]:
    seen: set[tuple[str, str]] = set()
    pending = [(inf, section)]
    while pending:
        where, name = pending.pop(0)
        if (where.name, name.casefold()) in seen:
            continue
        seen.add((where.name, name.casefold()))
        if len(seen) > _MAX_NEEDS:
            raise inf.error(f"[{section}] needs more than {_MAX_NEEDS} other sections")
        yield where, name
        for line in where.values(name, "Needs"):
            pending += [_needed(where, name, each, library) for each in line.fields if each]


def _needed(inf: InfFile, section: str, wanted: str, library: Library) -> tuple[InfFile, str]:
    if inf.has(wanted):
        return inf, wanted
    included = [name for line in inf.values(section, "Include") for name in line.fields if name]
    for name in included:
        other = library(name)
        if other is not None and other.has(wanted):
            return other, wanted
    named = ", ".join(included) or "no other INF"
    raise inf.error(f"[{section}] needs [{wanted}] of {named}, which the source does not have")


def services(inf: InfFile, section: str, library: Library) -> tuple[ServiceLine, ...]:
    """The services that an install section (with its suffix) adds.

    Raises:
        DriverSourceError: a number is none, or a needed section is missing.
    """
    found = directives(inf, f"{section}.Services", "AddService", library)
    return tuple(
        ServiceLine(line.field(0), number(where, line, 1), line.field(2), where, line.number) for where, line in found
    )


def add_reg(inf: InfFile, section: str, library: Library) -> Iterator[RegistryLine]:
    """What the AddReg directives of a section come to, in order.

    Raises:
        DriverSourceError: a line is not what Windows would take.
    """
    for where, line in _listed(inf, section, "AddReg", library):
        yield _registry_line(where, line)


def del_reg(inf: InfFile, section: str, library: Library) -> Iterator[RegistryLine]:
    """The values that the DelReg directives of a section delete; whole keys are left alone.

    Raises:
        DriverSourceError: a needed section is missing.
    """
    for _, line in _listed(inf, section, "DelReg", library):
        if len(line.fields) > 2:
            yield RegistryLine(line.field(0).upper(), line.field(1), line.field(2), None, line.number, delete=True)


def _listed(inf: InfFile, section: str, key: str, library: Library) -> Iterator[tuple[InfFile, InfLine]]:
    """The lines of the sections that a directive lists."""
    for where, directive in directives(inf, section, key, library):
        for name in directive.fields:
            for line in where.section(name):
                yield where, line


def number(inf: InfFile, line: InfLine, index: int) -> int:
    """A field as a number, decimal or ``0x``; 0 where it is empty.

    Raises:
        DriverSourceError: it is no number of 32 bits.
    """
    text = line.field(index)
    try:
        value = int(text or "0", 16 if text.lower().startswith(("0x", "-0x")) else 10)
    except ValueError:
        value = -(2**63)
    if not -(2**31) <= value < 2**32:
        raise inf.error(f"{text[:40]!r} is no number", line.number)
    return value % 2**32


def _registry_line(inf: InfFile, line: InfLine) -> RegistryLine:
    flags = number(inf, line, 3)
    only_key = bool(flags & _KEY_ONLY) or len(line.fields) < 3
    delete = bool(flags & _DELETE)
    return RegistryLine(
        root=line.field(0).upper(),
        key=line.field(1),
        name=line.field(2),
        data=None if only_key or delete else _data(inf, line, flags),
        line=line.number,
        delete=delete,
        no_clobber=bool(flags & _NO_CLOBBER),
        append=bool(flags & _APPEND),
        overwrite_only=bool(flags & _OVERWRITE_ONLY),
    )


def _data(inf: InfFile, line: InfLine, flags: int) -> RegistryData:
    """The value's type and bytes; a type that has no flag of its own is ``(type << 16) | 1`` with its bytes in hex."""
    kind = _TYPES.get(flags & _TYPE_MASK)
    fields = line.fields[4:]
    match kind:
        case None:
            if not flags & 1:
                raise inf.error(f"{flags:#x} is no type of registry value", line.number)
            return RegistryData(flags >> 16, _bytes(inf, line, fields))
        case ValueType.REG_DWORD if len(fields) <= 1:
            return RegistryData(kind, dword_data(number(inf, line, 4)))
        case ValueType.REG_MULTI_SZ:
            return RegistryData(kind, multi_data(each for each in fields if each))
        case ValueType.REG_SZ | ValueType.REG_EXPAND_SZ:
            return RegistryData(kind, text_data(line.field(4)))
        case _:
            return RegistryData(kind, _bytes(inf, line, fields))


def _bytes(inf: InfFile, line: InfLine, fields: tuple[str, ...]) -> bytes:
    try:
        return bytes(int(each, 16) for each in fields if each)
    except ValueError as error:
        raise inf.error("a byte of a binary value is no hexadecimal number", line.number) from error
