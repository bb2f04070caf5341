"""Gate 1 on UEFI: does the firmware of a new machine, which knows of no Windows yet, start Windows' boot manager?

It starts the fallback loader: that may be missing, another system's, or older than the boot manager it is a copy of.
"""

from collections.abc import Iterator

from bootgraft.boot import search
from bootgraft.boot.bootmgr import uefi
from bootgraft.changes import Change, CreateDirectory, WriteFile
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.machine import Firmware, Volume

MISSING = "uefi-fallback-loader-missing"
OTHER = "uefi-fallback-other-loader"
OLDER = "uefi-fallback-loader-older"

_UEFI = "https://uefi.org/specs/UEFI/2.10/03_Boot_Manager.html"
DOCS = (
    FindingDoc(
        id=MISSING,
        applies_to="Windows Vista and later on UEFI",
        cause="The firmware of a new machine has no entry for Windows in its variables. It then starts "
        "\\EFI\\Boot\\bootx64.efi, which is not there.",
        evidence="The EFI system partition, and the boot manager on it.",
        fix="\\EFI\\Microsoft\\Boot\\bootmgfw.efi is copied there, named for its processor; the directory is "
        "made where there is none.",
        limits="Only where the boot manager there is Windows' own.",
        symptoms=(Symptom.NO_BOOTABLE_DEVICE,),
        references=(_UEFI,),
    ),
    FindingDoc(
        id=OTHER,
        applies_to="Windows Vista and later on UEFI",
        cause="The fallback loader is another system's (GRUB's shim, rEFInd, a vendor's tool). On the source the "
        "firmware's variables named Windows' boot manager; a new machine starts the fallback loader, and that decides.",
        evidence="The file, which does not call itself bootmgfw.efi in its version resource.",
        fix="None: it may be what is wanted. Give the new machine a boot entry for "
        "\\EFI\\Microsoft\\Boot\\bootmgfw.efi in its firmware's setup, or put a copy of that in its place.",
        limits="What another loader starts is not followed, so the verdict is unknown.",
        symptoms=(Symptom.OTHER_SYSTEM,),
        references=(_UEFI,),
    ),
    FindingDoc(
        id=OLDER,
        applies_to="Windows Vista and later on UEFI",
        cause="The fallback loader is Windows' boot manager, of an earlier version than the one beside the store: "
        "updates of Windows renew only that.",
        evidence="Both versions.",
        fix="None: it starts. Where Secure Boot has revoked it, copy \\EFI\\Microsoft\\Boot\\bootmgfw.efi over it.",
        limits="Revocations lie in the firmware's variables, which are not on the disk.",
        symptoms=(Symptom.SECURE_BOOT,),
        references=("https://support.microsoft.com/topic/41a975df-beb2-40c1-99a3-b3ff139f832d",),
    ),
)
_NOTHING = "The firmware finds nothing to start, and goes on to the network or its own shell."
_BY_HAND = " Put a copy of Windows' own boot manager there by hand."


def find(guest: Guest) -> tuple[Finding, ...]:
    """One finding where the fallback loader of an EFI system partition that can be read is not what it should be."""
    chain = guest.chain
    if chain.system is None or chain.firmware is not Firmware.UEFI:
        return ()
    step = chain.steps[-1]
    try:
        return tuple(_find(chain.system, f"{step.where}: {step.evidence}"))
    except (FileSystemError, PartitionTableError):  # the chain says what is damaged
        return ()


def _find(system: Volume, stop: str) -> Iterator[Finding]:
    path = uefi.fallback_path(system)
    if path is None or not search.has(system, uefi.BOOT_MANAGER):
        return
    if not search.has(system, path):
        yield _missing(system, path, stop)
        return
    present, own = uefi.read_loader(system, path), uefi.read_loader(system, uefi.BOOT_MANAGER)
    if not uefi.is_windows_manager(present):
        yield _other(system, path)
        return
    here, there = uefi.file_version(present), uefi.file_version(own)
    if here is not None and there is not None and here < there:
        evidence = f"{system.name}: {path} has version {_text(here)}, {uefi.BOOT_MANAGER} {_text(there)}"
        yield Finding(
            OLDER,
            Severity.INFO,
            f"the fallback loader {path} is older than Windows' boot manager",
            "It starts this Windows too, unless Secure Boot has revoked it.",
            (evidence,),
        )


def _missing(system: Volume, path: str, stop: str) -> Finding:
    what = f"the EFI system partition has no fallback loader {path}"
    data = uefi.read_loader(system, uefi.BOOT_MANAGER)
    if not uefi.is_windows_manager(data) or len(data) == uefi.MAX_LOADER:
        reason = f"{system.name}: {uefi.BOOT_MANAGER} is not Windows' boot manager"
        return Finding(MISSING, Severity.BLOCKER, what, _NOTHING + _BY_HAND, (stop, reason), explains=True)
    changes: list[Change] = []
    if not search.has(system, uefi.FALLBACK_DIRECTORY):
        changes.append(CreateDirectory(system.file(uefi.FALLBACK_DIRECTORY)))
    changes.append(WriteFile(system.file(path), data, None, f"{system.name}: {uefi.BOOT_MANAGER}"))
    reason = f"{system.name}: {uefi.BOOT_MANAGER} is there and can be copied, {len(data)} bytes"
    return Finding(
        MISSING, Severity.BLOCKER, what, _NOTHING, (stop, reason), Remedy.CHANGES, tuple(changes), explains=True
    )


def _other(system: Volume, path: str) -> Finding:
    return Finding(
        OTHER,
        Severity.WARNING,
        f"the fallback loader {path} is not Windows' boot manager",
        "A new machine starts it first, and what it starts is not followed. Add a boot entry for "
        "\\EFI\\Microsoft\\Boot\\bootmgfw.efi in the firmware's setup, or put a copy of that in its place if the other "
        "system is not wanted.",
        (f"{system.name}: {path} does not call itself bootmgfw.efi; {uefi.BOOT_MANAGER} is there",),
        explains=True,
    )


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


CHECK = Check(Stage.CHAIN, 70, DOCS, find)
