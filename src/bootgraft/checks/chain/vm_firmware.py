"""Has the machine, as its description says, the firmware that starts the disk?"""

from bootgraft.boot.chain import BootChain
from bootgraft.checks.check import Check
from bootgraft.checks.finding import FaultPlace, Finding, FindingDoc, Need, Severity, Stage
from bootgraft.checks.guest import DescribedVm
from bootgraft.checks.symptom import Symptom
from bootgraft.machine import Firmware

WRONG = "vm-firmware"
DOC = FindingDoc(
    id=WRONG,
    applies_to="every Windows, where --vm gives the machine's description",
    cause="The machine has UEFI firmware and its disk starts from a BIOS (an MBR with an active partition), or the "
    "other way round (a GPT with an EFI system partition). The firmware finds nothing to start on it. A converter "
    "that makes a new machine gives it a BIOS unless it is told otherwise.",
    evidence="What the description says, and what the disk's boot chain needs.",
    fix="None: the disk is right. Change the description: `firmware` in a .vmx, `<os firmware='efi'>` in libvirt's "
    "XML, `bios` in Proxmox's .conf, the other generation on Hyper-V. `check --target T --recommend` without --vm "
    "prints the lines.",
    limits="UEFI firmware with a compatibility module (CSM) starts a BIOS disk too; virtual machines rarely have one.",
    symptoms=(Symptom.NO_BOOTABLE_DEVICE,),
    references=(
        "https://learn.microsoft.com/windows-hardware/manufacture/desktop/boot-to-uefi-mode-or-legacy-bios-mode",
    ),
    fault_in=FaultPlace.OUTSIDE,
)


def check(chain: BootChain, described: DescribedVm | None) -> tuple[Finding, ...]:
    """Compare the firmware of the machine with the one that its disk needs, where both are known."""
    needed = _needed(chain)
    if described is None or described.firmware in (None, needed) or needed is None:
        return ()
    return (
        Finding(
            WRONG,
            Severity.BLOCKER,
            f"the machine has {described.firmware.value} firmware, and its disk starts with {needed.value} only",
            "The firmware finds nothing on the disk that it could start. The disk is right: change the firmware in the "
            f"machine's description to {needed.value}.",
            (
                f"{described.path}: its firmware is {described.firmware.value}",
                f"{chain.steps[0].where}: {chain.steps[0].evidence}",
            ),
            fault_in=FaultPlace.OUTSIDE,
        ),
    )


def _needed(chain: BootChain) -> Firmware | None:
    """What the disk needs: ntldr, of which the chain tells no firmware, is started by a BIOS alone."""
    if chain.firmware is not None:
        return chain.firmware
    return Firmware.BIOS if chain.default is not None else None


CHECK = Check(Stage.CHAIN, 10, (DOC,), lambda guest: check(guest.chain, guest.described), needs=Need.DESCRIPTION)
