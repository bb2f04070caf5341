"""What virt-v2v and NTFS-3G say when a volume of the guest cannot be read or written, or its registry not be opened."""

import re

from bootgraft.explain.rules import DiskState, Fault, MessageKind, Next, Phase, Rule

_SOURCE = "https://github.com/libguestfs/virt-v2v/blob/master/"
_MOUNT = _SOURCE + "convert/mount_filesystems.ml"
_CONVERT = _SOURCE + "convert/convert.ml"
_MANUAL = "https://libguestfs.org/virt-v2v.1.html"

RULES = (
    Rule(
        id="v2v-hibernated",
        pattern=re.compile(
            r"unable to mount the disk image for writing\..{0,80}Windows Hibernation or Fast Restart", re.I
        ),
        quoted=(
            "unable to mount the disk image for writing. This has probably happened because Windows Hibernation "
            "or Fast Restart is being used in this guest."
        ),
        phase=Phase.INSPECTING,
        fault=Fault.GUEST,
        headline="Windows is hibernated, or was shut down with Fast Startup",
        cause=(
            "The volume holds a saved session. Writing to it would destroy what that session believes to be on "
            "the disk."
        ),
        meaning=(
            "It is best to start the source, turn it off (powercfg /h off, then shut down) and convert again. "
            "Where the source is gone, the session can be discarded."
        ),
        disk=DiskState.UNCHANGED,
        next_step=(
            "Discard the saved session, with all that was not saved in it; --dry-run shows it first and writes nothing:"
        ),
        next=Next.DISCARD,
        sources=(_MOUNT, _MANUAL),
    ),
    Rule(
        id="v2v-unclean",
        pattern=re.compile(
            r"filesystem was mounted read-only, even though we asked for it to be mounted read-write", re.I
        ),
        quoted=(
            "filesystem was mounted read-only, even though we asked for it to be mounted read-write. This "
            "usually means that the filesystem was not cleanly unmounted."
        ),
        phase=Phase.INSPECTING,
        fault=Fault.GUEST,
        headline="the volume of Windows was not cleanly unmounted",
        cause=(
            "The disk was copied while Windows ran, the machine was switched off, or Windows is hibernated. The "
            "journal of NTFS holds changes that are not finished."
        ),
        meaning=(
            "It is best to shut the source down and copy it again. Where that is not possible, the journal can be "
            "discarded."
        ),
        disk=DiskState.UNCHANGED,
        next_step=(
            "Empty the journal and mark the volume for chkdsk; --dry-run shows it first and writes nothing. "
            "Where the volume is hibernated, bootgraft says so:"
        ),
        next=Next.RESET,
        sources=(_MOUNT, "https://github.com/apache/cloudstack/issues/11561"),
    ),
    Rule(
        id="v2v-guest-full",
        pattern=re.compile(r"not enough (?:free space|available inodes) for conversion on filesystem", re.I),
        quoted="not enough free space for conversion on filesystem \u2018/\u2019. 0.0 MB free < 100 MB needed",
        phase=Phase.INSPECTING,
        fault=Fault.GUEST,
        headline="a volume of the guest is too full for virt-v2v",
        cause="virt-v2v wants 100 MB free on the volume of Windows and 10 MB on every other before it starts.",
        meaning="Nothing is wrong with the start of Windows. bootgraft needs only the room for one driver file.",
        disk=DiskState.UNCHANGED,
        next_step="Make room in the guest and convert again, or let bootgraft put the driver in:",
        next=Next.CHECK,
        sources=(_CONVERT,),
    ),
    Rule(
        id="v2v-not-writable",
        pattern=re.compile(r"could not write to the guest filesystem", re.I),
        quoted="could not write to the guest filesystem: touch: […]",
        phase=Phase.INSPECTING,
        fault=Fault.GUEST,
        headline="virt-v2v could not write to the volume of Windows",
        cause="Mounting worked, writing did not: a full or damaged volume, or a fault of the storage below it.",
        meaning="The message goes on with what the system said.",
        disk=DiskState.UNCHANGED,
        next_step="See whether bootgraft finds the volume sound:",
        next=Next.CHECK,
        sources=(_MOUNT,),
    ),
    Rule(
        id="v2v-bitlocker",
        pattern=re.compile(r"/dev/mapper/crypt\w{1,40}: No such file", re.I),
        quoted=(
            "libguestfs error: blockdev_getsize64: blockdev_getsize64_stub: /dev/mapper/cryptsda: No such file or "
            "directory"
        ),
        phase=Phase.INSPECTING,
        fault=Fault.GUEST,
        headline="a volume of the guest is encrypted by BitLocker",
        cause=(
            "virt-v2v was given no key for it, or could not unlock it. Without the key nothing on that volume can be "
            "read or changed, by virt-v2v or by bootgraft."
        ),
        meaning=(
            "Turn BitLocker off on the source (manage-bde -off C:), wait until it has decrypted the volume, and "
            "convert again; or give virt-v2v the recovery key with --key."
        ),
        disk=DiskState.UNCHANGED,
        next_step="See which volumes are encrypted, and whether the volume of Windows is one of them:",
        next=Next.INSPECT,
        sources=("https://github.com/autotest/tp-libvirt/pull/3664", _MANUAL),
    ),
    Rule(
        id="v2v-bitlocker-volume",
        pattern=re.compile(r"\"BitLocker\"", re.I),
        quoted='libguestfs: trace: v2v: vfs_type = "BitLocker"',
        phase=Phase.INSPECTING,
        fault=Fault.GUEST,
        headline="a volume of the guest is encrypted by BitLocker",
        cause="virt-v2v saw a volume that is encrypted. Without the key nothing on it can be read or changed.",
        meaning=(
            "Turn BitLocker off on the source (manage-bde -off C:), wait until it has decrypted the volume, and "
            "convert again; or give virt-v2v the recovery key with --key."
        ),
        disk=DiskState.UNCHANGED,
        next_step="See which volumes are encrypted, and whether the volume of Windows is one of them:",
        next=Next.INSPECT,
        sources=(_MANUAL,),
        kind=MessageKind.HINT,
        explains=("v2v-no-root",),
    ),
    Rule(
        id="v2v-ntfs-hibernated",
        pattern=re.compile(r"NTFS partition is hibernated|Windows is hibernated, refused to mount", re.I),
        quoted="Windows is hibernated, refused to mount.",
        phase=Phase.INSPECTING,
        fault=Fault.GUEST,
        headline="a volume of the guest holds a hibernated session",
        cause=(
            "Windows was hibernated instead of shut down, so its volume must not be changed: the session believes that "
            "it knows what is on it."
        ),
        meaning=(
            "It is best to start the source, turn hibernation off (powercfg /h off), shut down and convert again. "
            "Where the source is gone, the session can be discarded."
        ),
        disk=DiskState.UNCHANGED,
        next_step="Discard the saved session, with all that was not saved in it; --dry-run writes nothing:",
        next=Next.DISCARD,
        sources=("https://github.com/tuxera/ntfs-3g/blob/edge/libntfs-3g/volume.c", _MANUAL),
        kind=MessageKind.HINT,
        explains=("v2v-no-root", "v2v-unclean", "v2v-not-writable"),
        answers_alone=True,
    ),
    Rule(
        id="v2v-ntfs-unsafe",
        pattern=re.compile(r"NTFS partition is in an\b|Metadata kept in Windows cache, refused to mount", re.I),
        quoted=(
            "Falling back to read-only mount because the NTFS partition is in an unsafe state. Please resume and "
            "shutdown Windows fully (no hibernation or fast restarting.)"
        ),
        phase=Phase.INSPECTING,
        fault=Fault.GUEST,
        headline="an NTFS volume of the guest was not shut down cleanly, so it could only be read",
        cause=(
            "The disk was copied while Windows ran, the machine was switched off, or Windows was shut down with Fast "
            "Startup. virt-v2v must write to the volume of Windows."
        ),
        meaning=(
            "It is best to start the source, turn Fast Startup off (powercfg /h off), shut down fully and convert "
            "again. Where that is not possible, the journal can be discarded."
        ),
        disk=DiskState.UNCHANGED,
        next_step=(
            "Empty the journal and mark the volume for chkdsk; --dry-run shows it first and writes nothing. "
            "Where the volume is hibernated, bootgraft says so:"
        ),
        next=Next.RESET,
        sources=(
            "https://github.com/apache/cloudstack/issues/11561",
            "https://github.com/vexxhost/migratekit/issues/54",
        ),
        kind=MessageKind.HINT,
        explains=("v2v-no-root",),
        answers_alone=True,
    ),
    Rule(
        id="v2v-ntfs-damaged",
        pattern=re.compile(r"\$MFTMirr does not match \$MFT|NTFS is either inconsistent", re.I),
        quoted="$MFTMirr does not match $MFT (record 3).",
        phase=Phase.INSPECTING,
        fault=Fault.GUEST,
        headline="an NTFS volume of the guest is damaged",
        cause="The copy of the first records of the master file table is not what it should be.",
        meaning="Run chkdsk /f on the source and convert again; where it is gone, on a copy of the disk.",
        disk=DiskState.UNCHANGED,
        next_step="See what can be read of the disk as it is:",
        next=Next.INSPECT,
        sources=("https://github.com/tuxera/ntfs-3g/blob/edge/libntfs-3g/volume.c",),
        kind=MessageKind.HINT,
        explains=("v2v-no-root",),
        answers_alone=True,
    ),
    Rule(
        id="v2v-hive",
        pattern=re.compile(
            r"hivex_open\b.{0,300}(?:Invalid argument|Operation not supported|Input/output)|\bHivex\.Error\b", re.I
        ),
        quoted="libguestfs error: hivex_open: /Windows/System32/config/SOFTWARE: Invalid argument",
        phase=Phase.INSPECTING,
        fault=Fault.UNKNOWN,
        headline="virt-v2v could not read the registry of Windows",
        cause=(
            "A hive is damaged or was copied while Windows wrote it; but old releases of virt-v2v refuse hives that "
            "are sound, too (2.7 did, 2.11 did not)."
        ),
        meaning="Where bootgraft finds the hives sound, use a newer virt-v2v.",
        disk=DiskState.UNCHANGED,
        next_step="See whether Windows would take its hives; what it would reject is named:",
        next=Next.VERIFY,
        sources=("https://github.com/harvester/harvester/issues/11657",),
        explains=("v2v-no-root", "v2v-unknown-field"),
    ),
    Rule(
        id="v2v-guest-disk-full",
        pattern=re.compile(
            r"libguestfs error: (?:upload|write\w*|mkdir\w*|touch|cp\w*|mv|tar_in\w*|hivex_commit)\b"
            r".{0,300}No space left on device",
            re.I,
        ),
        quoted="libguestfs error: upload: /Program Files/Guestfs/Firstboot/rhsrvany.exe: No space left on device",
        phase=Phase.CONVERTING,
        fault=Fault.GUEST,
        headline="the volume of Windows is full",
        cause="virt-v2v copies drivers and scripts into the guest, and there was no room for them.",
        meaning=(
            "Make room on the source and convert again. virt-v2v changes an overlay, so the source is as it was; "
            "virt-v2v-in-place changes the disk itself."
        ),
        disk=DiskState.UNCHANGED,
        next_step="Make room in the guest and convert again, or let bootgraft put the driver in:",
        next=Next.CHECK,
        sources=("https://libguestfs.org/virt-v2v.1.html",),
    ),
)
