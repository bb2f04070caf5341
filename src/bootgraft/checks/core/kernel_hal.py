r"""Gate 3 on NT 4 to Server 2003: do kernel, HAL and registry fit each other, and do the drivers beside them?

Setup chooses kernel and HAL by the machine and renames them, so that a restore over another installation, a file copied
from another service pack, or a HAL exchanged by hand leave two that were not made for each other.
"""

from collections.abc import Iterator, Sequence

from bootgraft.changes import Change, WriteFile
from bootgraft.checks.check import Check
from bootgraft.checks.core import kernel_choice
from bootgraft.checks.core.facts import CoreFacts
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.text import printable
from bootgraft.windows.installation import Architecture
from bootgraft.windows.startup.kernel_files import (
    HALS,
    MAKERS_HALS,
    KernelFile,
    computer_ids,
    read_kernel_file,
)
from bootgraft.windows.versions import VISTA, WINDOWS_2000

PROCESSORS = "hal-kernel-processors-differ"
COMPUTER = "hal-registry-differ"
BUILD = "kernel-files-build-differs"
MAKER = "hal-of-another-machine"
_STOP = "0x79"
_APPLIES = "Windows NT 4 to Server 2003"
_MISMATCHED = "https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-0x79--mismatched-hal"
_OPTIONS = "https://www.betaarchive.com/wiki/index.php/Microsoft_KB_Archive/309283"
_BLACK = "https://nigelboulton.co.uk/2011/06/"
_BY_HAND = (
    "Take both files from the Windows folder's own ServicePackFiles\\i386 or Driver Cache\\i386 (sp3.cab, driver.cab), "
    "of the same service pack."
)
DOCS = (
    FindingDoc(
        id=PROCESSORS,
        applies_to=f"{_APPLIES}, x86",
        cause="The HAL is one for a single processor and the kernel one for several, or the other way round: "
        "Setup renames hal.dll and ntoskrnl.exe, and one of the two was restored or exchanged without the other. The "
        "kernel stops with 0x79 MISMATCHED_HAL.",
        evidence="The original names and versions of hal.dll, ntoskrnl.exe and ntkrnlpa.exe.",
        fix=f"`--fix {PROCESSORS}` takes the kernel that fits the HAL, or the HAL that fits the kernel, from a cache "
        "of this Windows: of the registry's kind of computer and of the same service pack. " + _BY_HAND,
        limits="ntldr loads ntkrnlpa.exe in place of ntoskrnl.exe for /PAE and where the processor can forbid "
        "execution: where only one of the two kernels fits, the verdict is left open. /HAL= and /KERNEL= are followed.",
        symptoms=(Symptom.STOP_79,),
        references=(_MISMATCHED,),
    ),
    FindingDoc(
        id=COMPUTER,
        applies_to="Windows 2000 to Server 2003, x86",
        cause="hal.dll is of another kind than the computer that the registry was made for (Standard PC, MPS, ACPI "
        "with PIC or with APIC): a system state restored onto another installation, or a HAL exchanged by hand. The "
        "devices that the registry knows are then below another root: STOP 0x7B, or a black screen at full load.",
        evidence="The original name of hal.dll, and HardwareID below Enum\\Root\\ACPI_HAL and PCI_HAL.",
        fix=f"`--fix {COMPUTER}` takes the HAL of the registry's kind from a cache of this Windows, where the kernel "
        "is one for it and of the same service pack. " + _BY_HAND,
        limits="A warning that leaves the verdict open: some start all the same. Uniprocessor and multiprocessor of "
        "one kind are only told; Windows adapts to them by itself.",
        symptoms=(Symptom.STOP_7B, Symptom.BLACK_SCREEN, Symptom.STOP_79),
        references=(_OPTIONS, _BLACK, "https://www.veritas.com/support/en_US/article.TECH150156"),
    ),
    FindingDoc(
        id=BUILD,
        applies_to=_APPLIES,
        cause="hal.dll, scsiport.sys or ftdisk.sys are of another release than the kernel, or of another service pack: "
        "a restore over an installation with another service pack, or a file copied from another machine.",
        evidence="The versions of the files.",
        fix=f"`--fix {BUILD}` takes a HAL of the same kind and of the kernel's service pack from a cache of this "
        "Windows. Drivers are put back by hand. " + _BY_HAND,
        limits="Service packs are told by version numbers for XP, Server 2003 and XP x64. A HAL of another one leaves "
        "the verdict open (a black screen and 0x79 are reported); drivers are only judged where they are of another "
        "release, or newer than the kernel: many were not built anew for each service pack.",
        symptoms=(Symptom.BLACK_SCREEN, Symptom.STOP_79, Symptom.STOP_7B),
        references=(_BLACK, _MISMATCHED),
    ),
    FindingDoc(
        id=MAKER,
        applies_to="Windows NT 4 and 2000, x86",
        cause="hal.dll was made for the machines of one maker (Compaq SystemPro, AST, Corollary, NCR, SGI and others) "
        "or for the Micro Channel: no hypervisor presents such hardware.",
        evidence="The original name of hal.dll.",
        fix="None. Put hal.dll of the kind Standard PC (with ntoskrnl.exe) of the same service pack in its place.",
        limits="Leaves the verdict open: what each of them does on other hardware is not written anywhere.",
        symptoms=(Symptom.BLACK_SCREEN, Symptom.STOP_79),
        references=(_OPTIONS,),
    ),
)
_SYSTEM32 = "system32"
_HAL, _KERNEL, _PAE_KERNEL = "hal.dll", "ntoskrnl.exe", "ntkrnlpa.exe"
_DRIVERS = ("scsiport.sys", "ftdisk.sys")


