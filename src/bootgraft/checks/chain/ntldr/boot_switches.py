r"""Gate 2 on NT 4 to Server 2003: are there switches in the default entry that were meant for the old machine?

Meanings: Microsoft, "Boot Options in a Boot.ini File" and "Available switch options for the Windows XP and the Windows
Server 2003 Boot.ini files" (KB833721). ``/HAL=`` and ``/KERNEL=`` name files in ``system32``.
"""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from bootgraft.boot import search
from bootgraft.boot.ntldr.bootini import BootEntry
from bootgraft.boot.steps import BootTarget
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import FileSystemError
from bootgraft.text import printable

ID = "boot-ini-switches"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows NT 4 to Server 2003, and ReactOS",
    cause="The default entry of boot.ini has switches that were set for the hardware of the old machine, or to look "
    "into a fault of it: /HAL= and /KERNEL=, /MAXMEM=, /NUMPROC=, /ONECPU, /PCILOCK, /SAFEBOOT:, /DEBUG and others.",
    evidence="The line, each such switch, and what it does; for /HAL= and /KERNEL= whether their file is there.",
    fix="None: they may be meant. The line is named; take out by hand what the new machine does not need.",
    limits="Only the default entry. A blocker where a file of /HAL= or /KERNEL= is not in system32, info for what does "
    "no harm on any machine.",
    symptoms=(Symptom.FILE_MISSING,),
    references=(
        "https://learn.microsoft.com/windows-hardware/drivers/devtest/boot-options-in-a-boot-ini-file",
        "https://learn.microsoft.com/troubleshoot/windows-server/performance/switch-options-for-boot-files",
    ),
)


class SwitchEffect(StrEnum):
    """What a switch does to a machine for which it was not meant."""

    STOPS = "stops"
    REVIEW = "review"
    HARMLESS = "harmless"


class ReviewedSwitch(Struct, frozen=True):
    """One switch as written, and what it does."""

    text: str
    effect: SwitchEffect
    meaning: str


_SEVERITY = {
    SwitchEffect.STOPS: Severity.BLOCKER,
    SwitchEffect.REVIEW: Severity.WARNING,
    SwitchEffect.HARMLESS: Severity.INFO,
}
_TITLE = {
    SwitchEffect.STOPS: "the default entry of the boot menu loads a file that is not there",
    SwitchEffect.REVIEW: "the default entry of the boot menu has switches that were meant for the old machine",
    SwitchEffect.HARMLESS: "the default entry of the boot menu has switches that do nothing in a new machine",
}
_MEANING = {
    SwitchEffect.STOPS: "The loader stops: 'Windows could not start because the following file is missing or corrupt'. "
    "Take the switch out of that line, or put the file back.",
    SwitchEffect.REVIEW: "Windows starts with them, and may be slower, smaller or without most of its services. Take "
    "out of that line what the new machine does not need.",
    SwitchEffect.HARMLESS: "They can stay.",
}
_FILES = {"hal": "the hardware abstraction layer", "kernel": "the kernel"}
_REVIEW = {
    "maxmem": "lets Windows use no more memory than that",
    "burnmemory": "keeps that much memory from Windows",
    "numproc": "lets Windows use no more processors than that",
    "onecpu": "lets Windows use one processor only",
    "pcilock": "keeps Windows from assigning resources to PCI devices: it takes what the BIOS gave them",
    "intaffinity": "sends every interrupt to the processor with the highest number",
    "maxprocspercluster": "groups processors as on the old machine",
    "scsiordinal": "chose between two equal SCSI controllers of the old machine",
    "safeboot": "starts safe mode, without most drivers and services, every time",
    "debug": "turns the kernel debugger on: a STOP waits for a debugger instead of starting again",
    "crashdebug": "turns the kernel debugger on when Windows stops: it waits for a debugger then",
}
_HARMLESS = {
    "debugport": "names the port for a kernel debugger",
    "baudrate": "sets the speed of that port, and turns the debugger on for it",
    "channel": "names the FireWire channel for a kernel debugger",
    "timeres": "sets the resolution of the system timer, on one old HAL only",
    "redirect": "sends the console to a serial port, where there is one",
}


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for each kind of switch in the entry that starts, the worst first."""
    chain = guest.chain
    if chain.menu is None or chain.entry is None or chain.system is None or chain.default is None:
        return
    switches = tuple(reviewed(chain.entry, chain.default))
    where = f"{chain.system.name}: \\{chain.menu.file}, line {chain.entry.line}"
    for effect in SwitchEffect:
        evidence = tuple(f"{each.text}: {each.meaning}" for each in switches if each.effect is effect)
        if evidence:
            yield Finding(ID, _SEVERITY[effect], _TITLE[effect], _MEANING[effect], (where, *evidence))


def reviewed(entry: BootEntry, target: BootTarget) -> Iterator[ReviewedSwitch]:
    """The switches of the ``entry``, which starts the ``target``, that are worth a word."""
    for text in entry.switches:
        name, _, value = text.lstrip("/").partition("=")
        name, value = name.partition(":")[0].strip().casefold(), value.strip()
        if name in _FILES and value:
            yield _file(printable(text), _FILES[name], value, target)
        elif name in _REVIEW:
            yield ReviewedSwitch(printable(text), SwitchEffect.REVIEW, _REVIEW[name])
        elif name in _HARMLESS:
            yield ReviewedSwitch(printable(text), SwitchEffect.HARMLESS, _HARMLESS[name])


def _file(text: str, what: str, value: str, target: BootTarget) -> ReviewedSwitch:
    if ")" in value:  # FreeLoader takes a whole ARC path too
        return ReviewedSwitch(
            text, SwitchEffect.REVIEW, f"loads {printable(value)} as {what}, chosen for the old machine"
        )
    path = f"{target.directory}\\system32\\{value}"
    try:
        entry = search.find_entry(target.volume.filesystem(), path)
    except FileSystemError as error:  # what the loader cannot read either stops it
        return ReviewedSwitch(text, SwitchEffect.STOPS, f"loads {printable(path)} as {what}: {error.what}")
    if entry is None or entry.is_directory:
        return ReviewedSwitch(text, SwitchEffect.STOPS, f"loads {printable(path)} as {what}, and there is no such file")
    meaning = f"loads {printable(path)} as {what}, chosen for the old machine"
    return ReviewedSwitch(text, SwitchEffect.REVIEW, meaning)


CHECK = Check(Stage.CHAIN, 40, (DOC,), find)
