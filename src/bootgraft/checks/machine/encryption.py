"""Is the volume that the boot chain needs encrypted as a whole?"""

from bootgraft.boot.unsupported_volume import UnsupportedKind, UnsupportedVolume
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Need, Stage
from bootgraft.checks.machine.unsupported import UNREAD, findings_of
from bootgraft.checks.symptom import Symptom

BITLOCKER = "bitlocker-volume"
PRODUCT = "disk-encryption"
RANDOM = "volume-maybe-encrypted"
_LIMITS = "Whether it starts is unknown, and so is the verdict: `repair` and `reg` end with exit status 3."
DOCS = (
    FindingDoc(
        id=BITLOCKER,
        applies_to="Windows Vista and later",
        cause="The volume of the loader or of Windows is encrypted with BitLocker (or BitLocker To Go).",
        evidence="The signature in its boot sector. A volume whose protection is only suspended is encrypted as well.",
        fix="None: decrypt it on the source machine (`manage-bde -off C:`, until `manage-bde -status` says 'Fully "
        "Decrypted') and convert it again. On other hardware the TPM does not open it: have the recovery key ready.",
        limits=_LIMITS,
        symptoms=(Symptom.BITLOCKER,),
        references=("https://learn.microsoft.com/windows-server/administration/windows-commands/manage-bde-off",),
    ),
    FindingDoc(
        id=PRODUCT,
        applies_to="every Windows",
        cause="The disk is encrypted with VeraCrypt, TrueCrypt, Symantec (PGP), McAfee (SafeBoot), Sophos SafeGuard, "
        "GuardianEdge, Check Point or SecureDoc.",
        evidence="The product's boot code in sector 0 of disk or volume, and a volume without a file system.",
        fix="None: decrypt it on the source machine with that product, and convert it again.",
        limits=_LIMITS + " Products are recognised on BIOS disks only: on UEFI they leave no mark in sector 0.",
        symptoms=(Symptom.PASSWORD_PROMPT,),
        references=(
            "https://github.com/sleuthkit/sleuthkit/blob/develop/tsk/util/detect_encryption.c",
            "https://github.com/veracrypt/VeraCrypt/blob/master/src/Boot/Windows/BootSector.asm",
        ),
    ),
    FindingDoc(
        id=RANDOM,
        applies_to="every Windows",
        cause="The volume has no file system, and begins with bytes that look random: it may be encrypted by a product "
        "that leaves no mark.",
        evidence="The entropy of its first 64 KiB is above 7.9 bits for each byte.",
        fix="None: if it is encrypted, decrypt it on the source machine and convert it again; if not, copy it again.",
        limits=_LIMITS + " A damaged copy can look the same.",
        symptoms=(Symptom.PASSWORD_PROMPT,),
        references=("https://github.com/sleuthkit/sleuthkit/blob/develop/tsk/util/detect_encryption.c",),
    ),
)
_IDS = {
    UnsupportedKind.BITLOCKER: BITLOCKER,
    UnsupportedKind.ENCRYPTED: PRODUCT,
    UnsupportedKind.RANDOM: RANDOM,
}


def check(cause: UnsupportedVolume | None) -> tuple[Finding, ...]:
    """One finding where the cause is encryption."""
    is_guess = cause is not None and cause.kind is UnsupportedKind.RANDOM
    return findings_of(cause, _IDS, f"{UNREAD} Is it encrypted?" if is_guess else UNREAD)


CHECK = Check(Stage.MACHINE, 20, DOCS, lambda guest: check(guest.unsupported_volume), needs=Need.NOTHING)