def find(guest: Guest) -> Iterator[Finding]:
    """What does not fit among kernel, HAL, registry and the drivers that go with them."""
    core, menu = guest.core, guest.chain.menu
    if core is None or core.version >= VISTA or (menu is not None and menu.file != "boot.ini"):
        return  # ReactOS calls its files otherwise
    names = named_files(guest)
    hal = system_file(core, names.get("hal", _HAL))
    kernel = system_file(core, names.get("kernel", _KERNEL))
    if hal is not None and core.arch is Architecture.X86:
        other = None if "kernel" in names else system_file(core, _PAE_KERNEL)
        yield from _processors(core, hal, kernel, other)
        yield from _computer(core, hal, kernel)
        yield from _maker(hal)
    if kernel is not None:
        yield from _builds(core, kernel, hal)


def named_files(guest: Guest) -> dict[str, str]:
    """The files that boot.ini names in place of hal.dll and ntoskrnl.exe, by ``hal`` and ``kernel``."""
    switches = () if guest.chain.entry is None else guest.chain.entry.switches
    parts = (each.lstrip("/").partition("=") for each in switches)
    named = {name.strip().casefold(): value.strip() for name, _, value in parts}
    return {name: value for name, value in named.items() if name in ("hal", "kernel") and value and ")" not in value}


def system_file(core: CoreFacts, name: str) -> KernelFile | None:
    """What a file of system32 says that it is; None where it is not there, or does not say."""
    path = f"{core.installation.directory}\\{_SYSTEM32}\\{name}"
    return read_kernel_file(core.installation.volume.filesystem(), path)


def _processors(
    core: CoreFacts, hal: KernelFile, kernel: KernelFile | None, other: KernelFile | None
) -> Iterator[Finding]:
    kind = hal.hal
    kernels = [each for each in (kernel, other) if each is not None and each.is_multi is not None]
    wrong = [each for each in kernels if kind is not None and each.is_multi is not kind.is_multi]
    if kind is None or not wrong:
        return
    is_sure = len(wrong) == len(kernels)
    counts = ("one processor", "several processors")
    changes = kernel_choice.fitting_kernels(core, hal, wrong)
    if not changes and is_sure:
        changes = kernel_choice.fitting_hal(core, hal, kernel)
    yield Finding(
        PROCESSORS,
        Severity.BLOCKER if is_sure else Severity.WARNING,
        f"the HAL is one for {counts[kind.is_multi]}, the kernel one for {counts[not kind.is_multi]}",
        _explained(
            "The kernel stops with 0x79 MISMATCHED_HAL at once."
            + ("" if is_sure else " ntldr takes ntkrnlpa.exe or ntoskrnl.exe by the processor and the switches."),
            changes,
        ),
        (*(str(each) for each in (hal, *kernels)), *_taken(changes)),
        Remedy.OFFERED if changes else Remedy.NONE,
        changes,
        _STOP if is_sure else None,
        leaves_open=not is_sure,
    )


