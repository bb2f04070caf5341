r"""The switches of a boot menu's entry that were meant for the old machine.

Meanings: Microsoft, "Boot Options in a Boot.ini File" and "Available switch options for the Windows XP and the Windows
Server 2003 Boot.ini files" (KB833721). ``/HAL=`` and ``/KERNEL=`` name files in ``system32``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bootgraft.boot import search
from bootgraft.boot.ntldr.bootini import BootEntry
from bootgraft.boot.steps import BootTarget
from bootgraft.errors import FileSystemError
from bootgraft.text import printable


class SwitchEffect(StrEnum):
    """What a switch does to a machine for which it was not meant."""

    STOPS = "stops"
    REVIEW = "review"
    HARMLESS = "harmless"


@dataclass(frozen=True, slots=True)
class ReviewedSwitch:
    """One switch as written, and what it does."""

    text: str
    effect: SwitchEffect
    meaning: str


@dataclass(frozen=True, slots=True)
class Review:
    """The switches of one entry that are worth a look; ``where`` names the file and the line."""

    where: str
    switches: tuple[ReviewedSwitch, ...]


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


def review(entry: BootEntry, target: BootTarget, menu: str) -> Review:
    """Look through the switches of the ``entry`` in the file ``menu`` (its place) that starts the ``target``."""
    return Review(f"{menu}, line {entry.line}", tuple(_reviewed(entry, target)))


def _reviewed(entry: BootEntry, target: BootTarget) -> Iterator[ReviewedSwitch]:
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
