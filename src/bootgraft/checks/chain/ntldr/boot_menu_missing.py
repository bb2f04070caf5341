r"""Gate 2 on NT 4 to Server 2003: does boot.ini name anything to start, and is that a Windows?

The text that it should have is told where it is certain (:mod:`.new_menu`). Attributes do not matter to ntldr
(Microsoft, "Boot Options in a Boot.ini File").
"""

from collections.abc import Iterator

from bootgraft.boot import search
from bootgraft.boot.ntldr import arcwalk, bootini, bootsectorfile, menuedit
from bootgraft.boot.ntldr.bootini import BootEntry, BootIni
from bootgraft.boot.search import FoundWindows
from bootgraft.boot.steps import BootChain
from bootgraft.checks.chain.ntldr.menu_file import entry_lines, report, write
from bootgraft.checks.chain.ntldr.new_menu import new_menu, only_windows
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.machine import Machine, Volume
from bootgraft.text import printable

MISSING = "boot-ini-missing"
NO_DEFAULT = "boot-ini-no-default"
BOOTS_OTHER = "boot-ini-default-boots-other"

_REFERENCES = ("https://learn.microsoft.com/troubleshoot/windows-server/performance/edit-boot-ini",)
_NT_DEFAULT = (
    "https://www.itprotoday.com/compute-engines/jsi-tip-2745-windows-nt-could-not-start-ntoskrnlexe-missing-or-corrupt"
)
_APPLIES_TO = "Windows NT 4 to Server 2003 on MBR disks"
DOCS = (
    FindingDoc(
        id=MISSING,
        applies_to=_APPLIES_TO,
        cause="boot.ini is not on the active partition, or lists no operating system. ntldr says 'Invalid BOOT.INI "
        "file' and tries \\WINDOWS (NT 4 and 2000: \\WINNT) on the first partition of the first disk, without any "
        "switches.",
        evidence="The partition that should have it, and every Windows on the disks that ntldr could start.",
        fix="A boot.ini with one entry: the path of that Windows, its name from its registry, and /fastdetect from "
        "Windows 2000 on.",
        limits="Only where exactly one Windows NT 4 to Server 2003 is on the given disks, and every volume could be "
        "searched. The new file has no hidden and system attributes, which ntldr does not ask for. A warning where "
        "ntldr finds its way without.",
        symptoms=(Symptom.INVALID_BOOT_INI, Symptom.FILE_MISSING),
        references=(*_REFERENCES, "https://neosmart.net/wiki/invalid-boot-ini-file/"),
    ),
    FindingDoc(
        id=NO_DEFAULT,
        applies_to=_APPLIES_TO,
        cause="boot.ini has entries, but [boot loader] has no line default=. ntldr then has an entry of its own for "
        "the first partition of the first disk, which is the one that it starts.",
        evidence="The entries, and every Windows on the disks that ntldr could start.",
        fix="default= is added below [boot loader], with the path of the entry that leads to the only Windows.",
        limits="Only where exactly one Windows NT 4 to Server 2003 is on the given disks and an entry leads to it.",
        symptoms=(Symptom.FILE_MISSING, Symptom.DISK_CONFIGURATION),
        references=(
            *_REFERENCES,
            _NT_DEFAULT,
        ),
    ),
    FindingDoc(
        id=BOOTS_OTHER,
        applies_to=_APPLIES_TO,
        cause="default= is a boot sector in a file (C:\\BOOTSECT.DOS, C:\\CMDCONS\\BOOTSECT.DAT): DOS, the recovery "
        "console, Setup or another system starts, if nobody chooses otherwise from the menu.",
        evidence="The default, the file, what its boot sector looks for, and the entries that are a Windows.",
        fix="None: it may be what is wanted. The line to change is named.",
        limits="A blocker where the file is not there; else a warning, and the verdict is unknown.",
        symptoms=(Symptom.OTHER_SYSTEM, Symptom.BOOT_SECTOR_FILE),
        references=_REFERENCES,
    ),
)
_BUILT_IN = (
    "ntldr then starts what it has built in, \\WINDOWS (NT 4 and 2000: \\WINNT) on the first partition of the first "
    "disk, without any switches."
)
_PATH = "\\boot.ini"


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where boot.ini lists nothing, has no default, or one that is no Windows.

    FreeLoader has no rule of its own for what is missing. Raises FileSystemError where it cannot be read again.
    """
    chain = guest.chain
    if (
        chain.system is None
        or chain.menu is None
        or chain.menu.file != "boot.ini"
        or chain.unsupported_volume is not None
    ):
        return
    if not chain.menu.entries:
        yield _missing_menu(guest.machine, chain, chain.system, chain.menu)
    elif not chain.menu.default:
        yield _missing_default(guest.machine, chain, chain.system, chain.menu)
    elif bootini.is_boot_sector_path(chain.menu.default):
        yield _boots_other(chain, chain.system, chain.menu)


def _missing_menu(machine: Machine, chain: BootChain, system: Volume, menu: BootIni) -> Finding:
    file = search.find_entry(system.filesystem(), _PATH)
    what = "there is no boot.ini" if file is None else "boot.ini lists no operating system"
    certain, evidence = only_windows(machine)
    place = f"{system.name}: {_PATH}"
    shown = (f"{place} is not there",) if file is None else (place, *menu.problems)
    change = None
    if certain is not None:
        old = None if file is None else system.filesystem().read(_PATH)
        change = write(system, menu, new_menu(*certain), old, "a new boot.ini for the only Windows on the disks")
    return report(chain, MISSING, what, _BUILT_IN, (*shown, *evidence), change)


def _missing_default(machine: Machine, chain: BootChain, system: Volume, menu: BootIni) -> Finding:
    certain, evidence = only_windows(machine)
    leading = [each for each in menu.entries if certain and _leads_to(machine, each, certain[0])]
    shown = (f"{system.name}: {_PATH}", *entry_lines(menu, (each for each in menu.entries if each.arc)), *evidence)
    change = None
    if leading:
        old = system.filesystem().read(_PATH)
        data = menuedit.with_default(old, menu, leading[0].path)
        change = write(system, menu, data, old, "boot.ini as it is, with a default")
    return report(chain, NO_DEFAULT, "boot.ini has entries but no default", _BUILT_IN, shown, change, _by_hand(menu))


def _boots_other(chain: BootChain, system: Volume, menu: BootIni) -> Finding:
    """The default is the boot sector of another system, in a file. It may well be meant."""
    file = bootsectorfile.file_of(menu.default or "")
    evidence = (
        f"{system.name}: {_PATH}: default={printable(menu.default or '')}, which is the file {printable(file)}",
        *entry_lines(menu, (each for each in menu.entries if each.arc)),
    )
    what = "the default of boot.ini is no Windows, but a boot sector in a file"
    meaning = "Unless somebody chooses a Windows from the menu in time, no Windows starts."
    return report(chain, BOOTS_OTHER, what, meaning, evidence, None, _by_hand(menu))


def _by_hand(menu: BootIni) -> str:
    """What to write by hand, where one entry alone is a Windows."""
    paths = list(dict.fromkeys(printable(each.path) for each in menu.entries if each.arc))
    if len(paths) == 1:
        where = f"in line {menu.default_line}" if menu.default_line else "below [boot loader]"
        return f" To start its only Windows by default, put {paths[0]} behind default= {where} of boot.ini."
    return " To start a Windows by default, put the path of its entry behind default= below [boot loader]."


def _leads_to(machine: Machine, entry: BootEntry, windows: FoundWindows) -> bool:
    volume = None if entry.arc is None else arcwalk.volume_of(machine, entry.arc)
    if volume is not windows.volume:
        return False
    try:
        return search.real_path(windows.volume.filesystem(), entry.directory) == windows.directory
    except (FileSystemError, PartitionTableError):
        return False


CHECK = Check(Stage.CHAIN, 35, DOCS, find)
