"""Will the next start remove the file of a driver that the start after it needs?"""

from collections.abc import Iterator

from bootgraft.changes import RegistryData, SetValue
from bootgraft.checks.check import Check
from bootgraft.checks.core.core_path import core_names, file_system_driver
from bootgraft.checks.core.facts import CoreFacts
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.text import excerpt
from bootgraft.windows.installation import control_set_name
from bootgraft.windows.leftovers.servicing import FileOperations, read_file_operations

ID = "boot-driver-removal-pending"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows",
    cause="PendingFileRenameOperations, by which installers have files removed or renamed at the next start, names the "
    "file of a driver that the boot disk is behind: somebody removed the tools of the old hypervisor, or a driver, and "
    "copied the machine before the restart. The first start succeeds, with the file; the second one finds none.",
    evidence="The operation, and the driver that needs the file.",
    fix=f"`--fix {ID}` takes exactly these operations out of the list, in the default control set.",
    limits="A file that a later operation of the list puts back is not named. The other operations of the list are as "
    "they should be on most machines, and are not mentioned.",
    symptoms=(Symptom.STOP_7B,),
    references=("https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-movefileexw",),
)


def find(guest: Guest) -> Iterator[Finding]:
    """One finding with every such operation."""
    core = guest.core
    if core is None:
        return
    number = core.installation.select.default
    found = read_file_operations(core.installation, core.hive, number)
    if found is None or not found.operations:
        return
    gone = _gone(found)
    needed = {path: name for path, name in _needed(guest, core, number) if path in gone}
    if needed:
        yield _finding(core, number, found, {gone[path]: name for path, name in needed.items()})


def _gone(found: FileOperations) -> dict[str, int]:
    """The files that are not in their place afterwards, casefolded, each with the number of its operation."""
    gone: dict[str, int] = {}
    for number, operation in enumerate(found.operations):
        gone[operation.old.casefold()] = number
        if operation.new is not None:
            gone.pop(operation.new.casefold(), None)
    return gone


def _needed(guest: Guest, core: CoreFacts, number: int) -> Iterator[tuple[str, str]]:
    names = [*core_names(guest, core, number), file_system_driver(core)]
    names += [each.service_name for each in guest.facts.links if each.service_name] if guest.facts else []
    for name in dict.fromkeys(names):
        head = core.driver(number, name).head
        if head is not None:
            yield head.path.casefold(), name


def _finding(core: CoreFacts, number: int, found: FileOperations, drivers: dict[int, str]) -> Finding:
    names = ", ".join(drivers.values())
    data = RegistryData(found.data.type, found.without(frozenset(drivers)))
    return Finding(
        ID,
        Severity.WARNING,
        f"the next start removes the file of a driver that the boot disk is behind: {names}",
        f"The first start still has it; the second one stops without it. --fix {ID} takes the operation out of the "
        "list.",
        tuple(
            f"{core.file.path}: {found.key_path}: PendingFileRenameOperations: {excerpt(found.operations[at].old)}, "
            f"the file of {name}, is {'removed' if found.operations[at].new is None else 'renamed'}"
            for at, name in drivers.items()
        ),
        Remedy.OFFERED,
        (
            SetValue(
                core.file,
                f"{control_set_name(number)}\\Control\\Session Manager",
                "PendingFileRenameOperations",
                data,
                found.data,
            ),
        ),
    )


CHECK = Check(Stage.CORE, 22, (DOC,), find)
