"""Which devices an INF serves in which Windows: ``[Manufacturer]``, the models sections and their decorations.

Microsoft, "INF Manufacturer Section" and "Combining Platform Extensions with Operating System Versions":
``nt[arch][.major[.minor[.producttype[.suitemask[.build]]]]]``. The section of the highest version that is not above
the Windows' own is taken; among those of one version the one for its product type, then for its suite, then for its
architecture. A section that is named but empty or absent excludes: there is no falling back to an older one.
Windows 2000 knows no decorations, and 64-bit Windows no section without its architecture.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from bootgraft.drivers.inf.target_windows import TargetWindows
from bootgraft.drivers.inf.text import InfFile, InfLine
from bootgraft.windows.pe import Architecture
from bootgraft.windows.versions import WINDOWS_10, XP

_DECORATED = re.compile(
    r"nt(?P<arch>x86|ia64|amd64|arm64|arm)?"
    r"(?:\.(?P<major>\w*)(?:\.(?P<minor>\w*)(?:\.(?P<type>\w*)(?:\.(?P<suite>\w*)(?:\.(?P<build>\w*))?)?)?)?)?",
    re.IGNORECASE | re.ASCII,
)
_ARCHITECTURES = {"x86": Architecture.X86, "amd64": Architecture.X64, "ia64": Architecture.IA64}
_ARCHITECTURES |= {"arm64": Architecture.ARM64, "arm": Architecture.UNKNOWN}
SUFFIXES = {value: key for key, value in _ARCHITECTURES.items() if key != "arm"}
"""What an INF calls an architecture: ``amd64``."""

_FIRST_BUILDS = 14310  # the first Windows 10 that reads build numbers; an older one takes such a decoration for none
_FIRST_WITH_DECORATIONS = XP


class Decoration(Struct, frozen=True):
    """A target of a models section; fields that it leaves open are None. ``text`` is as written, empty for none."""

    text: str
    arch: Architecture | None = None
    version: tuple[int, int] | None = None
    product_type: int | None = None
    suites: int | None = None
    build: int | None = None

    def fits(self, target_windows: TargetWindows) -> bool:
        """Whether a section so decorated is for this Windows."""
        return (
            self._fits_arch(target_windows)
            and self._fits_version(target_windows)
            and self._fits_product(target_windows)
        )

    def _fits_arch(self, target_windows: TargetWindows) -> bool:
        if target_windows.version < _FIRST_WITH_DECORATIONS:
            return not self.text and target_windows.arch is Architecture.X86
        return (self.arch or Architecture.X86) is target_windows.arch

    def _fits_version(self, target_windows: TargetWindows) -> bool:
        if self.build is not None and target_windows.version == WINDOWS_10 and 0 < target_windows.build < _FIRST_BUILDS:
            return False
        if self.version is None or self.version < target_windows.version:
            return True
        return self.version == target_windows.version and (self.build or 0) <= (target_windows.build or self.build or 0)

    def _fits_product(self, target_windows: TargetWindows) -> bool:
        if self.product_type is not None and self.product_type != target_windows.product_type:
            return False
        return self.suites is None or (self.suites & target_windows.suites) == self.suites

    @property
    def closeness(self) -> tuple[object, ...]:
        """Of two that fit, the greater one is closer to the Windows that they are asked for."""
        return (
            self.version or (0, 0),
            self.build or 0,
            self.product_type is not None,
            self.suites is not None,
            self.arch is not None,
            bool(self.text),
        )

    def __str__(self) -> str:
        return self.text or "any x86 Windows"


class Model(Struct, frozen=True):
    """One line of a models section: a device by its ids, the hardware id first, and its install section."""

    description: str
    install: str
    ids: tuple[str, ...]
    decoration: Decoration
    section: str
    line: int


def models_for(inf: InfFile, target_windows: TargetWindows) -> tuple[Model, ...]:
    """What the INF serves in this Windows.

    Raises:
        DriverSourceError: a string of the INF becomes too long.
    """
    found: list[Model] = []
    for manufacturer in _manufacturers(inf):
        fitting = [each for each in _decorations(manufacturer) if each.fits(target_windows)]
        if fitting:
            found += _models(inf, manufacturer, max(fitting, key=lambda each: each.closeness))
    return tuple(found)


def all_models(inf: InfFile) -> tuple[Model, ...]:
    """What the INF serves in any Windows, section by section.

    Raises:
        DriverSourceError: a string of the INF becomes too long.
    """
    return tuple(
        model
        for manufacturer in _manufacturers(inf)
        for decoration in _decorations(manufacturer)
        for model in _models(inf, manufacturer, decoration)
    )


def parse_decoration(text: str) -> Decoration | None:
    """Read what stands behind a models section's name; None where Windows would not understand it."""
    match = _DECORATED.fullmatch(text.strip())
    if match is None:
        return None
    try:
        major, minor, kind, suites, build = (
            _number(match[name]) for name in ("major", "minor", "type", "suite", "build")
        )
    except ValueError:
        return None
    version = None if major is None else (major, minor or 0)
    arch = _ARCHITECTURES[match["arch"].lower()] if match["arch"] else None
    return Decoration(text.strip(), arch, version, kind, suites, build)


def _number(text: str | None) -> int | None:
    if not text:
        return None
    return int(text, 16) if text.lower().startswith("0x") else int(text)


def _manufacturers(inf: InfFile) -> Iterator[InfLine]:
    """Each line of ``[Manufacturer]``; one without ``=`` names its section itself."""
    for line in inf.section("Manufacturer"):
        if line.field(0):
            yield line


def _decorations(manufacturer: InfLine) -> list[Decoration]:
    """The undecorated section, and every target that the line names."""
    found = (parse_decoration(text) for text in manufacturer.fields[1:] if text)
    return [Decoration(""), *(each for each in found if each is not None)]


def _models(inf: InfFile, manufacturer: InfLine, decoration: Decoration) -> Iterator[Model]:
    base = manufacturer.field(0)
    section = f"{base}.{decoration.text}" if decoration.text else base
    for line in inf.section(section):
        ids = tuple(each for each in line.fields[1:] if each)
        if line.field(0) and ids:
            yield Model(line.key or "", line.field(0), ids, decoration, section, line.number)
