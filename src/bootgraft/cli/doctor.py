"""``bootgraft doctor``: which parts of the system are missing or outdated, what that means, and what to type."""

import shutil

from bootgraft.cli.options import Options
from bootgraft.cli.terminal import put, put_json
from bootgraft.report.documents.doctor import CagePart, DoctorDocument, Part


def run(options: Options) -> int:
    """Print each part; exit status 0 where nothing is missing, even if something is outdated, 1 else."""
    parts = (
        _libntfs(),
        _library("libnbd", "libnbd.so.0", "images but raw and flat ones, and no nbd:// URIs", "libnbd0"),
        _program("qemu-nbd"),
        _program("qemu-img"),
        _library("libwim", "libwim.so.15", "files of Windows 10 and later that Compact OS compressed", "libwim15"),
        _library(
            "libarchive",
            "libarchive.so.13",
            "drivers out of cabinets (the guest's own driver.cab), ISO, ZIP and 7z",
            "libarchive13",
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
    from bootgraft.confinement.reader import NO_LANDLOCK, NO_SECCOMP
    from bootgraft.confinement.trial import try_on

    found = try_on()
    return (
        CagePart("no_new_privs", None, None if found.no_new_privileges else "the kernel refuses it"),
        CagePart("Landlock", found.landlock or None, None if found.landlock else NO_LANDLOCK),
        CagePart("seccomp", None, None if found.seccomp else NO_SECCOMP),
    )


def _libntfs() -> Part:
    from bootgraft.filesystems.ntfs.version import library_version, update_command, warning_of

    fault = _missing_library("libntfs-3g.so.89")
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


def _library(name: str, soname: str, needed_for: str, package: str) -> Part:
    return Part(name, needed_for, package, "", _missing_library(soname))


def _missing_library(soname: str) -> str | None:
    from _cffi_backend import FFI

    try:
        FFI().dlopen(soname)
    except OSError:
        return f"{soname} cannot be loaded"
    return None


def _program(name: str) -> Part:
    path = shutil.which(name)
    fault = None if path else f"the program {name} is not on the PATH"
    purpose = "images but raw and flat ones" if name == "qemu-nbd" else "--overlay"
    return Part(name, purpose, "qemu-utils", path or "", fault)
