r"""Gate 3, first half: what the loader reads before any driver: kernel, HAL, what they import, and code pages.

The kernel's own imports tell which libraries those are: none on NT 4, bootvid.dll on 2000, kdcom.dll since XP, and
pshed.dll, ci.dll and clfs.sys since Vista. The tables of National Language Support are those that ``Control\Nls``
names (ReactOS, ``boot/freeldr/freeldr/ntldr/wlregistry.c``).
"""

from collections.abc import Iterator

from bootgraft.changes import Change, WriteFile
from bootgraft.checks.check import Check
from bootgraft.checks.core.facts import CoreFacts
from bootgraft.checks.core.restore import restored
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.registry.hive import Key
from bootgraft.text import printable
from bootgraft.windows.installation import control_set_name
from bootgraft.windows.startup.import_names import import_names
from bootgraft.windows.versions import VISTA, WINDOWS_8

ID = "loader-file-unusable"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows from NT 4 on",
    cause="A file that the loader reads before any driver is missing, empty, no binary or of another architecture: "
    "ntoskrnl.exe, hal.dll, what they import (bootvid.dll, kdcom.dll, pshed.dll, ci.dll, clfs.sys, as the Windows has "
    "them), the code pages that Control\\Nls\\CodePage names as ACP and OEMCP, and l_intl.nls. Or, before Vista, that "
    "key names no file for one of them.",
    evidence="The file, what is wrong with it, and who needs it.",
    fix="The newest copy of the same build and architecture is taken from where this Windows keeps one (dllcache, "
    "ServicePackFiles, the cabinets of Driver Cache; WinSxS). Kernel and HAL exist in kinds for different machines: of "
    "XP and Server 2003, `--fix loader-file-unusable` puts the HAL of the registry's kind in place. Where there is "
    "none, put the file back from a backup or the setup medium.",
    limits="The font of the boot screen is not looked for, nor is what a kernel or HAL named in boot.ini imports.",
    symptoms=(Symptom.FILE_MISSING, Symptom.C000000F, Symptom.C0000225, Symptom.C000007B, Symptom.C0000359),
    references=(
        "https://learn.microsoft.com/troubleshoot/windows-client/performance/windows-boot-issues-troubleshooting",
    ),
)
_SYSTEM32 = "system32"
_KERNEL, _HAL = "ntoskrnl.exe", "hal.dll"
_MAX_FILES = 32
_PAGES = ("ACP", "OEMCP")


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for each file that the loader cannot use, and for each code page of which it learns no file."""
    core = guest.core
    if core is None:
        return
    yield from _nameless_pages(core)
    for path, fault, needed_by in (*_faulty_binaries(core, _chosen_elsewhere(guest)), *_faulty_tables(core)):
        yield _finding(core, path, fault, needed_by)


def _chosen_elsewhere(guest: Guest) -> frozenset[str]:
    """The files in whose place boot.ini names others."""
    switches = () if guest.chain.entry is None else guest.chain.entry.switches
    names = (each.partition("=")[0].casefold().lstrip("/") for each in switches)
    return frozenset({"hal": _HAL, "kernel": _KERNEL}[name] for name in names if name in ("hal", "kernel"))


def _faulty_binaries(core: CoreFacts, elsewhere: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    pending = [(name, "the loader") for name in (_KERNEL, _HAL) if name not in elsewhere]
    seen = set(elsewhere)
    while pending and len(seen) < _MAX_FILES:
        name, needed_by = pending.pop(0)
        if name in seen:
            continue
        seen.add(name)
        head = core.head(_place(core, name))
        fault = head.fault_for(core.arch)
        if fault is None:
            pending += ((each.lower(), name) for each in _imports(core, head.path))
        elif not _has_stand_in(core, name):
            yield head.path, fault, needed_by


def _place(core: CoreFacts, name: str) -> str:
    """Where the loader finds a library: in system32, else among the drivers."""
    beside = f"{_SYSTEM32}\\drivers\\{name}"
    return (
        beside
        if not core.head(f"{_SYSTEM32}\\{name}").present and core.head(beside).present
        else f"{_SYSTEM32}\\{name}"
    )


def _imports(core: CoreFacts, path: str) -> tuple[str, ...]:
    """What a library imports; of a driver nothing: its file is judged with its service."""
    if "\\drivers\\" in path.casefold():
        return ()
    return import_names(core.installation.volume.filesystem(), path)


def _has_stand_in(core: CoreFacts, name: str) -> bool:
    """Whether the loader takes another file: since Windows 8 it is kd.dll in place of kdcom.dll while not debugged."""
    return name == "kdcom.dll" and core.version >= WINDOWS_8 and core.head(f"{_SYSTEM32}\\kd.dll").present


def _faulty_tables(core: CoreFacts) -> Iterator[tuple[str, str, str]]:
    directory = core.installation.directory
    for name, key in dict.fromkeys(_tables(core)):
        path = f"{directory}\\{_SYSTEM32}\\{name}"
        try:
            entry = core.installation.volume.filesystem().stat(path)
        except FileMissingError:
            yield path, "it is missing", key
            continue
        except FileSystemError as error:
            yield path, error.what, key
            continue
        if entry.is_directory or not entry.size:
            yield path, "it is a directory" if entry.is_directory else "it is empty", key


def _tables(core: CoreFacts) -> Iterator[tuple[str, str]]:
    """The files of the code pages and of the language, and the key that names them."""
    nls = f"{control_set_name(core.installation.select.default)}\\Control\\Nls"
    pages = core.hive.key(f"{nls}\\CodePage")
    for kind in _PAGES:
        _, name = _page(pages, kind)
        if name:
            yield name, f"{nls}\\CodePage"
    languages = core.hive.key(f"{nls}\\Language")
    default = None if languages is None else languages.value("Default")
    table = None if languages is None or default is None else languages.value(default.text() or "")
    named = None if table is None else table.text()
    yield named or "l_intl.nls", f"{nls}\\Language"


def _page(pages: Key | None, kind: str) -> tuple[str, str]:
    """The number of the code page that is ACP or OEMCP, and its file; '' for what nothing names."""
    number = None if pages is None else pages.value(kind)
    text = "" if number is None else number.text() or ""
    name = None if pages is None or not text else pages.value(text)
    return text, "" if name is None else name.text() or ""


def _nameless_pages(core: CoreFacts) -> Iterator[Finding]:
    """Before Vista; later ones may run with a page that no value names a file for (UTF-8, 65001)."""
    key = f"{control_set_name(core.installation.select.default)}\\Control\\Nls\\CodePage"
    pages = core.hive.key(key)
    for kind in _PAGES if core.version < VISTA else ():
        number, name = _page(pages, kind)
        if name:
            continue
        lacking = (
            f"no value {printable(number)}" if number else f"no value {kind}" if pages is not None else "no values"
        )
        yield Finding(
            ID,
            Severity.WARNING,
            f"the registry names no file for the code page {kind}",
            "ntldr takes the file's name from there before it reads any driver. What it does without is not "
            "documented; freeldr, which was written after it, stops.",
            (f"{core.file.path}: {key} has {lacking}",),
            leaves_open=True,
        )


def _finding(core: CoreFacts, path: str, fault: str, needed_by: str) -> Finding:
    is_table = path.casefold().endswith(".nls")
    copy = restored(core, path, is_binary=not is_table)
    is_hal = path.casefold().endswith(f"\\{_HAL}")
    copies = _hal(core, path) if is_hal else () if copy is None else (copy,)
    changes: tuple[Change, ...] = copies
    taken = tuple(f"{each.origin} fits and can take its place" for each in copies)
    loader = "winload stops and names it" if core.version >= VISTA else "ntldr stops and names it as missing or corrupt"
    return Finding(
        ID,
        Severity.BLOCKER,
        f"the loader cannot use {path}: {fault}",
        f"It is read before any driver: {loader}.",
        (f"{core.installation.volume.name}: {path}: {fault}; needed by {needed_by}", *taken),
        Remedy.NONE if not changes else Remedy.OFFERED if is_hal else Remedy.CHANGES,
        changes,
    )


def _hal(core: CoreFacts, path: str) -> tuple[WriteFile, ...]:
    from bootgraft.checks.core import kernel_choice  # few machines lack it

    return kernel_choice.missing_hal(core, path)


CHECK = Check(Stage.CORE, 10, (DOC,), find)
