"""Gate 5: are the first programs there, and the library that the kernel maps for them?"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.checks.check import Check
from bootgraft.checks.core.facts import CoreFacts
from bootgraft.checks.core.restore import restored
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.windows.versions import NT4, VISTA

ID = "session-file-unusable"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows from NT 4 on",
    cause="A file that the first programs are made of is missing, no binary, or of another architecture: ntdll.dll "
    "(STOP 0x6B PROCESS1_INITIALIZATION_FAILED), smss.exe (0x6F SESSION3_INITIALIZATION_FAILED), csrss.exe, "
    "winlogon.exe, since Vista wininit.exe (0xC000021A STATUS_SYSTEM_PROCESS_TERMINATED).",
    evidence="The file and what is wrong with it.",
    fix="The newest copy of the same build and architecture as the kernel is taken from where this Windows keeps one "
    "(dllcache, ServicePackFiles; WinSxS).",
    limits="What these programs load in turn is not looked at.",
    symptoms=(Symptom.STOP_6B, Symptom.STOP_6F, Symptom.C000021A, Symptom.C0000221),
    references=(
        "https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-0x6b--process1-initialization-failed",
        "https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-0x6f--session3-initialization-failed",
        "https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-0xc000021a--status-system-process-terminated",
    ),
)


class _Program(Struct, frozen=True):
    name: str
    stop_code: str
    first: tuple[int, int] = NT4


_PROGRAMS = (
    _Program("ntdll.dll", "0x6b"),
    _Program("smss.exe", "0x6f"),
    _Program("csrss.exe", "0xc000021a"),
    _Program("wininit.exe", "0xc000021a", VISTA),
    _Program("winlogon.exe", "0xc000021a"),
)


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for each file of the first programs that cannot be used."""
    core = guest.core
    for program in _PROGRAMS if core is not None else ():
        if core is not None and core.version >= program.first:
            head = core.head(f"system32\\{program.name}")
            fault = head.fault_for(core.arch)
            if fault is not None:
                yield _finding(core, program, head.path, fault)


def _finding(core: CoreFacts, program: _Program, path: str, fault: str) -> Finding:
    copy = restored(core, path)
    taken = () if copy is None else (f"{copy.origin} fits and can take its place",)
    return Finding(
        ID,
        Severity.BLOCKER,
        f"Windows cannot start its first programs with {path}: {fault}",
        f"The kernel has its volume then, and stops with {program.stop_code.replace('0xc', '0xC')}.",
        (f"{core.installation.volume.name}: {path}: {fault}", *taken),
        Remedy.NONE if copy is None else Remedy.CHANGES,
        () if copy is None else (copy,),
        program.stop_code,
    )


CHECK = Check(Stage.SESSION, 20, (DOC,), find)
