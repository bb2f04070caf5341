"""Does the new machine present the disks with the sectors that their partition tables count in?"""

from collections.abc import Iterator

from bootgraft.checks.check import Check
from bootgraft.checks.finding import FaultPlace, Finding, FindingDoc, Need, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.machine import Disk
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.targets.controllers import Attachment, Controller
from bootgraft.windows.versions import WINDOWS_8

ID = "sector-size"
_LARGE = 4096
_KNOW_512_ONLY = (Attachment.IDE, Attachment.AHCI)
DOC = FindingDoc(
    id=ID,
    applies_to="disks whose partition table counts sectors of 4096 bytes, or which the machine presents with such",
    cause="A partition table counts sectors: of 512 bytes on nearly every disk, of 4096 on 4K-native ones. Where a "
    "copy of the one is presented as the other, the GPT is not where the firmware looks for it. Virtual machines "
    "present 512 unless they are told otherwise; IDE and SATA disks and a BIOS know nothing else. Windows starts from "
    "sectors of 4096 bytes from 8 and Server 2012 on, with UEFI.",
    evidence="The sector size that the table counts in, and what the description, the image's own format or the kind "
    "of the controller say of the disk.",
    fix="None: the disk is right. Present it with its own sectors: `<blockio logical_block_size='4096' "
    "physical_block_size='4096'/>` in libvirt's XML (virtio, SCSI or NVMe, with UEFI), a VHDX of 4096-byte sectors on "
    "generation 2; or clone it onto a disk of 512-byte sectors with a program that converts the table.",
    limits="Only a GPT tells its sectors. Of an MBR 512 is taken; that its file systems lie where sectors of 4096 "
    "bytes would put them is said with the table. Where nothing says what is presented, the verdict is unknown.",
    references=(
        "https://learn.microsoft.com/troubleshoot/windows-server/backup-and-storage/support-policy-4k-sector-hard-drives",
        "https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms",
        "https://learn.microsoft.com/powershell/module/hyper-v/new-vhd",
    ),
    fault_in=FaultPlace.OUTSIDE,
    symptoms=(Symptom.NO_BOOTABLE_DEVICE,),
)


def find(guest: Guest) -> tuple[Finding, ...]:
    """What is said of the disks that the guest starts from: the one with the loader, and the one with Windows."""
    windows = guest.installation
    indexes = dict.fromkeys((0, 0 if windows is None else windows.volume.disk))
    disks = [guest.machine.disks[index] for index in indexes if index < len(guest.machine.disks)]
    return tuple(finding for disk in disks for finding in _of_disk(guest, disk))


def _of_disk(guest: Guest, disk: Disk) -> Iterator[Finding]:
    if disk.table.kind is TableKind.NONE:
        return
    presented, why = _presented(guest, disk.index)
    made_for = disk.table.sector_size
    right = f"The disk is right as it is: it must be presented with sectors of {made_for} bytes."
    windows = guest.installation
    if presented not in (None, made_for):
        title = (
            f"the partition table of {disk.name} counts sectors of {made_for} bytes, the machine presents {presented}"
        )
        yield _finding(disk, title, f"The firmware does not find the partition table. {right}", why)
    elif made_for == _LARGE and windows is not None and windows.version < WINDOWS_8:
        version = ".".join(map(str, windows.version))
        title = f"NT {version} does not start from {disk.name}, which has sectors of {_LARGE} bytes"
        yield _finding(
            disk, title, "Windows 8 and Server 2012 are the first that do. It needs sectors of 512 bytes.", why
        )
    elif made_for == _LARGE and presented is None:
        title = f"{disk.name} needs sectors of {_LARGE} bytes, and which the machine presents is not known"
        yield _finding(disk, title, f"Most present 512 unless they are told otherwise. {right}", why, sure=False)


def _presented(guest: Guest, index: int) -> tuple[int | None, str]:
    """The logical sector size in bytes that the new machine presents, and who says so; None where nothing does."""
    vm, controller = guest.described, guest.controller
    described = None if vm is None else _at(vm.sector_sizes, index)
    own = _at(guest.sector_sizes, index)
    if vm is not None and described is not None:
        return described, f"{vm.path}: it presents sectors of {described} bytes"
    if controller is not None and controller.is_hyperv and own is not None:
        return own, f"the image says that the disk has sectors of {own} bytes"
    if controller is not None and _knows_512_only(controller):
        return 512, f"{controller.target} presents sectors of 512 bytes only"
    return None, ""


def _knows_512_only(controller: Controller) -> bool:
    """Whether it presents no other: qemu refuses that for ``ide-hd``, on IDE and AHCI; VirtualBox' media have none."""
    return controller.attachment in _KNOW_512_ONLY or controller.hypervisor == "virtualbox"


def _at(sizes: tuple[int | None, ...], index: int) -> int | None:
    return sizes[index] if index < len(sizes) else None


def _finding(disk: Disk, title: str, explanation: str, why: str, *, sure: bool = True) -> Finding:
    size = disk.table.sector_size
    table = f"{disk.name}: its {disk.table.kind.value.upper()} counts sectors of {size} bytes"
    return Finding(
        ID,
        Severity.BLOCKER if sure else Severity.WARNING,
        title,
        explanation,
        (table, *((why,) if why else ())),
        leaves_open=not sure,
        fault_in=FaultPlace.OUTSIDE,
    )


CHECK = Check(Stage.CONTROLLER, 12, (DOC,), find, needs=Need.NOTHING)
