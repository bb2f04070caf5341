"""What the messages of virt-v2v's first-boot scripts mean."""

import re

from bootgraft.explain.rules import DiskState, Fault, MessageKind, Next, Phase, Rule

_SCRIPTS = "https://github.com/libguestfs/libguestfs-common/blob/master/mlcustomize/firstboot.ml"
_LOOP = "https://github.com/libguestfs/virt-v2v/issues/178"

_STOP = (
    "Switch the machine off and keep the service from starting, which ends the restarts; --dry-run shows it first and "
    "writes nothing. Then install the other drivers by hand in the running Windows:"
)

RULES = (
    Rule(
        id="firstboot-driver-untrusted",
        pattern=re.compile(r"driver package failed ?:.{0,40}certificate chain processed", re.I),
        quoted=(
            "Adding the driver package failed : A certificate chain processed, but terminated in a root certificate "
            "which is not trusted by the trust provider."
        ),
        phase=Phase.FIRST_BOOT,
        fault=Fault.HOST,
        headline="Windows does not trust the signature of a driver that virt-v2v gave it",
        cause=(
            "One driver of the virtio-win that virt-v2v used is signed by whom this Windows does not trust "
            "(smbus.inf of 0.1.285 on Server 2025, for one). The script then counts as failed and runs again at "
            "every start."
        ),
        meaning=(
            "Windows starts: the drivers of its disk and network are installed. It restarts again and again only "
            "because of the script, and the scripts after it never run."
        ),
        disk=DiskState.STARTED,
        next_step=_STOP,
        next=Next.FIRST_BOOT_OFF,
        sources=(
            _LOOP,
            "https://github.com/OpenNebula/one/issues/7953",
            "https://github.com/virtio-win/virtio-win-pkg-scripts/issues/122",
        ),
    ),
    Rule(
        id="firstboot-driver-failed",
        pattern=re.compile(r"Failed to install [^\s]{1,80}\.inf", re.I),
        quoted="Failed to install smbus.inf.",
        phase=Phase.FIRST_BOOT,
        fault=Fault.UNKNOWN,
        headline="a driver that virt-v2v gave Windows could not be installed",
        cause=(
            "pnputil refused one of the drivers in C:\\Windows\\Drivers\\Virtio; the lines before it say why, where "
            "it did."
        ),
        meaning="Windows starts. Where the script runs again at every start, Windows restarts each time.",
        disk=DiskState.STARTED,
        next_step=_STOP,
        next=Next.FIRST_BOOT_OFF,
        sources=(_LOOP, "https://github.com/libguestfs/virt-v2v/issues/159"),
        kind=MessageKind.SYMPTOM,
    ),
    Rule(
        id="firstboot-retry",
        pattern=re.compile(r"Script failed, will retry on next boot", re.I),
        quoted="Script failed, will retry on next boot",
        phase=Phase.FIRST_BOOT,
        fault=Fault.UNKNOWN,
        headline="a script of virt-v2v fails and restarts Windows at every start",
        cause="The script ended with 249, which means: again at the next start. There is no limit to that.",
        meaning="Windows itself starts. It restarts because of the script, and the scripts after it never run.",
        disk=DiskState.STARTED,
        next_step=_STOP,
        next=Next.FIRST_BOOT_OFF,
        sources=(_SCRIPTS, _LOOP, "https://github.com/libguestfs/virt-v2v/issues/159"),
        kind=MessageKind.SYMPTOM,
    ),
)
