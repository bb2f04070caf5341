"""``bootgraft doctor``: which parts of the system are missing or outdated, what that means, and what to type."""

import shutil
from typing import Any

from bootgraft.cli.options import Options
from bootgraft.cli.terminal import put, put_json
from bootgraft.drivers.archives import _libarchive
from bootgraft.drivers.archives.libarchive import LIBARCHIVE
from bootgraft.errors import MissingDependencyError
from bootgraft.filesystems.ntfs import _libntfs as bound_libntfs
from bootgraft.filesystems.ntfs import _libwim
from bootgraft.filesystems.ntfs.library import LIBNTFS
from bootgraft.filesystems.ntfs.wof import LIBWIM
from bootgraft.report.documents.doctor import CagePart, DoctorDocument, Part
from bootgraft.sharedlibrary import SharedLibrary
from bootgraft.storage.devices import _libnbd
from bootgraft.storage.devices.nbd import LIBNBD


def run(options: Options) -> int:
    """Print each part; exit status 0 where nothing is missing, even if something is outdated, 1 else."""
    parts = (
        _libntfs(),
        _library("libnbd", LIBNBD, _libnbd.ffi, "images but raw and flat ones, and no nbd:// URIs"),
        _program("qemu-nbd"),
        _program("qemu-img"),
        _library("libwim", LIBWIM, _libwim.ffi, "files of Windows 10 and later that Compact OS compressed"),
        _library(
            "libarchive",
            LIBARCHIVE,
            _libarchive.ffi,
            "drivers out of cabinets (the guest's own driver.cab), ISO, ZIP and 7z",
        ),
    )
    missing = any(part.fault for part in parts)
    cage = _cage()
    if options.json:
        put_json(DoctorDocument(parts=parts, cage=cage))
        return int(missing)
    for part in parts:
        _print(part)
    for each in cage:
        version = "" if each.version is None else f" (version {each.version})"
        put(f"without  {each.name}: {each.fault}\n" if each.fault else f"ok       {each.name}{version}\n")
    warned = "Everything is there; see what is said of it above.\n" if any(part.warning for part in parts) else None
    put("Something is missing.\n" if missing else warned or "Everything is there.\n")
    return int(missing)


def _print(part: Part) -> None:
    if part.fault:
        put(f"MISSING  {part.name}: {part.fault}\n")
        put(f"         without it: no {part.needed_for}\n")
        put(f"         install it: apt install {part.package}\n")
    elif part.warning:
        put(f"warning  {part.name}: {part.warning}\n")
        put(f"         to get what your distribution has by now, type: {part.update}\n")
    else:
        put(f"ok       {part.name} {part.version}\n")


def _cage() -> tuple[CagePart, ...]:
    """What keeps the process that reads volumes from doing harm: the kernel's, not to be installed."""
    from bootgraft.confinement.reader import NO_GIVING_UP, NO_LANDLOCK, NO_NEW_PRIVILEGES, NO_SECCOMP
    from bootgraft.confinement.trial import try_on

    found = try_on()
    return (
        CagePart("no_new_privs", None, None if found.no_new_privileges else NO_NEW_PRIVILEGES),
        CagePart("Landlock", found.landlock or None, None if found.landlock else NO_LANDLOCK),
        CagePart("capabilities", None, None if found.capabilities else NO_GIVING_UP),
        CagePart("seccomp", None, None if found.seccomp else NO_SECCOMP),
    )


def _libntfs() -> Part:
    from bootgraft.filesystems.ntfs.version import library_version, update_command, warning_of

    fault = _fault(LIBNTFS, bound_libntfs.ffi)
    version = "" if fault else library_version() or "(version unknown)"
    warning = warning_of(version)
    return Part(
        "libntfs-3g",
        "NTFS volumes",
        "libntfs-3g89 (on newer releases: libntfs-3g89t64)",
        version,
        fault,
        warning,
        update_command(version) if warning else None,
    )


def _library(name: str, library: SharedLibrary, ffi: Any, needed_for: str) -> Part:
    return Part(name, needed_for, library.packages[0], "", _fault(library, ffi))


def _fault(library: SharedLibrary, ffi: Any) -> str | None:
    try:
        library.load(ffi)
    except MissingDependencyError as error:
        return error.what
    return None


def _program(name: str) -> Part:
    path = shutil.which(name)
    fault = None if path else f"the program {name} is not on the PATH"
    purpose = "images but raw and flat ones" if name == "qemu-nbd" else "--overlay"
    return Part(name, purpose, "qemu-utils", path or "", fault)
