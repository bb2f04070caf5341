"""What virt-v2v's messages mean. The texts are those of its source; they were wrapped and reworded over the years."""

import re

from bootgraft.explain.rules import DiskState, Fault, MessageKind, Next, Phase, Rule

_SOURCE = "https://github.com/libguestfs/virt-v2v/blob/master/"
_ROOTS = _SOURCE + "convert/choose_root.ml"
_MOUNT = _SOURCE + "convert/mount_filesystems.ml"
_CONVERT = _SOURCE + "convert/convert.ml"
_WINDOWS = _SOURCE + "convert/convert_windows.ml"
_VIRTIO = _SOURCE + "convert/windows_virtio.ml"
_MANUAL = "https://libguestfs.org/virt-v2v.1.html"

_LOOK = "See what is on the disk and where its boot chain ends; all disks of the machine, in BIOS order:"

RULES = (
    Rule(
        id="v2v-no-root",
        pattern=re.compile(r"No root device found in this operating system image", re.I),
        quoted=(
            "inspection could not detect the source guest (or physical machine) operating system. […] No root "
            "device found in this operating system image."
        ),
        phase=Phase.INSPECTING,
        fault=Fault.UNKNOWN,
        headline="virt-v2v found no operating system on the disks",
        cause=(
            "No volume on the given disks holds a system that virt-v2v knows: a data disk was given without the "
            "system disk, the volume is encrypted, its NTFS is so unclean that it could not be mounted, its Windows is "
            "compressed (Compact OS), which libguestfs cannot read, or the machine that ran virt-v2v cannot read NTFS "
            "at all (virt-v2v -v -x tells)."
        ),
        meaning=(
            "Nothing is known about Windows yet. bootgraft follows the boot chain instead and says at which "
            "link it ends."
        ),
        disk=DiskState.UNCHANGED,
        next_step=_LOOK,
        next=Next.INSPECT,
        sources=(
            _ROOTS,
            "https://github.com/kubev2v/forklift/issues/278",
            "https://github.com/vexxhost/migratekit/issues/137",
            "https://github.com/adminsyspro/proxcenter-ui/issues/400",
            "https://github.com/OpenNebula/one-swap/pull/118",
        ),
    ),
    Rule(
        id="v2v-unknown-field",
        pattern=re.compile(r"Inspection field .{1,40} was .{1,3}unknown", re.I),
        quoted="Inspection field \u2018i_distro\u2019 was \u2018unknown\u2019.",
        phase=Phase.INSPECTING,
        fault=Fault.GUEST,
        headline="virt-v2v found an operating system that it does not know",
        cause="A system is there, but its kind, distribution or architecture is unknown to libguestfs.",
        meaning="virt-v2v does not convert it. Where it is a Windows, bootgraft says which.",
        disk=DiskState.UNCHANGED,
        next_step=_LOOK,
        next=Next.INSPECT,
        sources=(_MOUNT, "https://github.com/kubev2v/forklift/issues/494"),
    ),
    Rule(
        id="v2v-several-roots",
        pattern=re.compile(
            r"multi-boot operating systems are not supported|Dual- or multi-boot operating system detected"
            r"|root device \S+ not found\. Roots found were",
            re.I,
        ),
        quoted=(
            "multi-boot operating systems are not supported by virt-v2v. Use the --root option to change how "
            "virt-v2v handles this."
        ),
        phase=Phase.INSPECTING,
        fault=Fault.GUEST,
        headline="virt-v2v found several operating systems and did not know which to convert",
        cause=(
            "More than one volume holds a system: an old installation, a recovery system, a second boot entry. "
            "virt-v2v asks, and ends where nobody answers."
        ),
        meaning="bootgraft finds the one that the machine really starts; virt-v2v takes its volume with --root.",
        disk=DiskState.UNCHANGED,
        next_step=_LOOK,
        next=Next.INSPECT,
        sources=(_ROOTS, "https://github.com/adminsyspro/proxcenter-ui/pull/740"),
    ),
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
            "Best is to start the source, turn it off (powercfg /h off, then shut down) and convert again. "
            "Where the source is gone, the session can be given up."
        ),
        disk=DiskState.UNCHANGED,
        next_step=(
            "Give up the saved session, with all that was not saved in it; --dry-run shows it first and writes nothing:"
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
            "Best is to shut the source down and copy it again. Where that cannot be, the journal can be given up."
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
        id="v2v-not-installed",
        pattern=re.compile(r"libguestfs thinks this is not an installed operating system", re.I),
        quoted=(
            "libguestfs thinks this is not an installed operating system (it might be, for example, an "
            "installer disk or live CD)."
        ),
        phase=Phase.INSPECTING,
        fault=Fault.GUEST,
        headline="the disk looks like an installer or a live system",
        cause="What was found has the files of an installation medium, not of an installed system.",
        meaning="Perhaps another disk of the machine is the one that boots.",
        disk=DiskState.UNCHANGED,
        next_step=_LOOK,
        next=Next.INSPECT,
        sources=(_MOUNT,),
    ),
    Rule(
        id="v2v-guest-type",
        pattern=re.compile(r"virt-v2v is unable to convert this guest type", re.I),
        quoted="virt-v2v is unable to convert this guest type (windows/unknown)",
        phase=Phase.INSPECTING,
        fault=Fault.GUEST,
        headline="virt-v2v does not convert this kind of guest",
        cause="The operating system was recognised, and virt-v2v has nothing for it.",
        meaning="Where it is a Windows, bootgraft may still repair it.",
        disk=DiskState.UNCHANGED,
        next_step=_LOOK,
        next=Next.INSPECT,
        sources=(_CONVERT,),
    ),
    Rule(
        id="v2v-guest-full",
        pattern=re.compile(r"not enough free space for conversion on filesystem", re.I),
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
        id="v2v-host-full",
        pattern=re.compile(r"insufficient free space in the conversion server temporary directory", re.I),
        quoted="insufficient free space in the conversion server temporary directory /var/tmp (0 bytes free).",
        phase=Phase.PREPARING,
        fault=Fault.HOST,
        headline="the temporary directory of the machine that runs virt-v2v is full",
        cause="virt-v2v needs about 1 GB there.",
        meaning=(
            "This has nothing to do with the guest. Free some space, or set LIBGUESTFS_CACHEDIR, and convert again."
        ),
        disk=DiskState.UNCHANGED,
        next_step=_LOOK,
        next=Next.INSPECT,
        sources=(_SOURCE + "lib/utils.ml",),
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
        id="v2v-no-virtio-drivers",
        pattern=re.compile(r"there are no virtio drivers available for this version of Windows", re.I),
        quoted=(
            "there are no virtio drivers available for this version of Windows (5.2 i386 Server win2k3). "
            "virt-v2v looks for drivers in /usr/share/virtio-win"
        ),
        phase=Phase.CONVERTING,
        fault=Fault.HOST,
        headline="virt-v2v had no virtio driver for this Windows",
        cause=(
            "The virtio-win that virt-v2v used has no driver for this version and architecture, or is not "
            "installed. Drivers for Windows 2000 to Server 2003 are in old releases of virtio-win only."
        ),
        meaning="The machine is set up for emulated IDE and RTL8139. On a virtio disk it would stop with 0x7B.",
        disk=DiskState.CONVERTED,
        next_step=(
            "Put the driver in yourself, from a release of virtio-win that has it (`bootgraft drivers show "
            "SOURCE --target kvm:virtio-blk` says which fits); --dry-run shows the changes first:"
        ),
        next=Next.DRIVERS,
        sources=(_VIRTIO,),
        kind=MessageKind.CAVEAT,
    ),
    Rule(
        id="v2v-without-virtio",
        pattern=re.compile(r"This guest does not have virtio drivers installed", re.I),
        quoted="This guest does not have virtio drivers installed.",
        phase=Phase.CONVERTING,
        fault=Fault.HOST,
        headline="the guest was converted without virtio drivers",
        cause="virt-v2v put none in; a warning before it says why.",
        meaning="The machine is set up for emulated devices. On a virtio disk it would stop with 0x7B.",
        disk=DiskState.CONVERTED,
        next_step="Put the driver in yourself; --dry-run shows the changes first:",
        next=Next.DRIVERS,
        sources=(_CONVERT,),
        kind=MessageKind.CAVEAT,
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
            "Best is to start the source, turn hibernation off (powercfg /h off), shut down and convert again. Where "
            "the source is gone, the session can be discarded."
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
            "Best is to start the source, turn Fast Startup off (powercfg /h off), shut down fully and convert again. "
            "Where that cannot be, the journal can be given up."
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
        id="v2v-group-policy",
        pattern=re.compile(r"this guest has Windows Group Policy Objects", re.I),
        quoted=(
            "this guest has Windows Group Policy Objects (GPO) and a new virtio block device driver was installed. In "
            "some circumstances, Group Policy may prevent new drivers from working (resulting in a 7B boot error)."
        ),
        phase=Phase.CONVERTING,
        fault=Fault.GUEST,
        headline="a Group Policy of the guest may keep the new driver from being installed (0x7B)",
        cause=(
            "The guest is under Group Policies. One that restricts the installation of devices keeps Windows from "
            "taking the virtio driver: it stops with 0x7B. virt-v2v warns of every guest with policies, whatever "
            "they say."
        ),
        meaning=(
            "Most such guests start. Where this one stops with 0x7B, turn the policy off on the source (Computer "
            "Configuration, Administrative Templates, System, Device Installation) and convert again."
        ),
        disk=DiskState.READY,
        next_step="See whether the new machine would start:",
        next=Next.CHECK,
        sources=(_WINDOWS, "https://github.com/libguestfs/virt-v2v/issues/13"),
        kind=MessageKind.CAVEAT,
    ),
    Rule(
        id="v2v-antivirus",
        pattern=re.compile(r"this guest has Anti-Virus \(AV\) software", re.I),
        quoted=(
            "this guest has Anti-Virus (AV) software and a new virtio block device driver was installed. In some "
            "circumstances, AV may prevent new drivers from working (resulting in a 7B boot error)."
        ),
        phase=Phase.CONVERTING,
        fault=Fault.GUEST,
        headline="anti-virus software in the guest may keep the new driver from being installed (0x7B)",
        cause="Such software guards the list of drivers, and may undo or block what virt-v2v changed.",
        meaning=(
            "Most such guests start. Where this one stops with 0x7B, disable or remove the software on the source and "
            "convert again."
        ),
        disk=DiskState.READY,
        next_step="See whether the new machine would start:",
        next=Next.CHECK,
        sources=(_WINDOWS,),
        kind=MessageKind.CAVEAT,
    ),
)
