"""What a screen shows of a start that failed, in the words of those who read it there.

Bug checks and their names: Microsoft, "Bug Check Code Reference". Codes of the boot manager: Microsoft, "Windows boot
issues troubleshooting" and the articles on Azure's virtual machines; what they stand for: ``ntstatus.h``. The messages
of boot code, ntldr and bootmgr: Microsoft KB 314477, 307545, 555304 and "Windows Internals", "Solving Common Boot
Problems".
"""

import re
from enum import StrEnum

from msgspec import Struct

from bootgraft.checks.symptom import Symptom


class Screen(StrEnum):
    """Who shows it, in the order of a start."""

    FIRMWARE = "shown by the firmware or by boot code"
    LOADER = "shown by the loader of Windows"
    STOP = "a STOP of Windows"
    WINDOWS = "once Windows is up"


class Shown(Struct, frozen=True):
    """What a symptom is: ``words`` is what else it is called, in letters, digits and single spaces."""

    screen: Screen
    title: str
    words: tuple[str, ...] = ()


SHOWN = {
    Symptom.NO_BOOTABLE_DEVICE: Shown(
        Screen.FIRMWARE,
        "'No bootable device', 'Operating System not found', 'not a bootable disk', or the shell of UEFI",
        (
            "no boot device",
            "no boot disk",
            "no boot drive",
            "no bootable medium",
            "no bootable media",
            "no boot media",
            "disk boot failure",
            "boot failure",
            "efi shell",
            "pxe",
            "boot device not found",
            "no bootable disk",
            "not a bootable disk",
            "non system disk",
            "operating system not found",
            "operating system wasn t found",
            "no operating system",
            "uefi shell",
            "select proper boot device",
            "boot failed",
        ),
    ),
    Symptom.MISSING_SYSTEM: Shown(
        Screen.FIRMWARE,
        "'Invalid partition table', 'Missing operating system' or 'Error loading operating system'",
        ("invalid partition table", "error loading operating system"),
    ),
    Symptom.DISK_READ_ERROR: Shown(Screen.FIRMWARE, "'A disk read error occurred'"),
    Symptom.SECURE_BOOT: Shown(
        Screen.FIRMWARE,
        "'Secure Boot Violation', 'Access Denied', or the next entry of the firmware's boot order",
        ("invalid signature detected", "access denied", "blocked by secure boot", "boot image failed verification"),
    ),
    Symptom.BLACK_SCREEN: Shown(
        Screen.FIRMWARE,
        "a black screen, with or without a blinking cursor, and nothing else",
        (
            "blank screen",
            "blinking cursor",
            "blinking underscore",
            "flashing cursor",
            "cursor blinks",
            "cursor blinking",
        ),
    ),
    Symptom.PASSWORD_PROMPT: Shown(
        Screen.FIRMWARE,
        "the password prompt of an encryption product, or its error",
        ("preboot password", "encryption password"),
    ),
    Symptom.OTHER_SYSTEM: Shown(
        Screen.LOADER,
        "another system or its boot menu (GRUB, a tool, another Windows)",
        ("grub", "grub rescue", "wrong windows starts", "other system starts"),
    ),
    Symptom.NTLDR_MISSING: Shown(Screen.LOADER, "'NTLDR is missing'", ("ntldr missing",)),
    Symptom.BOOTMGR_MISSING: Shown(Screen.LOADER, "'BOOTMGR is missing'", ("bootmgr missing",)),
    Symptom.COMPRESSED: Shown(
        Screen.LOADER,
        "'BOOTMGR is compressed' or 'NTLDR is compressed'",
        ("ntldr is compressed", "bootmgr compressed", "ntldr compressed"),
    ),
    Symptom.INVALID_BOOT_INI: Shown(Screen.LOADER, "'Invalid BOOT.INI file'", ("boot ini invalid",)),
    Symptom.BOOT_SECTOR_FILE: Shown(
        Screen.LOADER, "'I/O Error accessing boot sector file'", ("error accessing boot sector",)
    ),
    Symptom.FILE_MISSING: Shown(
        Screen.LOADER,
        "'Windows could not start because the following file is missing or corrupt' (hal.dll, ntoskrnl.exe, a driver, "
        "SYSTEM), or the loader's own words for it",
        ("missing or corrupt", "hal dll", "ntoskrnl exe", "config system"),
    ),
    Symptom.DISK_CONFIGURATION: Shown(
        Screen.LOADER,
        "'Windows could not start because of a computer disk hardware configuration problem'",
        ("disk hardware configuration problem", "could not read from the selected boot disk"),
    ),
    Symptom.C000000E: Shown(
        Screen.LOADER,
        "0xc000000e: a device that is needed cannot be reached",
        ("required device is inaccessible", "required device isn t connected"),
    ),
    Symptom.C000000F: Shown(Screen.LOADER, "0xc000000f: the boot configuration data or a file is missing"),
    Symptom.C0000034: Shown(Screen.LOADER, "0xc0000034: the boot configuration data lacks what it names"),
    Symptom.C0000098: Shown(Screen.LOADER, "0xc0000098: the boot configuration data names no system to start"),
    Symptom.C0000225: Shown(Screen.LOADER, "0xc0000225: the system to start, or a file of it, is not found"),
    Symptom.C000007B: Shown(Screen.LOADER, "0xc000007b: a boot file is damaged, or for another processor"),
    Symptom.C000014C: Shown(Screen.LOADER, "0xc000014c: a registry hive cannot be loaded"),
    Symptom.C0000359: Shown(Screen.LOADER, "0xc0000359: a boot file is a 32-bit one, in a 64-bit Windows"),
    Symptom.C0000428: Shown(
        Screen.LOADER,
        "0xc0000428: the signature of a boot file is not accepted",
        ("digital signature", "cannot verify the digital signature"),
    ),
    Symptom.RESUME_FAILS: Shown(
        Screen.LOADER,
        "the resume from hibernation fails, or ends in a STOP",
        ("resume from hibernation", "hibernation", "resuming windows"),
    ),
    Symptom.STOP_1E: Shown(Screen.STOP, "STOP 0x1E KMODE_EXCEPTION_NOT_HANDLED", ("kmode exception not handled",)),
    Symptom.STOP_24: Shown(Screen.STOP, "STOP 0x24 NTFS_FILE_SYSTEM", ("ntfs file system",)),
    Symptom.STOP_50: Shown(Screen.STOP, "STOP 0x50 PAGE_FAULT_IN_NONPAGED_AREA", ("page fault in nonpaged area",)),
    Symptom.STOP_51: Shown(Screen.STOP, "STOP 0x51 REGISTRY_ERROR", ("registry error",)),
    Symptom.STOP_5D: Shown(Screen.STOP, "STOP 0x5D UNSUPPORTED_PROCESSOR", ("unsupported processor",)),
    Symptom.STOP_6B: Shown(
        Screen.STOP, "STOP 0x6B PROCESS1_INITIALIZATION_FAILED", ("process1 initialization failed",)
    ),
    Symptom.STOP_6F: Shown(
        Screen.STOP, "STOP 0x6F SESSION3_INITIALIZATION_FAILED", ("session3 initialization failed",)
    ),
    Symptom.STOP_74: Shown(Screen.STOP, "STOP 0x74 BAD_SYSTEM_CONFIG_INFO", ("bad system config info",)),
    Symptom.STOP_79: Shown(Screen.STOP, "STOP 0x79 MISMATCHED_HAL", ("mismatched hal",)),
    Symptom.STOP_7B: Shown(Screen.STOP, "STOP 0x7B INACCESSIBLE_BOOT_DEVICE", ("inaccessible boot device",)),
    Symptom.STOP_7E: Shown(
        Screen.STOP, "STOP 0x7E SYSTEM_THREAD_EXCEPTION_NOT_HANDLED", ("system thread exception not handled",)
    ),
    Symptom.STOP_C4: Shown(
        Screen.STOP, "STOP 0xC4 DRIVER_VERIFIER_DETECTED_VIOLATION", ("driver verifier detected violation",)
    ),
    Symptom.STOP_ED: Shown(Screen.STOP, "STOP 0xED UNMOUNTABLE_BOOT_VOLUME", ("unmountable boot volume",)),
    Symptom.C000021A: Shown(
        Screen.STOP,
        "STOP 0xC000021A STATUS_SYSTEM_PROCESS_TERMINATED",
        ("system process terminated", "fatal system error"),
    ),
    Symptom.C0000218: Shown(
        Screen.STOP,
        "STOP 0xC0000218 STATUS_CANNOT_LOAD_REGISTRY_FILE",
        ("cannot load registry file", "registry file failure"),
    ),
    Symptom.C0000221: Shown(
        Screen.STOP, "STOP 0xC0000221 STATUS_IMAGE_CHECKSUM_MISMATCH", ("image checksum mismatch",)
    ),
    Symptom.C00002E2: Shown(
        Screen.STOP,
        "STOP 0xC00002E2 STATUS_DS_INIT_FAILURE: Active Directory cannot start",
        ("ds init failure", "directory services could not start"),
    ),
    Symptom.BLUE_SCREEN: Shown(
        Screen.STOP,
        "a blue screen: a STOP, of which neither code nor name was given",
        ("bluescreen", "bsod", "stop code", "stop error", "bug check", "bugcheck", "ran into a problem"),
    ),
    Symptom.RESTART_LOOP: Shown(
        Screen.WINDOWS,
        "Windows restarts by itself, again and again",
        (
            "reboot loop",
            "boot loop",
            "bootloop",
            "reboots",
            "rebooting",
            "endless reboot",
            "restarts by itself",
            "restarts over and over",
            "keeps restarting",
            "continuous restart",
        ),
    ),
    Symptom.AUTOMATIC_REPAIR: Shown(
        Screen.WINDOWS,
        "'Preparing Automatic Repair', Startup Repair, the recovery environment",
        (
            "startup repair",
            "auto repair",
            "recovery environment",
            "recovery screen",
            "winre",
            "diagnosing your pc",
            "advanced startup",
        ),
    ),
    Symptom.BITLOCKER: Shown(
        Screen.LOADER,
        "BitLocker asks for its recovery key",
        ("bitlocker", "recovery key"),
    ),
    Symptom.LOG_ON_LOOP: Shown(
        Screen.WINDOWS,
        "every log-on ends at once",
        ("log on loop", "login loop", "logs off", "logs me off", "logged off immediately", "userinit"),
    ),
    Symptom.SAFE_MODE: Shown(Screen.WINDOWS, "'Safe Mode' in the corners, at every start", ("safe boot", "safeboot")),
    Symptom.SETUP: Shown(
        Screen.WINDOWS,
        "Setup in place of the log-on, or 'The computer restarted unexpectedly'",
        ("windows installation cannot proceed", "restarted unexpectedly", "mini setup", "oobe"),
    ),
    Symptom.DRIVES_MISSING: Shown(
        Screen.WINDOWS,
        "drives, or the programs and services on them, are missing",
        ("drive is missing", "missing drive", "missing drives", "disk is offline", "disks are offline"),
    ),
}
_SEEN_AT_ANY_STOP = (Symptom.BLUE_SCREEN, Symptom.RESTART_LOOP, Symptom.AUTOMATIC_REPAIR)
"""What people tell of a STOP without its code, and what is left of one where Windows restarts by itself, which it does
unless AutoReboot was set to 0."""
_CODE = re.compile(
    r"\b(?:0x)?([0-9a-f]{8})\b|\b0x([0-9a-f]{1,16})\b"
    r"|^(?:(?:stop(?: code| error)?|bug ?check|bsod|blue ?screen) +)?(?=[a-f]*[0-9])([0-9a-f]{2,8})$"
)


