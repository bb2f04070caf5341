"""Has the processor of the machine, as its description says, what this Windows needs to start?"""

from collections.abc import Iterator

from bootgraft.checks.check import Check
from bootgraft.checks.finding import FaultPlace, Finding, FindingDoc, Need, Severity, Stage
from bootgraft.checks.guest import DescribedVm, Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.targets.descriptions.hardware import Processor
from bootgraft.targets.processors import CX16, LONG_MODE, NX, PAE, POPCNT, SSE2, SSE42, lacking
from bootgraft.windows.installation import Architecture, Installation
from bootgraft.windows.versions import WINDOWS_8, WINDOWS_8_1

ID = "vm-processor"
_24H2 = 26100
_UNSUPPORTED_PROCESSOR = "0x5d"
_NAMES = {
    LONG_MODE: "64-bit mode", PAE: "PAE", NX: "NX", SSE2: "SSE2", CX16: "CMPXCHG16B", SSE42: "SSE4.2",
    POPCNT: "POPCNT",
}  # fmt: skip
DOC = FindingDoc(
    id=ID,
    applies_to="64-bit Windows, and Windows 8 and later, where --vm gives a description that says which processor the "
    "machine has (libvirt, Proxmox, masks in a .vmx)",
    cause="The machine is given an old model of a processor: Proxmox takes kvm64 where its .conf has no `cpu`, "
    "libvirt qemu64 where the domain has none. Windows 11 24H2 and Server 2025 (build 26100 and later) need SSE4.2 "
    "and POPCNT and restart for ever at the logo without them; 8.1 and later need CMPXCHG16B as 64-bit, 8 and later "
    "PAE, NX and SSE2; a 64-bit Windows needs a 64-bit processor.",
    evidence="The line that gives the model or the features, and which of them are missing.",
    fix="None: the disk is right. Change the description: `cpu: x86-64-v2-AES` or `cpu: host` in Proxmox's .conf, "
    "`<cpu mode='host-passthrough'/>` in libvirt's XML, no such mask in a .vmx.",
    limits="Of models that are not known to lack something nothing is said, nor of the host's own processor. LAHF and "
    "PREFETCHW are not judged: qemu's models lack them by their bits and run these Windows all the same. Restrictions "
    "by VMware's EVC are not read.",
    symptoms=(Symptom.RESTART_LOOP, Symptom.STOP_5D, Symptom.STOP_C4),
    references=(
        "https://learn.microsoft.com/windows-hardware/design/minimum/windows-processor-requirements",
        "https://support.microsoft.com/windows/what-is-pae-nx-and-sse2-and-why-does-my-pc-need-to-support-them",
        "https://www.os2museum.com/wp/windows-8-1-startup-bugcheck-0xc4/",
        "https://pve.proxmox.com/pve-docs/qm.1.html#qm_cpu",
        "https://libvirt.org/formatdomain.html#cpu-model-and-topology",
        "https://github.com/pbatard/rufus/issues/2600",
    ),
    fault_in=FaultPlace.OUTSIDE,
)


def check(installation: Installation, described: DescribedVm | None) -> tuple[Finding, ...]:
    """Compare what the processor lacks with what the Windows needs, where both are known."""
    if described is None or described.processor is None:
        return ()
    lacks = lacking(described.processor)
    missing = [feature for feature in _needed(installation) if feature in lacks]
    if not missing:
        return ()
    names = " and ".join(_NAMES[feature] for feature in missing)
    return (
        Finding(
            ID,
            Severity.BLOCKER,
            f"the machine's processor lacks {names}, which this Windows needs",
            f"{_what_happens(missing)} The disk is right: change the machine's description, for example to "
            f"`{described.processor.remedy}`.",
            _evidence(installation, described, described.processor),
            stop_code=_UNSUPPORTED_PROCESSOR if _stops(missing) else None,
            fault_in=FaultPlace.OUTSIDE,
        ),
    )


def _evidence(installation: Installation, described: DescribedVm, processor: Processor) -> tuple[str, ...]:
    version = ".".join(map(str, installation.version))
    windows = f"NT {version} build {installation.build or '?'}, {installation.arch}"
    return (
        f"{described.line(processor.line)}: {processor.said}",
        f"{installation.volume.name}: {windows}",
    )


def _needed(installation: Installation) -> Iterator[str]:
    is_64_bit = installation.arch is Architecture.X64
    if is_64_bit:
        yield LONG_MODE
    if installation.version >= WINDOWS_8:
        yield from (PAE, NX, SSE2)
    if is_64_bit and installation.version >= WINDOWS_8_1:
        yield CX16
    if installation.build.isascii() and installation.build.isdecimal() and int(installation.build[:9]) >= _24H2:
        yield from (SSE42, POPCNT)


def _stops(missing: list[str]) -> bool:
    return LONG_MODE not in missing and bool({PAE, NX, SSE2}.intersection(missing))


def _what_happens(missing: list[str]) -> str:
    if LONG_MODE in missing:
        return "The loader of a 64-bit Windows stops on a 32-bit processor."
    if _stops(missing):
        return "Windows stops with UNSUPPORTED_PROCESSOR."
    if CX16 in missing and not {SSE42, POPCNT}.intersection(missing):
        return "Windows stops with 0xC4 or 0x5D, or restarts before that can be read."
    return "Windows restarts at the logo, again and again, without a STOP."


def find(guest: Guest) -> tuple[Finding, ...]:
    """What the guest's description says, compared with its Windows."""
    return () if guest.installation is None else check(guest.installation, guest.described)


CHECK = Check(Stage.CORE, 5, (DOC,), find, needs=Need.DESCRIPTION)
