"""``bootgraft doctor``: which parts of the system are missing, what that disables, and the package to install."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

from bootgraft.cli.options import Options
from bootgraft.errors import MissingDependencyError


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that bootgraft needs from the system; ``fault`` is None where it is there and good."""

    name: str
    needed_for: str
    package: str
    version: str
    fault: str | None


def run(options: Options) -> int:
    """Print each part; exit status 0 where nothing is missing, 1 else."""
    parts = [_libntfs(), _libnbd(), _program("qemu-nbd"), _program("qemu-img"), _libarchive()]
    missing = any(part.fault for part in parts)
    if options.json:
        sys.stdout.write(json.dumps({"parts": [asdict(part) for part in parts]}) + "\n")
        return int(missing)
    for part in parts:
        if part.fault:
            sys.stdout.write(f"MISSING  {part.name}: {part.fault}\n")
            sys.stdout.write(f"         without it: no {part.needed_for}\n")
            sys.stdout.write(f"         install it: apt install {part.package}\n")
        else:
            sys.stdout.write(f"ok       {part.name} {part.version}\n")
    sys.stdout.write("Something is missing.\n" if missing else "Everything is there.\n")
    return int(missing)


def _libntfs() -> Part:
    from bootgraft.filesystems.ntfs_library import is_known_vulnerable, library_version

    version, fault = _probe(library_version)
    if fault is None and is_known_vulnerable(version):
        fault = (
            f"version {version} has known memory-safety bugs; bootgraft runs it in a process of its own, but update it"
        )
    return Part("libntfs-3g", "NTFS volumes", "libntfs-3g89 (on newer releases: libntfs-3g89t64)", version, fault)


def _libnbd() -> Part:
    from bootgraft.storage.nbd import library_version

    version, fault = _probe(library_version)
    return Part("libnbd", "images but raw and flat ones, no nbd:// URIs", "libnbd0", version, fault)


def _probe(version: Callable[[], str]) -> tuple[str, str | None]:
    try:
        return version(), None
    except MissingDependencyError as error:
        return "", error.what


def _program(name: str) -> Part:
    path = shutil.which(name)
    fault = None if path else f"the program {name} is not on the PATH"
    purpose = "images but raw and flat ones" if name == "qemu-nbd" else "--overlay"
    return Part(name, purpose, "qemu-utils", path or "", fault)


def _libarchive() -> Part:
    from _cffi_backend import FFI

    try:
        FFI().dlopen("libarchive.so.13")
    except OSError:
        return Part("libarchive", "driver archives", "libarchive13", "", "libarchive.so.13 was not found")
    return Part("libarchive", "driver archives", "libarchive13", "13", None)