def explains(declared: tuple[Symptom, ...], symptom: Symptom) -> bool:
    """Whether what leads to one of the declared symptoms may be seen as this one."""
    if symptom in declared:
        return True
    return symptom in _SEEN_AT_ANY_STOP and any(SHOWN[each].screen is Screen.STOP for each in declared)


def code_of(symptom: Symptom) -> int | None:
    """The number that the screen shows; None for what is told by its words."""
    return int(symptom, 16) if symptom.startswith("0x") else None


def code_in(text: str) -> int | None:
    """The number that somebody read from a screen: of ``*** STOP: 0x0000007B (0xF78D2524, …)`` it is 0x7b."""
    found = _CODE.search(text.casefold().replace(":", " ").replace("_", " ").strip(" .,!'\""))
    return None if found is None else int(next(each for each in found.groups() if each), 16)


def symptom_of_code(code: int) -> Symptom | None:
    """The symptom with this number; small dumps have 0x1000007E for 0x7E (Microsoft, "Bug Check 0x1000007E")."""
    plain = code & 0xFFFFFFF if code >> 28 == 1 else code
    return next((each for each in Symptom if code_of(each) == plain), None)


def find_symptom(text: str) -> Symptom | None:
    """The symptom that somebody describes by a number or by words, in any case and punctuation; None if unknown."""
    code = code_in(text)
    if code is not None:
        return symptom_of_code(code)
    said = f" {plain_words(text)} "
    fitting = [
        (each is not Symptom.BLUE_SCREEN, len(phrase), each)  # which STOP it is says more than that it is one
        for each in Symptom
        for phrase in _phrases(each)
        if f" {phrase} " in said
    ]
    return max(fitting, key=lambda each: each[:2])[2] if fitting else None


def plain_words(text: str) -> str:
    """The words of a text in lower case with single spaces between them, without anything else."""
    return " ".join(re.findall(r"[a-z0-9]+", text.casefold()))


def _phrases(symptom: Symptom) -> tuple[str, ...]:
    return (plain_words(symptom), *SHOWN[symptom].words)
