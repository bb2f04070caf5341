"""What virt-v2v and its helpers say when the machine that converts is at fault, not the guest."""

import re

from bootgraft.explain.rules import DiskState, Fault, MessageKind, Next, Phase, Rule

_SOURCE = "https://github.com/libguestfs/virt-v2v/blob/master/"
_LOOK = "See what is on the disk and where its boot chain ends; all disks of the machine, in BIOS order:"
_FAQ = "https://libguestfs.org/guestfs-faq.1.html#debugging-libguestfs"
_SUPERMIN = "https://github.com/NixOS/nixpkgs/issues/112920"
_AGAIN = "Fix that and convert again; then see whether the new machine would start:"
_CONVERT_OR_REPAIR = "Fix that and convert again; or see whether bootgraft can repair the disk without virt-v2v:"

RULES = (
    Rule(
        id="v2v-host-full",
        pattern=re.compile(r"insufficient free space in the conversion server temporary directory", re.I),
        quoted="insufficient free space in the conversion server temporary directory /var/tmp (0 bytes free).",
        phase=Phase.PREPARING,
        fault=Fault.HOST,
        headline="the temporary directory of the machine that runs virt-v2v is full",
        cause="virt-v2v needs about 1 GB there.",
        meaning=("The guest is not the cause. Free some space, or set LIBGUESTFS_CACHEDIR, and convert again."),
        disk=DiskState.UNCHANGED,
        next_step=_LOOK,
        next=Next.INSPECT,
        sources=(_SOURCE + "lib/utils.ml",),
    ),
    Rule(
        id="v2v-host-no-ntfs",
        pattern=re.compile(r"unknown filesystem type 'ntfs'|mount: unsupported filesystem type", re.I),
        quoted="mount: /sysroot: unknown filesystem type 'ntfs'.",
        phase=Phase.INSPECTING,
        fault=Fault.HOST,
        headline="the machine that runs virt-v2v cannot read NTFS",
        cause=(
            "libguestfs there has no NTFS driver, so virt-v2v sees no Windows, however sound it is. The guest is "
            "neither encrypted nor damaged by what this log shows."
        ),
        meaning=(
            "Install libguestfs-winsupport (RHEL and similar) or ntfs-3g on the machine that converts, or use a "
            "conversion image that has it, and convert again."
        ),
        disk=DiskState.UNCHANGED,
        next_step=_CONVERT_OR_REPAIR,
        next=Next.CHECK,
        sources=(
            "https://github.com/libguestfs/virt-v2v/issues/31",
            "https://github.com/kubev2v/forklift/issues/479",
            "https://github.com/kubev2v/forklift/issues/226",
            "https://libguestfs.org/guestfs-faq.1.html",
        ),
        kind=MessageKind.HINT,
        explains=("v2v-no-root",),
        answers_alone=True,
    ),
    Rule(
        id="v2v-host-no-kvm",
        pattern=re.compile(r"could not access KVM kernel module|failed to initialize kvm", re.I),
        quoted="Could not access KVM kernel module: Permission denied",
        phase=Phase.PREPARING,
        fault=Fault.HOST,
        headline="the machine that runs virt-v2v has no access to KVM",
        cause=(
            "/dev/kvm is missing or may not be opened: virtualization is off in the firmware, the machine is a virtual "
            "one without nested virtualization, a container without the device, or the user is not in the group kvm."
        ),
        meaning=("libguestfs then needs many times as long, or does not start at all. The guest is not the cause."),
        disk=DiskState.UNCHANGED,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=("https://github.com/sickcodes/Docker-OSX/issues/55", "https://github.com/hashicorp/nomad/issues/650"),
        kind=MessageKind.HINT,
        explains=("v2v-host-appliance", "v2v-host-launch"),
        answers_alone=True,
    ),
    Rule(
        id="v2v-host-appliance",
        pattern=re.compile(
            r"supermin exited with error|cannot find any suitable libguestfs supermin"
            r"|could not create appliance through|supermin: (?:error|failed)|appliance closed the connection "
            r"unexpectedly",
            re.I,
        ),
        quoted="libguestfs: error: /usr/bin/supermin exited with error status 1.",
        phase=Phase.PREPARING,
        fault=Fault.HOST,
        headline="libguestfs did not start on the machine that runs virt-v2v",
        cause=(
            "libguestfs builds and starts a small virtual machine, its appliance, to look into the guest. It could "
            "not: parts of it are not installed, its kernel cannot be read, or memory is short."
        ),
        meaning=(
            "The guest is not the cause. `libguestfs-test-tool` there shows the reason; "
            "LIBGUESTFS_BACKEND=direct leaves libvirt out."
        ),
        disk=DiskState.UNCHANGED,
        next_step=_CONVERT_OR_REPAIR,
        next=Next.CHECK,
        sources=(_FAQ, _SUPERMIN, "https://github.com/vmunoz82/ise14/issues/4"),
        explains=("v2v-host-launch",),
    ),
    Rule(
        id="v2v-host-launch",
        pattern=re.compile(r"guestfs_launch failed", re.I),
        quoted="libguestfs error: guestfs_launch failed, see earlier error messages",
        phase=Phase.PREPARING,
        fault=Fault.HOST,
        headline="libguestfs did not start on the machine that runs virt-v2v",
        cause=(
            "The messages before this one say why, where the log has them: too little memory, no KVM, parts that are "
            "not installed."
        ),
        meaning="The guest is not the cause. `libguestfs-test-tool` on that machine shows the reason.",
        disk=DiskState.UNCHANGED,
        next_step=_CONVERT_OR_REPAIR,
        next=Next.CHECK,
        sources=(_FAQ, "https://github.com/OpenNebula/one-swap/issues/59"),
        kind=MessageKind.SYMPTOM,
    ),
    Rule(
        id="v2v-host-rhsrvany",
        pattern=re.compile(r"rhsrvany\.exe or pvvxsvc\.exe is missing|rhsrvany\.exe is missing", re.I),
        quoted=(
            "One of rhsrvany.exe or pvvxsvc.exe is missing in /usr/share/virt-tools. One of them is required in "
            "order to install Windows firstboot scripts."
        ),
        phase=Phase.CONVERTING,
        fault=Fault.HOST,
        headline="a program for the first start of Windows is not installed on the machine that runs virt-v2v",
        cause="virt-v2v puts rhsrvany.exe into every Windows guest and ends where it has none.",
        meaning=(
            "The guest is not the cause. Install rhsrvany there, or set VIRT_TOOLS_DATA_DIR. virt-v2v changes "
            "an overlay, so the source is as it was; virt-v2v-in-place changes the disk itself."
        ),
        disk=DiskState.UNCHANGED,
        next_step=_CONVERT_OR_REPAIR,
        next=Next.CHECK,
        sources=(
            "https://github.com/libguestfs/libguestfs-common/blob/master/mlcustomize/firstboot.ml",
            "https://github.com/canonical/lxd/pull/12184",
        ),
    ),
    Rule(
        id="v2v-host-killed",
        pattern=re.compile(r"execution failed: signal: killed", re.I),
        quoted="qemu-img execution failed: signal: killed",
        phase=Phase.COPYING,
        fault=Fault.HOST,
        headline="the program that copied the disk was killed",
        cause=(
            "It was not qemu-img that gave up: the container's memory limit, the kernel because memory ran out, or a "
            "time limit ended it."
        ),
        meaning="The guest is not the cause. What was copied is not complete.",
        disk=DiskState.INCOMPLETE,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=(
            "https://github.com/kubevirt/kubevirt/issues/6915",
            "https://github.com/kubevirt/containerized-data-importer/issues/2053",
        ),
    ),
    Rule(
        id="v2v-host-disk-full",
        pattern=re.compile(r"No space left on device", re.I),
        quoted="qemu-img: error while writing at byte 2146435072: No space left on device",
        phase=Phase.COPYING,
        fault=Fault.HOST,
        headline="the storage that the conversion writes to is full",
        cause="The target storage, or the temporary directory of the machine that converts, has no room left.",
        meaning="The guest is not the cause. What was copied is not complete.",
        disk=DiskState.INCOMPLETE,
        next_step="Make room there and convert again; then see whether the new machine would start:",
        next=Next.CHECK,
        sources=("https://libguestfs.org/virt-v2v.1.html",),
    ),
    Rule(
        id="v2v-host-permission",
        pattern=re.compile(r"Permission denied|Operation not permitted", re.I),
        quoted="qemu-img: Could not open '/var/lib/images/vm.vmdk': Permission denied",
        phase=Phase.PREPARING,
        fault=Fault.HOST,
        headline="the machine that converts may not open a file or device",
        cause=(
            "The user that virt-v2v, qemu or the container runs as has no right to it: the owner of the file, "
            "SELinux or AppArmor, a network storage that maps root to nobody, or libvirt's own user."
        ),
        meaning=("The guest is not the cause. LIBGUESTFS_BACKEND=direct makes qemu run as the user of virt-v2v."),
        disk=DiskState.UNKNOWN,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=("https://libguestfs.org/virt-v2v.1.html", _FAQ),
        kind=MessageKind.SYMPTOM,
    ),
)
