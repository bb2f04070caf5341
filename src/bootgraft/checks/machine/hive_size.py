"""Does the SYSTEM hive fit into what the loader of an old Windows has room for?"""

from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.windows.installation import Architecture, Installation

ID = "hive-near-loader-limit"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows NT 4 and 2000, and the x64 editions of XP and Server 2003",
    cause="ntldr of NT 4 and 2000 has 16 MB for kernel, HAL, boot drivers and the SYSTEM hive together; that of the "
    "x64 editions without their later hotfix 32 MB for the hive. A hive that was bloated by tools that never use free "
    "space again reaches that: 'SYSTEM is missing or corrupt', or a STOP 0x0000006B.",
    evidence="The size of the hive's bins.",
    fix="None: a hive is made smaller by Windows only. bootgraft uses free cells, so that a repair hardly ever grows "
    "it.",
    limits="What kernel and drivers take is not added up: a warning from 10 MB on, as the machine "
    "ran with this hive before.",
    symptoms=(Symptom.FILE_MISSING, Symptom.STOP_6B),
    references=("https://support.microsoft.com/kb/306038", "https://support.microsoft.com/kb/919807"),
)
_MIB = 1 << 20
_OLD, _OLD_LIMIT = (5, 0), 10 * _MIB
_X64, _X64_LIMIT = ((5, 1), (5, 2)), 30 * _MIB


def check(installation: Installation, bins_size: int) -> tuple[Finding, ...]:
    """One finding where a SYSTEM hive with bins of ``bins_size`` bytes is near what its loader can take."""
    version = installation.version
    if (0, 0) < version <= _OLD:
        limit, room = _OLD_LIMIT, "16 MB for the hive, the kernel, the HAL and the boot drivers together"
    elif version in _X64 and installation.arch is Architecture.X64:
        limit, room = _X64_LIMIT, "32 MB for the hive, without its later hotfix"
    else:
        return ()
    if bins_size <= limit:
        return ()
    return (
        Finding(
            ID,
            Severity.WARNING,
            f"the SYSTEM hive has {bins_size / _MIB:.1f} MB, near what the loader of this Windows can take",
            f"ntldr has {room}.",
            (f"{installation.volume.name}: the SYSTEM hive's bins have {bins_size} bytes",),
        ),
    )


def _find(guest: Guest) -> tuple[Finding, ...]:
    if guest.installation is None or guest.hive is None:
        return ()
    return check(guest.installation, guest.hive.cells.bins_size)


CHECK = Check(Stage.MACHINE, 80, (DOC,), _find)
