"""``bootgraft doctor``: which parts of the system are missing or outdated, what that means, and what to type."""

import shutil
from collections.abc import Iterator, Sequence
from typing import Any

from bootgraft.cli.options import Options
from bootgraft.cli.terminal import put_json, show
from bootgraft.drivers.archives import _libarchive
from bootgraft.drivers.archives.libarchive import LIBARCHIVE
from bootgraft.errors import MissingDependencyError
from bootgraft.filesystems.ntfs import _libntfs as bound_libntfs
from bootgraft.filesystems.ntfs import _libwim
from bootgraft.filesystems.ntfs.library import LIBNTFS
from bootgraft.filesystems.ntfs.wof import LIBWIM
from bootgraft.report.documents.doctor import CagePart, DoctorDocument, Part
from bootgraft.report.layout.lines import LineRole, Printed, PrintedLine, Tone
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
    part_lines = (line for part in parts for line in _lines(part))
    show((*part_lines, *map(_cage_line, cage), _summary(parts, missing=missing)))
    return int(missing)


def _summary(parts: Sequence[Part], *, missing: bool) -> PrintedLine:
    if missing:
        return PrintedLine("Something is missing.", tone=Tone.BAD)
    warned = "; see what is said of it above" if any(part.warning for part in parts) else ""
    return PrintedLine(f"Everything is there{warned}.", tone=Tone.OPEN if warned else Tone.GOOD)


def _lines(part: Part) -> Iterator[Printed]:
    if part.fault:
        yield _head("MISSING", f"{part.name}: {part.fault}", Tone.BAD)
        yield f"         without it: no {part.needed_for}"
        yield f"         install it: apt install {part.package}"
    elif part.warning:
        yield _head("warning", f"{part.name}: {part.warning}", Tone.OPEN)
        yield f"         to get what your distribution has by now, type: {part.update}"
    else:
        yield _head("ok", f"{part.name} {part.version}", Tone.GOOD)


def _cage_line(part: CagePart) -> PrintedLine:
    if part.fault:
        return _head("without", f"{part.name}: {part.fault}", Tone.OPEN)
    return _head("ok", part.name + ("" if part.version is None else f" (version {part.version})"), Tone.GOOD)


def _head(word: str, text: str, tone: Tone) -> PrintedLine:
    return PrintedLine(f"{word:<7}  {text}", LineRole.ROW, tone, (0, 9))


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
