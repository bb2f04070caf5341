"""What virt-v2v, nbdkit, VDDK and qemu-img say when the source cannot be reached, opened or read to its end."""

import re

from bootgraft.explain.rules import DiskState, Fault, MessageKind, Next, Phase, Rule

_VDDK = "https://github.com/libguestfs/virt-v2v/blob/master/input/nbdkit_vddk.ml"
_AGAIN = "Fix that and convert again; then see whether the new machine would start:"
_CONVERT_OR_REPAIR = "Fix that and convert again; or see whether bootgraft can repair the disk without virt-v2v:"

RULES = (
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
        meaning="The guest is not the cause. Give virt-v2v the disk itself (-i disk), or use a newer one.",
        disk=DiskState.NOTHING,
        next_step=_CONVERT_OR_REPAIR,
        next=Next.CHECK,
        sources=(
            "https://github.com/libguestfs/virt-v2v/issues/79",
            "https://github.com/libguestfs/virt-v2v/issues/26",
        ),
    ),
    Rule(
        id="v2v-vddk-library",
        pattern=re.compile(
            r"libvixDiskLib\.so[.\d]{0,12}: cannot open shared object file"
            r"|did not set the right path in the .{1,3}-io vddk-libdir"
            r"|vddk-libdir=.{1,300} does not point to a directory",
            re.I,
        ),
        quoted="libvixDiskLib.so.7: cannot open shared object file: No such file or directory",
        phase=Phase.PREPARING,
        fault=Fault.HOST,
        headline="nbdkit found no VMware VDDK library of its version on the machine that runs virt-v2v",
        cause=(
            "VDDK is not installed there, lies elsewhere than libdir= says, or is of another version than nbdkit knows."
        ),
        meaning="The guest is not the cause. Unpack the VDDK and name its folder (-io vddk-libdir=).",
        disk=DiskState.NOTHING,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=(
            "https://github.com/kubevirt/containerized-data-importer/pull/2341",
            "https://github.com/adminsyspro/proxcenter-ui/issues/521",
            _VDDK,
        ),
    ),
    Rule(
        id="v2v-host-nbdkit",
        pattern=re.compile(r"\bnbdkit(?:-[\w-]{1,40}| VDDK plugin)? is not installed|\bnbdkit is too old", re.I),
        quoted="nbdkit-vddk-plugin is not installed",
        phase=Phase.PREPARING,
        fault=Fault.HOST,
        headline="nbdkit, or a part of it, is not installed on the machine that runs virt-v2v",
        cause=(
            "virt-v2v reads the source through nbdkit and its plugins and filters. The plugin for VMware's VDDK is a "
            "package of its own, and not part of every distribution (not of Debian and Ubuntu)."
        ),
        meaning="The guest is not the cause. Install what the message names, on that machine.",
        disk=DiskState.NOTHING,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=(_VDDK, "https://github.com/OpenNebula/one-swap/pull/118"),
    ),
    Rule(
        id="v2v-nbdkit-start",
        pattern=re.compile(r"nbdkit did not start up", re.I),
        quoted="nbdkit did not start up. See previous debugging messages for problems.",
        phase=Phase.PREPARING,
        fault=Fault.CONNECTION,
        headline="nbdkit did not begin to serve the source disk",
        cause=(
            "Within 30 seconds nbdkit could not open the source: the messages before this one say why, where the log "
            "has them (an unreachable server, a wrong password, a missing library)."
        ),
        meaning="The guest is not the cause.",
        disk=DiskState.NOTHING,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=("https://github.com/libguestfs/virt-v2v/blob/master/lib/nbdkit.ml",),
        kind=MessageKind.SYMPTOM,
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
        meaning="The guest is not the cause.",
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
        meaning="The guest is not the cause. The copy is not complete.",
        disk=DiskState.INCOMPLETE,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=(
            "https://github.com/vexxhost/migratekit/issues/53",
            "https://github.com/adminsyspro/proxcenter-ui/issues/946",
        ),
    ),
    Rule(
        id="v2v-source-http",
        pattern=re.compile(r"curl_easy_perform: ", re.I),
        quoted="nbdkit: curl[2]: error: pread: curl_easy_perform: Couldn't connect to server",
        phase=Phase.COPYING,
        fault=Fault.CONNECTION,
        headline="the web server that the disk is read from did not answer, or refused",
        cause="The message has what curl says of it: name resolution, a firewall, a certificate, a password, a proxy.",
        meaning="The guest is not the cause. What was copied is not complete.",
        disk=DiskState.INCOMPLETE,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=("https://github.com/kubevirt/containerized-data-importer/issues/1980",),
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
        meaning="The guest is not the cause. Check the path as that machine, or its container, sees it.",
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
        meaning="This says nothing about the guest. `qemu-img info FILE` and the size of the file tell more.",
        disk=DiskState.UNKNOWN,
        next_step="See what is on it; --format names another format:",
        next=Next.INSPECT,
        sources=(
            "https://github.com/PegaProx/project-pegaprox/issues/816",
            "https://github.com/canonical/lxd-ui/issues/1652",
        ),
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
