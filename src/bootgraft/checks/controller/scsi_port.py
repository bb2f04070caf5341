"""Windows 2000 on a BusLogic controller: is scsiport.sys the one that stops there?

That of the first Update Rollup 1 for Service Pack 4 (5.0.2195.7017) stops with 0x1E where a miniport looks for its
adapter in the old way, as that of BusLogic does; version 2 of the rollup has 5.0.2195.7059 (Microsoft, Knowledge Base
904374 and 891861; tech.lazyllama.com, May 2006; elasticsky.de, April 2012, both after a conversion).
"""

from collections.abc import Iterator

from bootgraft.changes import Change, WriteFile, content_digest
from bootgraft.checks.check import Check
from bootgraft.checks.core.facts import CoreFacts
from bootgraft.checks.core.restore import restored
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import FileSystemError
from bootgraft.windows.pe import MAX_SIZE, NotPortableExecutableError, read_pe
from bootgraft.windows.startup.kernel_files import read_kernel_file
from bootgraft.windows.versions import WINDOWS_2000

ID = "scsiport-stops-on-buslogic"
_BUILD, _FIRST, _GOOD = (5, 0, 2195), 7017, 7059
_DRIVER = r"system32\drivers\scsiport.sys"
_UNINSTALL = r"$NtUpdateRollupPackUninstall$\scsiport.sys"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows 2000 SP4 with the first Update Rollup 1, on a BusLogic controller",
    cause="scsiport.sys of the first version of that rollup (5.0.2195.7017) stops with 0x1E "
    "KMODE_EXCEPTION_NOT_HANDLED on controllers like BusLogic's, which VMware gives this Windows. On the old machine's "
    "controller it did no harm.",
    evidence="The version of scsiport.sys.",
    fix="`--fix scsiport-stops-on-buslogic` puts the file back that the rollup replaced, from "
    "\\WINNT\\$NtUpdateRollupPackUninstall$; a newer one in a cache of this Windows is taken without being asked for. "
    "Or take scsiport.sys 5.0.2195.7059 from version 2 of the rollup (KB891861), or another controller.",
    limits="Versions from 5.0.2195.7017 on, below 7059.",
    symptoms=(Symptom.STOP_1E,),
    references=(
        "https://elasticsky.de/2012/04/bsod-kmode_exception_not_handled-nach-konvertierung-von-windows2000-server",
        "https://tech.lazyllama.com/2006/05/",
    ),
)


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where this Windows would stop on this controller."""
    core, controller = guest.core, guest.controller
    if core is None or controller is None or controller.name != "buslogic" or core.version != WINDOWS_2000:
        return
    path = f"{core.installation.directory}\\{_DRIVER}"
    file = read_kernel_file(core.installation.volume.filesystem(), path)
    if file is None or not _stops(file.version):
        return
    copy = restored(core, path)
    newer = None if copy is None or _stops(_version(copy.data, copy.origin)) else copy
    older = None if newer is not None else _replaced_file(core, path)
    changes: tuple[Change, ...] = tuple(each for each in (newer, older) if each is not None)
    yield Finding(
        ID,
        Severity.BLOCKER,
        f"scsiport.sys stops Windows 2000 on {controller.target}",
        "The scsiport.sys of the first Update Rollup 1 stops with 0x1E on a BusLogic controller. Take that of version "
        "2 of the rollup (5.0.2195.7059, KB891861), the one that the rollup replaced, or another controller.",
        (
            f"{core.installation.volume.name}: {file}",
            *(f"{each.origin}" for each in (newer, older) if each is not None),
        ),
        Remedy.CHANGES if newer is not None else Remedy.OFFERED if older is not None else Remedy.NONE,
        changes,
        "0x1e",
    )


def _stops(version: tuple[int, ...] | None) -> bool:
    return version is not None and version[:3] == _BUILD and _FIRST <= version[3] < _GOOD


def _version(data: bytes, name: str) -> tuple[int, ...] | None:
    try:
        return read_pe(data, name=name).version
    except NotPortableExecutableError:
        return None


def _replaced_file(core: CoreFacts, path: str) -> WriteFile | None:
    """The file that the rollup put away, in the place of its own; None where it is not there, or is no better."""
    volume, old = core.installation.volume, f"{core.installation.directory}\\{_UNINSTALL}"
    filesystem = volume.filesystem()
    try:
        data, present = filesystem.read(old, 0, MAX_SIZE), filesystem.read(path)
    except FileSystemError:
        return None
    version = _version(data, old)
    if version is None or version[:3] != _BUILD or _stops(version):
        return None
    return WriteFile(volume.file(path), data, content_digest(present), f"its own {old}")


CHECK = Check(Stage.CONTROLLER, 85, (DOC,), find)
