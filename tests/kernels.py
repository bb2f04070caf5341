"""Kernels and HALs of Windows NT 4 to Server 2003 by what their version resources say, made by windres."""

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from tests.core_windows import core_windows, in_sets
from tests.machines.build import content
from tests.machines.cache import kept_folder
from tests.machines.registry_text import Multi
from tests.machines.spec import Architecture, File, PortableExecutable
from tests.machines.windows_hives import WINDOWS_XP, Release
from tests.memory_windows import MemoryWindows

Version = tuple[int, int, int, int]


@cache
def binary(name: str, version: Version = WINDOWS_XP.binaries, arch: Architecture = Architecture.X86) -> bytes:
    """A file that was called so before it was renamed."""
    made = PortableExecutable(name, arch, exports=("KeBugCheckEx", "HalGetBusData"), version=version)
    return content(File("", made), kept_folder() or Path(tempfile.mkdtemp()))


def with_files(
    release: Release = WINDOWS_XP,
    edits: str = "",
    kept: Mapping[str, Version] = MappingProxyType({}),
    **files: tuple[str, Version] | str,
) -> MemoryWindows:
    """A Windows with these files of system32 (``hal``, ``ntoskrnl``, ``ntkrnlpa``) or drivers, by original name.

    Those that are ``kept`` lie in ServicePackFiles.
    """
    places = {"hal": r"system32\hal.dll", "ntoskrnl": r"system32\ntoskrnl.exe", "ntkrnlpa": r"system32\ntkrnlpa.exe"}
    made = {}
    for key, value in files.items():
        name, version = (value, release.binaries) if isinstance(value, str) else value
        made[places.get(key, rf"system32\drivers\{key}.sys")] = binary(name, version)
    made |= {rf"ServicePackFiles\i386\{name}": binary(name, version) for name, version in kept.items()}
    return core_windows(edits, release=release, without=tuple(made), files=made)


def computer(hardware_id: str, key: str = "ACPI_HAL") -> str:
    """What the registry calls the computer, in every control set."""
    return in_sets({rf"Enum\Root\{key}\0000": {"HardwareID": Multi((hardware_id,))}})
