r"""Which kernel and which HAL a Windows NT 4 to Server 2003 has: Setup renamed them, their version resources tell.

Kinds and names: Microsoft, Knowledge Base 309283 ("HAL options after Windows XP or Windows Server 2003 Setup"), bug
check 0x79 (Ntoskrnl.exe is for one processor, Ntkrnlmp.exe for several); the ids are those by which sysprep's
``UpdateUPHAL`` and ``UpdateHAL`` and the keys ``Enum\Root\ACPI_HAL`` and ``PCI_HAL`` name them. Service packs go by the
last number of a version: XP 1106, 2180, 5512; Server 2003 and XP x64 1830, 3959.
"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.filesystems.base import FileSystem
from bootgraft.registry.hive import Hive
from bootgraft.text import printable
from bootgraft.windows.startup.version_resource import read_version, version_of

_KERNELS = {"ntoskrnl.exe": False, "ntkrnlpa.exe": False, "ntkrnlmp.exe": True, "ntkrpamp.exe": True}
"""By original name: whether it is one for several processors."""
_SERVICE_PACKS = {(5, 1, 2600): (1106, 2180, 5512), (5, 2, 3790): (1830, 3959)}
_MAX_NAME = 64
_HAL_KEYS = ("ACPI_HAL", "PCI_HAL")


class HalKind(Struct, frozen=True):
    """One kind of HAL: what the computer is called, its id, and whether it is for several processors."""

    title: str
    hardware_id: str
    is_multi: bool
    family: str  # those of one family take each other's place

    @property
    def original_name(self) -> str:
        """What its file is called before Setup renames it."""
        return next(name for name, kind in HALS.items() if kind == self)


HALS = {
    "hal.dll": HalKind("Standard PC", "e_isa_up", is_multi=False, family="pic"),
    "halacpi.dll": HalKind("ACPI PC", "acpipic_up", is_multi=False, family="acpi pic"),
    "halaacpi.dll": HalKind("ACPI Uniprocessor PC", "acpiapic_up", is_multi=False, family="acpi apic"),
    "halmacpi.dll": HalKind("ACPI Multiprocessor PC", "acpiapic_mp", is_multi=True, family="acpi apic"),
    "halapic.dll": HalKind("MPS Uniprocessor PC", "mps_up", is_multi=False, family="mps"),
    "halmps.dll": HalKind("MPS Multiprocessor PC", "mps_mp", is_multi=True, family="mps"),
}
"""By original name. Others were made for the machines of one maker."""
MAKERS_HALS = frozenset(
    {"halsp.dll", "halast.dll", "halborg.dll", "halcbus.dll", "halcbusm.dll", "halncr.dll", "halolivx.dll",
     "halsgi.dll", "haltoshb.dll", "halwyse7.dll", "hal486c.dll", "halmca.dll"}
)  # fmt: skip
"""Those that Windows NT and 2000 ship for machines of one maker (Compaq, AST, SGI, Corollary, NCR …) or bus."""


class KernelFile(Struct, frozen=True):
    """One file of system32 by what it says that it is; the name is in lower case."""

    path: str
    original_name: str
    version: tuple[int, int, int, int] | None

    @property
    def is_multi(self) -> bool | None:
        """Whether a kernel is one for several processors; None for what is no known kernel."""
        return _KERNELS.get(self.original_name)

    @property
    def hal(self) -> HalKind | None:
        """Which kind of HAL it is; None for what is no known one."""
        return HALS.get(self.original_name)

    @property
    def build(self) -> tuple[int, ...]:
        """The release that it was built for."""
        return () if self.version is None else self.version[:3]

    @property
    def service_pack(self) -> int | None:
        """The service pack that it belongs to, of XP and Server 2003; None where that is not known."""
        packs = None if self.version is None else _SERVICE_PACKS.get(self.version[:3])
        return None if packs is None or self.version is None else sum(self.version[3] >= each for each in packs)

    def __str__(self) -> str:
        version = "without a version" if self.version is None else ".".join(map(str, self.version))
        return f"{self.path} is {printable(self.original_name[:_MAX_NAME]) or 'of no name'} {version}"


def kernel_file(path: str, data: bytes) -> KernelFile | None:
    """What a file with this content would be at ``path``; None where it does not say."""
    found = version_of(data)
    return None if found is None else KernelFile(path, found.original_name.casefold(), found.version)


def read_kernel_file(filesystem: FileSystem, path: str) -> KernelFile | None:
    """The file at ``path``; None where it is not there, or does not say what it is."""
    found = read_version(filesystem, path)
    return None if found is None else KernelFile(path, found.original_name.casefold(), found.version)


def computer_ids(hive: Hive, control_set: int) -> Iterator[tuple[str, str]]:
    """The ids of the computer that the registry was made for, in lower case, each after its key.

    Raises HiveError where the hive is damaged there.
    """
    for name in _HAL_KEYS:
        key = hive.key(f"ControlSet{control_set:03d}\\Enum\\Root\\{name}\\0000")
        value = None if key is None else key.value("HardwareID")
        for each in () if value is None else value.multi() or ():
            if key is not None:
                yield key.path, each.casefold()
