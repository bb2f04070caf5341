"""What virt-v2v says of the guest as a whole. The texts are those of its source, reworded over the years."""

import re

from bootgraft.explain.rules import DiskState, Fault, MessageKind, Next, Phase, Rule

_SOURCE = "https://github.com/libguestfs/virt-v2v/blob/master/"
_ROOTS = _SOURCE + "convert/choose_root.ml"
_MOUNT = _SOURCE + "convert/mount_filesystems.ml"
_CONVERT = _SOURCE + "convert/convert.ml"
_WINDOWS = _SOURCE + "convert/convert_windows.ml"
_VIRTIO = _SOURCE + "convert/windows_virtio.ml"
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
        id="v2v-not-detected",
        pattern=re.compile(r"inspection could not detect the source guest", re.I),
        quoted="inspection could not detect the source guest (or physical machine) operating system.",
        phase=Phase.INSPECTING,
        fault=Fault.UNKNOWN,
        headline="virt-v2v recognised no operating system on the disks",
        cause=(
            "The log has only the first line of the message. The rest says which it was: no volume holds a system that "
            "virt-v2v knows ('No root device found'), or it found one of an unknown kind ('Inspection field')."
        ),
        meaning=(
            "Nothing is known about Windows yet. bootgraft follows the boot chain instead and says at which "
            "link it ends."
        ),
        disk=DiskState.UNCHANGED,
        next_step=_LOOK,
        next=Next.INSPECT,
        sources=(_ROOTS, _MOUNT, "https://github.com/OpenNebula/one-swap/blob/master/README.md"),
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
