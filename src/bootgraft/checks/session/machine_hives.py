"""Gate 5: are the hives there that the kernel loads beside SYSTEM?"""

from collections.abc import Iterator

from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.windows.hives import hive_path
from bootgraft.windows.installation import Installation

ID = "machine-hive-unusable"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows from NT 4 on",
    cause="One of the hives SOFTWARE, DEFAULT, SAM and SECURITY is missing, or is no registry hive. The kernel stops "
    "with 0xC0000218: the hive is corrupt, absent, or not writable.",
    evidence="The file and what is wrong with it.",
    fix="None: put the hive back from a backup, from `config\\RegBack`, or on Windows 2000 to 2003 from `repair`.",
    limits="Only the first bytes are looked at; `bootgraft reg verify IMAGE` reads a whole hive.",
    symptoms=(Symptom.C0000218,),
    references=(
        "https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-0xc0000218--status-cannot-load-registry-file",
    ),
)
_HIVES = ("SOFTWARE", "DEFAULT", "SAM", "SECURITY")
_STOP_CODE = "0xc0000218"
_MAGIC = b"regf"


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for each hive that the kernel could not load."""
    installation = guest.installation
    for name in _HIVES if installation is not None else ():
        if installation is not None:
            path = hive_path(installation.directory, name)
            fault = _fault(installation, path)
            if fault is not None:
                yield _finding(installation, name, path, fault)


def _fault(installation: Installation, path: str) -> str | None:
    try:
        magic = installation.volume.filesystem().read(path, 0, len(_MAGIC))
    except FileMissingError:
        return "it is missing"
    except FileSystemError as error:
        return error.what
    return None if magic == _MAGIC else "it is no registry hive"


def _finding(installation: Installation, name: str, path: str, fault: str) -> Finding:
    return Finding(
        ID,
        Severity.BLOCKER,
        f"the hive {name} cannot be loaded: {fault}",
        f"{installation.product} stops with 0xC0000218 when it has its volume and loads the rest of the registry.",
        (f"{installation.volume.name}: {path}: {fault}",),
        stop_code=_STOP_CODE,
    )


CHECK = Check(Stage.SESSION, 10, (DOC,), find)
