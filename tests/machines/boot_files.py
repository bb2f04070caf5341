r"""The files that loader, kernel and session manager need before the first program: kernel, HAL, their libraries, NLS.

Which there are per generation: [SourceDisksFiles] and [WinntDirectories] of TXTSETUP.SIF for NT 5; for later ones
Microsoft's list of modules that the loader loads, as every kernel debugger's ``lm`` of a start shows them.
"""

from collections.abc import Iterator

from msgspec import Struct

from tests.machines.control_keys import CODE_PAGES
from tests.machines.spec import Architecture, File, PortableExecutable

# What Red Hat's drivers for XP to 8.1 import, and the fixtures' own.
_KERNEL = (
    "KeBugCheckEx", "DbgPrint", "IoCreateDevice", "IoDeleteDevice", "ExAllocatePoolWithTag", "memcpy",
    "ExInterlockedInsertHeadList", "ExInterlockedInsertTailList", "ExInterlockedRemoveHeadList",
    "ExfInterlockedInsertHeadList", "ExfInterlockedInsertTailList", "ExfInterlockedRemoveHeadList", "KeBugCheck",
    "KeGetCurrentIrql", "KeQueryActiveProcessorCountEx", "KeQueryMaximumProcessorCountEx", "MmGetPhysicalAddress",
    "_allshr", "memmove", "memset",
)  # fmt: skip
_HAL = ("HalGetBusData", "KeStallExecutionProcessor", "HalTranslateBusAddress", "KeGetCurrentIrql")
KERNEL_CLIENT = (("ntoskrnl.exe", _KERNEL[:2]), ("HAL.dll", _HAL[:1]))
"""What a driver imports of which nothing else is to be said."""


class _Library(Struct, frozen=True):
    """A library that the kernel imports from, below system32, and the releases that have it."""

    file: str
    exports: tuple[str, ...]
    first: tuple[int, int]


_LIBRARIES = (
    _Library("bootvid.dll", ("VidInitialize", "VidDisplayString"), (5, 0)),
    _Library("kdcom.dll", ("KdDebuggerInitialize0", "KdSendPacket"), (5, 1)),
    _Library("pshed.dll", ("PshedGetErrorSourceInfo", "PshedAllocateMemory"), (6, 0)),
    _Library("ci.dll", ("CiInitialize",), (6, 0)),
)
CLFS = ("ClfsCreateLogFile", "ClfsCloseLogFileObject")
"""What clfs.sys, a driver with a service, exports to the kernel."""
_LOADED_WITH_THE_KERNEL = (("msrpc.sys", (6, 0)), ("tm.sys", (6, 2)), ("cmimcext.sys", (10, 0)))

_PROGRAMS = (
    ("smss.exe", (4, 0)), ("csrss.exe", (4, 0)), ("winlogon.exe", (4, 0)), ("services.exe", (4, 0)),
    ("lsass.exe", (4, 0)), ("autochk.exe", (4, 0)), ("svchost.exe", (5, 0)), ("wininit.exe", (6, 0)),
    ("ntdll.dll", (4, 0)), ("kernel32.dll", (4, 0)), ("user32.dll", (4, 0)), ("csrsrv.dll", (4, 0)),
    ("basesrv.dll", (4, 0)), ("winsrv.dll", (4, 0)), ("win32k.sys", (4, 0)), ("apisetschema.dll", (6, 1)),
    ("sxssrv.dll", (6, 1)), ("kernelbase.dll", (6, 1)),
)  # fmt: skip
_TABLES = ("l_intl", "unicode", "locale", *(f"c_{number}" for number in CODE_PAGES))


def kernel_files(
    directory: str, version: tuple[int, int], arch: Architecture, stamp: tuple[int, int, int, int]
) -> Iterator[File]:
    """What is loaded before the session manager runs, drivers of services aside."""
    system32 = rf"\{directory}\system32"
    libraries = [each for each in _LIBRARIES if each.first <= version]
    imports = [("HAL.dll", _HAL[:1]), *((each.file.upper(), each.exports[:1]) for each in libraries)]
    if version >= (6, 0):
        imports += [("CLFS.SYS", CLFS[:1])]
    hal, kernel = _kinds(version, arch)
    client = PortableExecutable("kernel-client.sys", arch, KERNEL_CLIENT, version=stamp)
    yield _file(system32, "ntoskrnl.exe", PortableExecutable(kernel, arch, tuple(imports), _KERNEL, stamp))
    yield _file(system32, "hal.dll", PortableExecutable(hal, arch, KERNEL_CLIENT[:1], _HAL, stamp))
    everything = tuple(name for each in _LIBRARIES for name in each.exports)
    library = PortableExecutable("library.dll", arch, KERNEL_CLIENT[:1], everything, stamp)
    for each in libraries:
        yield _file(system32, each.file, library)
    for name, first in _LOADED_WITH_THE_KERNEL:
        if first <= version:
            yield _file(rf"{system32}\drivers", name, client)


def session_files(
    directory: str, version: tuple[int, int], arch: Architecture, stamp: tuple[int, int, int, int]
) -> Iterator[File]:
    """The first programs with their libraries, code pages and the font of the boot screen."""
    system32 = rf"\{directory}\system32"
    program = PortableExecutable("program.exe", arch, version=stamp)
    for name, first in _PROGRAMS:
        if first <= version:
            yield _file(system32, name, program)
    for name in _TABLES:
        yield File(rf"{system32}\{name}.nls", b"stands for a table of National Language Support\r\n" * 20)
    yield File(rf"\{directory}\Fonts\vgaoem.fon", b"MZ stands for a font" * 40)


def _kinds(version: tuple[int, int], arch: Architecture) -> tuple[str, str]:
    """What HAL and kernel were called before Setup chose them: those of a machine with ACPI and several processors."""
    if version < (5, 0):
        return "halmps.dll", "ntkrnlmp.exe"
    return ("halmacpi.dll" if arch is Architecture.X86 else "hal.dll"), "ntkrnlmp.exe"


def _file(folder: str, name: str, content: PortableExecutable) -> File:
    return File(rf"{folder}\{name}", content)
