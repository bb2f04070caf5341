"""Which kernel and HAL belong together by the registry's word, taken from where this Windows keeps them.

Only of the very service pack of the file that stays, and only of the kind of computer that the registry was made for:
so it is known for XP and Server 2003, whose service packs version numbers tell.
"""

from collections.abc import Iterator

from bootgraft.changes import WriteFile
from bootgraft.checks.core.facts import CoreFacts
from bootgraft.checks.core.restore import renamed
from bootgraft.windows.pe import Architecture, NotPortableExecutableError, read_architecture
from bootgraft.windows.startup.kernel_files import (
    HALS,
    HalKind,
    KernelFile,
    computer_ids,
    kernel_file,
    read_kernel_file,
)
from bootgraft.windows.versions import VISTA

_HEADER = 4096
_KERNELS = {
    "ntoskrnl.exe": {False: "ntoskrnl.exe", True: "ntkrnlmp.exe"},
    "ntkrnlpa.exe": {False: "ntkrnlpa.exe", True: "ntkrpamp.exe"},
}
"""By the name in system32: what it was called before Setup renamed it, for one processor and for several."""


def registered(core: CoreFacts) -> HalKind | None:
    """The kind of computer that the registry is of; None where it names none, or several that are known."""
    ids = {each for _, each in computer_ids(core.hive, core.installation.select.default)}
    kinds = [each for each in HALS.values() if each.hardware_id in ids]
    return kinds[0] if len(kinds) == 1 else None


def fitting_hal(core: CoreFacts, hal: KernelFile, kernel: KernelFile | None) -> tuple[WriteFile, ...]:
    """The HAL of the registry's kind in the place of this one, where the kernel is one for it."""
    kind = registered(core)
    if kind is None or kernel is None or kernel.is_multi is not kind.is_multi:
        return ()
    return tuple(_copy(core, hal.path, kind.original_name, kernel))


def fitting_kernels(core: CoreFacts, hal: KernelFile, wrong: list[KernelFile]) -> tuple[WriteFile, ...]:
    """Kernels for the HAL in the place of these, where the HAL is of the registry's kind; all of them or none."""
    kind = registered(core)
    if kind is None or hal.hal != kind:
        return ()
    names = [_KERNELS.get(each.path.rpartition("\\")[2].casefold(), {}).get(kind.is_multi) for each in wrong]
    copies = [
        copy for each, name in zip(wrong, names, strict=True) if name for copy in _copy(core, each.path, name, hal)
    ]
    return tuple(copies) if len(copies) == len(wrong) else ()


def missing_hal(core: CoreFacts, path: str) -> tuple[WriteFile, ...]:
    """The HAL of the registry's kind where there is none, if the kernel is one for it."""
    if core.arch is not Architecture.X86 or core.version >= VISTA:
        return ()
    directory = core.installation.directory
    kernel = read_kernel_file(core.installation.volume.filesystem(), f"{directory}\\system32\\ntoskrnl.exe")
    return fitting_hal(core, KernelFile(path, "", None), kernel)


def same_hal(core: CoreFacts, hal: KernelFile, kernel: KernelFile) -> tuple[WriteFile, ...]:
    """The HAL of the same kind and of the kernel's service pack in the place of this one."""
    return tuple(_copy(core, hal.path, hal.original_name, kernel)) if hal.hal is not None else ()


def _copy(core: CoreFacts, path: str, name: str, partner: KernelFile) -> Iterator[WriteFile]:
    """The newest file that was called ``name`` and is of the partner's service pack."""

    def rank(data: bytes) -> tuple[int, ...] | None:
        found = kernel_file(path, data)
        if found is None or found.original_name != name or found.build != partner.build:
            return None
        fits = found.service_pack is not None and found.service_pack == partner.service_pack
        return found.version if fits and _is_for(core, data, path) else None

    copy = renamed(core, path, name, rank)
    if copy is not None:
        yield copy


def _is_for(core: CoreFacts, data: bytes, path: str) -> bool:
    try:
        return read_architecture(data[:_HEADER], name=path) is core.arch
    except NotPortableExecutableError:
        return False
