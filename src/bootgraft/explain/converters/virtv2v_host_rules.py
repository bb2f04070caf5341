"""What virt-v2v and its helpers say when not the guest is at fault, but the host that converts, or the source."""

import re

from bootgraft.explain.rules import DiskState, Fault, MessageKind, Next, Phase, Rule

_FAQ = "https://libguestfs.org/guestfs-faq.1.html#debugging-libguestfs"
_SUPERMIN = "https://github.com/NixOS/nixpkgs/issues/112920"

_AGAIN = "Convert again; then see whether the new machine would start:"
_CONVERT_OR_REPAIR = "Fix that and convert again; or see whether bootgraft can repair the disk without virt-v2v:"

RULES = (
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
            "Install libguestfs-winsupport (RHEL and its kin) or ntfs-3g on the machine that converts, or use a "
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
        meaning=(
            "libguestfs then needs many times as long, or does not start at all. The guest has nothing to do with it."
        ),
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
            "The guest has nothing to do with it. `libguestfs-test-tool` there shows the reason; "
            "LIBGUESTFS_BACKEND=direct leaves libvirt out."
        ),
        disk=DiskState.UNCHANGED,
        next_step=_CONVERT_OR_REPAIR,
        next=Next.CHECK,
        sources=(_FAQ, _SUPERMIN, "https://github.com/vmunoz82/ise14/issues/4"),
        explains=("v2v-host-launch",),
    ),
    Rule(
        id="v2v-no-drive",
        pattern=re.compile(r"you must call guestfs_add_drive before guestfs_launch", re.I),
        quoted="libguestfs error: you must call guestfs_add_drive before guestfs_launch",
        phase=Phase.PREPARING,
        fault=Fault.CONNECTION,
        headline="virt-v2v found no disk in the description of the machine",
        cause=(
            "The description (.vmx, .ovf in an OVA, domain XML) names its disks in a way that this virt-v2v does not "
            "understand, or names none."
        ),
        meaning="The guest has nothing to do with it. Give virt-v2v the disk itself (-i disk), or use a newer one.",
        disk=DiskState.NOTHING,
        next_step=_CONVERT_OR_REPAIR,
        next=Next.CHECK,
        sources=(
            "https://github.com/libguestfs/virt-v2v/issues/79",
            "https://github.com/libguestfs/virt-v2v/issues/26",
        ),
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
        meaning="The guest has nothing to do with it. `libguestfs-test-tool` on that machine shows the reason.",
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
            "The guest has nothing to do with it. Install rhsrvany there, or set VIRT_TOOLS_DATA_DIR. virt-v2v changes "
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
        id="v2v-vddk-library",
        pattern=re.compile(r"libvixDiskLib\.so[.\d]{0,12}: cannot open shared object file", re.I),
        quoted="libvixDiskLib.so.7: cannot open shared object file: No such file or directory",
        phase=Phase.PREPARING,
        fault=Fault.HOST,
        headline="nbdkit found no VMware VDDK library of its version on the machine that runs virt-v2v",
        cause=(
            "VDDK is not installed there, lies elsewhere than libdir= says, or is of another version than nbdkit knows."
        ),
        meaning="The guest has nothing to do with it. Unpack the VDDK and name its folder (-io vddk-libdir=).",
        disk=DiskState.NOTHING,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=(
            "https://github.com/kubevirt/containerized-data-importer/pull/2341",
            "https://github.com/adminsyspro/proxcenter-ui/issues/521",
        ),
    ),
    Rule(
        id="v2v-vddk-open",
        pattern=re.compile(r"VixDiskLib_(?:Open|OpenEx|Connect|ConnectEx|InitEx|PrepareForAccess)\b", re.I),
        quoted="nbdkit: vddk[1]: error: VixDiskLib_Open: [ds] vm/vm.vmdk: The server refused connection",
        phase=Phase.PREPARING,
        fault=Fault.CONNECTION,
        headline="the disk could not be opened on the VMware host",
        cause=(
            "VDDK logs in at vCenter (port 443) and then opens the disk on the ESXi host itself (port 902). A "
            "firewall, "
            "name resolution, the account's rights, the thumbprint or a snapshot that holds the disk is in the way."
        ),
        meaning="The guest has nothing to do with it.",
        disk=DiskState.NOTHING,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=(
            "https://github.com/adminsyspro/proxcenter-ui/issues/438",
            "https://github.com/adminsyspro/proxcenter-ui/issues/521",
        ),
    ),
    Rule(
        id="v2v-vddk-read",
        pattern=re.compile(r"VixDiskLib_(?:Read|QueryAllocatedBlocks|Write|Flush|GetInfo)\b", re.I),
        quoted="nbdkit: error: VixDiskLib_QueryAllocatedBlocks: One of the parameters was invalid",
        phase=Phase.COPYING,
        fault=Fault.CONNECTION,
        headline="the VMware host stopped answering, or refused a read, while its disk was copied",
        cause=(
            "The disk was open, but a read failed: the connection to port 902 broke, or this VDDK does not fit this "
            "ESXi (VDDK 9 reads nothing from ESXi 5.5)."
        ),
        meaning="The guest has nothing to do with it. The copy is not complete.",
        disk=DiskState.INCOMPLETE,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=(
            "https://github.com/vexxhost/migratekit/issues/53",
            "https://github.com/adminsyspro/proxcenter-ui/issues/946",
        ),
    ),
    Rule(
        id="v2v-source-running",
        pattern=re.compile(r"is running or paused\. It must be shut ?down in order to perform virt-v2v", re.I),
        quoted=(
            "libvirt domain \u2018vm\u2019 is running or paused. It must be shut down in order to perform virt-v2v "
            "conversion"
        ),
        phase=Phase.PREPARING,
        fault=Fault.CONNECTION,
        headline="the source machine is still running",
        cause="A disk that changes while it is copied makes a damaged copy, so virt-v2v does not begin.",
        meaning="Shut Windows down in the source machine (not with Fast Startup), and convert again.",
        disk=DiskState.NOTHING,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=("https://github.com/openshift/openshift-docs/pull/23941",),
    ),
    Rule(
        id="v2v-source-missing",
        pattern=re.compile(
            r"\baccess: No such file or directory: |HTTP response code 404 for download"
            r"|Could not open '[^']{1,400}': .{0,420}No such file or directory",
            re.I,
        ),
        quoted="access: No such file or directory: /ova/ova/vm.ova",
        phase=Phase.PREPARING,
        fault=Fault.CONNECTION,
        headline="the source is not where virt-v2v looked for it",
        cause=(
            "A file or a disk at the source that was named does not exist, or is not mounted on the machine that "
            "converts."
        ),
        meaning="The guest has nothing to do with it. Check the path as that machine, or its container, sees it.",
        disk=DiskState.NOTHING,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=(
            "https://github.com/kubev2v/forklift/issues/1942",
            "https://github.com/libguestfs/libguestfs/issues/68",
        ),
    ),
    Rule(
        id="v2v-image-format",
        pattern=re.compile(
            r"Could not open '[^']{1,400}': .{0,420}(?:Image is not in \w{1,10} format|Invalid argument)", re.I
        ),
        quoted="qemu-img: Could not open '/dev/vg/vm-117-disk-0.qcow2': Image is not in qcow2 format",
        phase=Phase.PREPARING,
        fault=Fault.HOST,
        headline="a file or volume is no disk image of the format that it was said to have",
        cause=(
            "The copy is incomplete, it is of another format than the converter told qemu, or it is only the small "
            "text file of a VMDK that has its data in another one."
        ),
        meaning="Nothing can be said of the guest by that. `qemu-img info FILE` and the size of the file tell more.",
        disk=DiskState.UNKNOWN,
        next_step="See what is on it; --format names another format:",
        next=Next.INSPECT,
        sources=(
            "https://github.com/PegaProx/project-pegaprox/issues/816",
            "https://github.com/canonical/lxd-ui/issues/1652",
        ),
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
    Rule(
        id="v2v-host-disk-full",
        pattern=re.compile(r"No space left on device", re.I),
        quoted="qemu-img: error while writing at byte 2146435072: No space left on device",
        phase=Phase.COPYING,
        fault=Fault.HOST,
        headline="the storage that the conversion writes to is full",
        cause="The target storage, or the temporary directory of the machine that converts, has no room left.",
        meaning="The guest has nothing to do with it. What was copied is not complete.",
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
        meaning=(
            "The guest has nothing to do with it. LIBGUESTFS_BACKEND=direct makes qemu run as the user of virt-v2v."
        ),
        disk=DiskState.UNKNOWN,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=("https://libguestfs.org/virt-v2v.1.html", _FAQ),
        kind=MessageKind.SYMPTOM,
    ),
    Rule(
        id="v2v-input-output",
        pattern=re.compile(
            r"(?:nbd_\w{1,40}|nbdcopy|nbdkit|qemu-|error while (?:read|writ)ing).{0,400}Input/output error", re.I
        ),
        quoted="nbd_block_status_64: block-status: command failed: Input/output error",
        phase=Phase.COPYING,
        fault=Fault.UNKNOWN,
        headline="a disk could not be read or written",
        cause=(
            "The storage of the source or of the target failed, or the connection to it. A message before it says "
            "more, where there is one."
        ),
        meaning="The copy is not complete.",
        disk=DiskState.INCOMPLETE,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=("https://github.com/vexxhost/migratekit/issues/53",),
        kind=MessageKind.SYMPTOM,
    ),
)