def _taken(changes: tuple[WriteFile, ...]) -> Iterator[str]:
    return (f"{each.origin} fits and can take the place of {each.file.path}" for each in changes)


def _computer(core: CoreFacts, hal: KernelFile, kernel: KernelFile | None) -> Iterator[Finding]:
    kind = hal.hal
    found = tuple(computer_ids(core.hive, core.installation.select.default))
    if kind is None or core.version < WINDOWS_2000 or not found:
        return
    ids = {each for _, each in found}
    if kind.hardware_id in ids:
        return
    is_same_family = any(_family(each) == kind.family for each in ids)
    listed = ", ".join(f"{printable(each)} ({key})" for key, each in found)
    changes = () if is_same_family else kernel_choice.fitting_hal(core, hal, kernel)
    yield Finding(
        COMPUTER,
        Severity.INFO if is_same_family else Severity.WARNING,
        f"hal.dll is of the kind {kind.title}, the registry of another computer",
        "Both are of one kind, for one processor and for several: Windows finds that out and adapts."
        if is_same_family
        else _explained(
            "The devices are then below another root: STOP 0x7B or a black screen are reported, some start. Put the "
            "HAL of the registry's kind in place, with its kernel.",
            changes,
        ),
        (str(hal), f"{core.file.path}: {listed}", *_taken(changes)),
        Remedy.OFFERED if changes else Remedy.NONE,
        changes,
        leaves_open=not is_same_family,
    )


def _family(hardware_id: str) -> str | None:
    return next((each.family for each in HALS.values() if each.hardware_id == hardware_id), None)


def _maker(hal: KernelFile) -> Iterator[Finding]:
    if hal.original_name in MAKERS_HALS:
        yield Finding(
            MAKER,
            Severity.WARNING,
            f"hal.dll is {hal.original_name}, made for the machines of one maker",
            "No hypervisor presents such hardware. Put hal.dll of the kind Standard PC, and ntoskrnl.exe, of the same "
            "service pack in place.",
            (str(hal),),
            leaves_open=True,
        )


def _builds(core: CoreFacts, kernel: KernelFile, hal: KernelFile | None) -> Iterator[Finding]:
    drivers = [each for name in _DRIVERS if (each := system_file(core, f"drivers\\{name}")) is not None]
    wrong = [each for each in drivers if _is_other_release(each, kernel) or _is_newer(each, kernel)]
    is_hal = hal is not None and (_is_other_release(hal, kernel) or hal.service_pack != kernel.service_pack)
    if not wrong and not is_hal:
        return
    files = [each for each in (hal if is_hal else None, *wrong) if each is not None]
    changes = kernel_choice.same_hal(core, hal, kernel) if hal is not None and is_hal and not wrong else ()
    names = " and ".join(each.path.rpartition("\\")[2] for each in files)
    yield Finding(
        BUILD,
        Severity.WARNING,
        f"{names} {'is' if len(files) == 1 else 'are'} not of the kernel's build",
        _explained("Files of different releases or service packs do not fit together.", changes),
        (*(str(each) for each in (kernel, *files)), *_taken(changes)),
        Remedy.OFFERED if changes else Remedy.NONE,
        changes,
        leaves_open=is_hal,
    )


def _explained(text: str, changes: Sequence[Change]) -> str:
    """The text, with what to do by hand where no repair does it."""
    return text if changes else f"{text} {_BY_HAND}"


def _is_other_release(file: KernelFile, kernel: KernelFile) -> bool:
    return bool(file.build and kernel.build) and file.build != kernel.build


def _is_newer(file: KernelFile, kernel: KernelFile) -> bool:
    ours, theirs = kernel.service_pack, file.service_pack
    return ours is not None and theirs is not None and theirs > ours


CHECK = Check(Stage.CORE, 12, DOCS, find)
