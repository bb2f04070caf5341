"""Installations in memory that were as Setup leaves them, and were then broken: edits of SYSTEM, files taken away."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from bootgraft.changes import Plan
from bootgraft.checks.finding import Finding
from bootgraft.checks.guest import Guest
from bootgraft.repair.apply import apply
from bootgraft.targets.controllers import find_controller
from tests.checks.guests import guest_of
from tests.machines.build import content
from tests.machines.cache import kept_folder
from tests.machines.registry_text import RegistryValue, reg_text
from tests.machines.spec import Architecture
from tests.machines.windows_files import windows_files
from tests.machines.windows_hives import (
    WINDOWS_XP,
    ControlSet,
    Release,
    Select,
    SystemFacts,
    software_hive,
    system_hive,
)
from tests.memory_windows import LOG_FILE, MemoryFileSystem, MemoryWindows, windows_on
from tests.windows.hives import spec_bytes

GPT_GUID = "0d2b7e51-8c40-4b67-8f00-51e2a0c3d003"
DISK = r"Control\Class\{4D36E967-E325-11CE-BFC1-08002BE10318}"
SETS = (1, 2)


def core_windows(
    edits: str = "",
    *,
    release: Release = WINDOWS_XP,
    arch: Architecture = Architecture.X86,
    without: Sequence[str] = (),
    files: Mapping[str, bytes] | None = None,
) -> MemoryWindows:
    r"""A Windows whose hive got these ``.reg`` lines at the end (``[-\KEY]`` and ``"NAME"=-`` delete).

    ``without`` are files taken away, ``files`` such that are added, all below the Windows directory.
    """
    root = f"\\{release.directory}"
    facts = SystemFacts(release, arch, "SERVER1", tuple(map(ControlSet, SETS)), Select(), ())
    made = system_hive(facts)
    gone = {f"{root}\\{each}".casefold() for each in without}
    contents = {path: data for path, data in _files(release, arch).items() if path.casefold() not in gone}
    contents |= {f"{root}\\{path}": data for path, data in (files or {}).items()}
    contents[rf"{root}\system32\config\system"] = spec_bytes(replace(made, text=f"{made.text}\n{edits}"))
    windows = windows_on(MemoryFileSystem(contents), root)
    if release.nt >= (6, 0):
        windows.installation.volume.partition = replace(windows.installation.volume.partition, guid=GPT_GUID)
    return windows


def in_sets(keys: Mapping[str, Mapping[str, RegistryValue]]) -> str:
    """Keys below a control set, as ``.reg`` text for every control set."""
    text = reg_text({rf"ControlSet{number:03d}\{key}": values for number in SETS for key, values in keys.items()})
    return f"{text}\n\n"


def without_values(key: str, *names: str) -> str:
    """What deletes values of a key below a control set, in every control set."""
    lines = "\n".join(f'"{name}"=-' for name in names)
    return "".join(f"[\\ControlSet{number:03d}\\{key}]\n{lines}\n\n" for number in SETS)


def without_keys(*keys: str) -> str:
    """What deletes keys below a control set, in every control set."""
    return "".join(f"[-\\ControlSet{number:03d}\\{key}]\n\n" for number in SETS for key in keys)


def guest(windows: MemoryWindows, target: str = "vmware:ide") -> Guest:
    """The guest on a controller that every Windows since 2000 has a driver for."""
    from tests.checks.subjects import chain

    return guest_of(chain(), windows.installation, windows.hive, find_controller(target))


def repaired(windows: MemoryWindows, findings: Sequence[Finding]) -> MemoryWindows:
    """The Windows with the changes that these findings carry."""
    changes = tuple(dict.fromkeys(change for finding in findings for change in finding.changes))
    apply(Plan(changes), windows.machine, now=datetime(2026, 1, 2, tzinfo=UTC))
    return windows.reread()


@cache
def _files(release: Release, arch: Architecture) -> dict[str, bytes]:
    made = windows_files(
        release.directory, release, arch, system=None, software=software_hive(release, rf"C:\{release.directory}")
    )
    where = kept_folder() or Path(tempfile.mkdtemp())
    return {file.path: content(file, where) for file in made} | {LOG_FILE: bytes(65536)}


def driver_file(release: Release = WINDOWS_XP, arch: Architecture = Architecture.X86) -> bytes:
    """A driver that imports from the kernel alone."""
    wanted = rf"\{release.directory}\system32\drivers\partmgr.sys".casefold()
    return next(data for path, data in _files(release, arch).items() if path.casefold() == wanted)
