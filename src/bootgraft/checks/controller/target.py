"""Can this Windows be judged on this controller, and started by its machine? What cannot is never called bootable."""

from collections.abc import Iterator

from bootgraft.checks.check import Check
from bootgraft.checks.controller.facts import reasons_not_judged
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.machine import Firmware
from bootgraft.targets.controllers import Controller
from bootgraft.targets.driverchains import driver_chain
from bootgraft.windows.driver_database import has_database
from bootgraft.windows.installation import Architecture, Installation
from bootgraft.windows.versions import WINDOWS_8

NOT_JUDGED = "target-not-judged"
FIRMWARE = "target-firmware"
NO_TARGET = "target-not-given"
DOCS = (
    FindingDoc(
        id=NOT_JUDGED,
        applies_to="every Windows whose version or architecture cannot be read; Xen's paravirtual disk, on AWS too",
        cause="The version or the architecture of the Windows is not known, it is older than NT 4, or it is Windows 8 "
        "or later and has no DriverDatabase. On Xen's paravirtual disk the devices behind the platform device are the "
        "vendor's own, and differ from one to the other.",
        evidence="What is not known, and why.",
        fix="None. Choose a controller that can be judged (`bootgraft targets`), or put back the hive or file that is "
        "named.",
        limits="",
        references=(),
    ),
    FindingDoc(
        id=FIRMWARE,
        applies_to="every Windows on the machines of Hyper-V and Azure, and on Xen instances of Amazon's",
        cause="Generation 2 machines have UEFI firmware without a BIOS, so they start from GPT disks only, and "
        "Microsoft supports 64-bit Windows from 8 and Server 2012 on: earlier ones need the VGA of a BIOS. Generation "
        "1 machines and Amazon's Xen instances have a BIOS only, which starts no disk that was set up for UEFI.",
        evidence="What the disk's boot chain needs, the partition table that the Windows lies on, its NT version and "
        "architecture.",
        fix="None. Choose the other generation (`hyperv:gen1` or `hyperv:gen2`, the same of `azure`), on Amazon EC2 a "
        "Nitro instance (`aws:nvme`), or convert an MBR disk to GPT with an EFI system partition (mbr2gpt, from "
        "Windows 10 on).",
        limits="Where --vm gives a description with the wrong firmware, `vm-firmware` says so instead.",
        symptoms=(Symptom.NO_BOOTABLE_DEVICE,),
        references=(
            "https://learn.microsoft.com/windows-server/virtualization/hyper-v/plan/should-i-create-a-generation-1-or-2-virtual-machine-in-hyper-v",
            "https://learn.microsoft.com/azure/virtual-machines/generation-2",
            "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-instance-boot-mode.html",
        ),
    ),
    FindingDoc(
        id=NO_TARGET,
        applies_to="every Windows",
        cause="No target was given, so it is not known which controller the machine will have.",
        evidence="None.",
        fix="Give --target HYPERVISOR:CONTROLLER.",
        limits="",
        references=(),
    ),
)


def not_judged(installation: Installation, controller: Controller, reasons: tuple[str, ...]) -> Finding:
    """Say that the Windows cannot be judged, and why."""
    return _open(installation, controller, reasons)


def check(
    installation: Installation,
    controller: Controller,
    needed: Firmware | None = None,
    described: Firmware | None = None,
) -> tuple[Finding, ...]:
    """What the target itself has against this Windows, or leaves unknown about it.

    ``needed`` is the firmware that the disk's boot chain needs, as far as that is known; ``described`` is that of the
    machine's description, of which its own check tells whether it is the wrong one.
    """
    found = []
    if controller.is_uefi_only:
        against = "UEFI", tuple(_against_uefi(installation, is_told=described is Firmware.UEFI))
    else:
        against = "a BIOS", tuple(_against_bios(controller, needed, is_told=described is Firmware.BIOS))
    if against[1]:
        found.append(
            Finding(
                FIRMWARE,
                Severity.BLOCKER,
                f"{controller.target} has {against[0]} only, which cannot start this Windows",
                "The firmware finds nothing that it could start, before any driver matters.",
                tuple(f"{installation.volume.name}: {reason}" for reason in against[1]),
            )
        )
    if driver_chain(controller, installation.version).ends_open:
        reason = "behind the Xen platform device each vendor has a chain of drivers of his own"
        found.append(_open(installation, controller, (reason,)))
    return tuple(found)


def no_target() -> Finding:
    """Say that without a target nothing can be promised."""
    return Finding(
        NO_TARGET,
        Severity.INFO,
        "no target was given",
        "Whether Windows starts depends on the disk controller of the new machine: give --target; "
        "`bootgraft targets` lists them.",
        (),
    )


def _open(installation: Installation, controller: Controller, reasons: tuple[str, ...]) -> Finding:
    return Finding(
        NOT_JUDGED,
        Severity.INFO,
        f"bootgraft cannot tell whether {installation.product} starts on {controller.target}",
        "The verdict stays unknown rather than guessed.",
        tuple(f"{installation.volume.name}: {reason}" for reason in reasons),
        leaves_open=True,
    )


def _against_uefi(installation: Installation, *, is_told: bool) -> Iterator[str]:
    if installation.volume.partition.guid is None and not is_told:
        yield "it lies on a disk with an MBR; UEFI starts Windows from GPT disks only"
    if installation.version < WINDOWS_8:
        major, minor = installation.version
        yield f"it is NT {major}.{minor}; Hyper-V supports NT 6.2 and later there"
    if installation.arch is Architecture.X86:
        yield "it is a 32-bit Windows; the firmware is 64-bit"


def _against_bios(controller: Controller, needed: Firmware | None, *, is_told: bool) -> Iterator[str]:
    if controller.is_bios_only and needed is Firmware.UEFI and not is_told:
        yield "the disk is set up for UEFI (GPT with an EFI system partition); a BIOS does not start it"


def _find(guest: Guest) -> tuple[Finding, ...]:
    installation, hive, controller = guest.installation, guest.hive, guest.controller
    if installation is None or hive is None:
        return ()
    if controller is None:
        return (no_target(),)
    reasons = reasons_not_judged(installation, has_database=has_database(hive))
    if reasons:
        return (not_judged(installation, controller, reasons),)
    described = None if guest.described is None else guest.described.firmware
    if controller.is_uefi_only and described is Firmware.BIOS and guest.has_described_controllers:
        return ()  # a generation 1 machine, with Windows on its synthetic SCSI: vm-boot-order tells whether it starts
    return check(installation, controller, guest.chain.firmware, described)


CHECK = Check(Stage.CONTROLLER, 10, DOCS, _find)
