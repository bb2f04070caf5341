r"""The Windows that a driver is for, as an INF tells one Windows from another.

Numbers: Microsoft, "INF Manufacturer Section" and "Operating System Version"; the names of product suites in
``Control\ProductOptions\ProductSuite`` and their bits, "OSVERSIONEX structure".
"""

from msgspec import Struct

from bootgraft.errors import UsageError
from bootgraft.registry.hive import Hive
from bootgraft.windows.installation import Installation, control_set_name
from bootgraft.windows.pe import Architecture
from bootgraft.windows.versions import (
    NT4,
    SERVER_2003,
    VISTA,
    WINDOWS_7,
    WINDOWS_8,
    WINDOWS_8_1,
    WINDOWS_10,
    WINDOWS_2000,
    XP,
)

WORKSTATION, DOMAIN_CONTROLLER, SERVER = 1, 2, 3
"""VER_NT_WORKSTATION and so on: the product types of an INF's decorations."""

_PRODUCT_TYPES = {"winnt": WORKSTATION, "lanmannt": DOMAIN_CONTROLLER, "servernt": SERVER}
_SUITES = {
    "small business": 0x001,
    "enterprise": 0x002,
    "backoffice": 0x004,
    "communicationserver": 0x008,
    "terminal server": 0x010,
    "small business(restricted)": 0x020,
    "embeddednt": 0x040,
    "datacenter": 0x080,
    "personal": 0x200,
    "blade": 0x400,
}
_ARCHITECTURES = (Architecture.X86, Architecture.X64, Architecture.ARM64)


class TargetWindows(Struct, frozen=True):
    """One Windows; ``version`` is the NT version, ``build`` 0 and ``product_type`` 0 where unknown."""

    name: str
    arch: Architecture
    version: tuple[int, int]
    build: int = 0
    product_type: int = 0
    suites: int = 0

    @property
    def product(self) -> str:
        """Its name, as an installation has it."""
        return self.name

    def __str__(self) -> str:
        build = f" build {self.build}" if self.build else ""
        return f"{self.name} (NT {self.version[0]}.{self.version[1]}{build}, {self.arch})"


# Name on the command line → (product, version, build, product type, architectures that it exists for).
_X86, _X64, _BOTH = (Architecture.X86,), (Architecture.X64,), (Architecture.X86, Architecture.X64)
_KNOWN = {
    "2000": ("Windows 2000", WINDOWS_2000, 2195, 0, _X86),
    "xp": ("Windows XP", XP, 2600, WORKSTATION, _X86),
    "xp64": ("Windows XP Professional", SERVER_2003, 3790, WORKSTATION, _X64),
    "2003": ("Windows Server 2003", SERVER_2003, 3790, SERVER, _BOTH),
    "vista": ("Windows Vista", VISTA, 6002, WORKSTATION, _BOTH),
    "2008": ("Windows Server 2008", VISTA, 6002, SERVER, _BOTH),
    "7": ("Windows 7", WINDOWS_7, 7601, WORKSTATION, _BOTH),
    "2008r2": ("Windows Server 2008 R2", WINDOWS_7, 7601, SERVER, _X64),
    "8": ("Windows 8", WINDOWS_8, 9200, WORKSTATION, _BOTH),
    "2012": ("Windows Server 2012", WINDOWS_8, 9200, SERVER, _X64),
    "8.1": ("Windows 8.1", WINDOWS_8_1, 9600, WORKSTATION, _BOTH),
    "2012r2": ("Windows Server 2012 R2", WINDOWS_8_1, 9600, SERVER, _X64),
    "10": ("Windows 10", WINDOWS_10, 19045, WORKSTATION, (*_BOTH, Architecture.ARM64)),
    "2016": ("Windows Server 2016", WINDOWS_10, 14393, SERVER, _X64),
    "2019": ("Windows Server 2019", WINDOWS_10, 17763, SERVER, _X64),
    "2022": ("Windows Server 2022", WINDOWS_10, 20348, SERVER, _X64),
    "11": ("Windows 11", WINDOWS_10, 22631, WORKSTATION, (Architecture.X64, Architecture.ARM64)),
    "2025": ("Windows Server 2025", WINDOWS_10, 26100, SERVER, _X64),
}

_BEFORE_INFS = {"nt4": ("Windows NT 4.0", NT4, 1381, 0, _X86)}
"""Windows that no INF is for: named only on purpose."""


def read_target_windows(installation: Installation, hive: Hive) -> TargetWindows:
    """The installation as an INF sees it; ``hive`` is its SYSTEM hive.

    Raises:
        HiveError: the hive is damaged there.
    """
    options = hive.key(f"{control_set_name(installation.select.default)}\\Control\\ProductOptions")
    kind = None if options is None else options.value("ProductType")
    suite = None if options is None else options.value("ProductSuite")
    names = () if suite is None else suite.multi() or ()
    suites = 0
    for name in names:
        suites |= _SUITES.get(name.strip().casefold(), 0)
    return TargetWindows(
        installation.product,
        installation.arch,
        installation.version,
        int(installation.build) if installation.build else 0,
        _PRODUCT_TYPES.get((kind.text() or "").casefold(), 0) if kind is not None else 0,
        suites,
    )


def known_windows(version: str | None = None, arch: str | None = None) -> tuple[TargetWindows, ...]:
    """Every Windows that there is, or those of a version (``xp``, ``2008r2``, ``6.1``) and architecture (``x64``).

    Raises UsageError that lists what there is.
    """
    found = _named(version) if version else [each for name in _KNOWN for each in _of(name)]
    wanted = None if arch is None else _architecture(arch)
    fitting = tuple(each for each in found if wanted is None or each.arch is wanted)
    if not fitting:
        raise UsageError(
            f"there is no {found[0].name} for {arch}", where="--arch", advice="Give another version or architecture"
        )
    return fitting


def _named(version: str) -> list[TargetWindows]:
    name = version.casefold().replace(" ", "").removeprefix("windows").removeprefix("server")
    if name in _KNOWN or name in _BEFORE_INFS:
        return list(_of(name))
    numbers = [int(part) for part in version.split(".") if part.isdecimal() and len(part) < 6]
    if len(numbers) not in (2, 3) or len(numbers) != len(version.split(".")):
        raise UsageError(
            f"no such Windows: {version!r}",
            where="--windows",
            advice=f"Known are {', '.join((*_BEFORE_INFS, *_KNOWN))}; NT versions as 6.1 or 10.0.19041 do too",
            id="windows-unknown",
        )
    build = numbers[2] if len(numbers) == 3 else 0
    return [TargetWindows("Windows", arch, (numbers[0], numbers[1]), build) for arch in _ARCHITECTURES]


def _of(name: str) -> tuple[TargetWindows, ...]:
    product, version, build, product_type, architectures = (_KNOWN | _BEFORE_INFS)[name]
    return tuple(TargetWindows(product, arch, version, build, product_type) for arch in architectures)


def _architecture(name: str) -> Architecture:
    known = {"i386": Architecture.X86, "amd64": Architecture.X64, **{each.value: each for each in _ARCHITECTURES}}
    if name.casefold() not in known:
        raise UsageError(f"no such architecture: {name!r}", where="--arch", advice=f"Known are {', '.join(known)}")
    return known[name.casefold()]
