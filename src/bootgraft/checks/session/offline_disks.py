r"""Which of the given disks Windows leaves offline when it first meets them on the new controller.

The boot disk is always brought online, others as ``SanPolicy`` says (:mod:`bootgraft.windows.data.san_policy`).
Microsoft names SCSI, iSCSI, Fibre Channel and SAS as shared buses, IDE and SATA are none; of NVMe and of RAID
controllers nothing is written. What a miniport calls its bus is its ``BusType``: 1 (SCSI) in viostor, xenvbd and SUSE's
drivers, 0x0A (SAS) in vioscsi. Disks on controllers of VMware, LSI and Hyper-V were seen to stay offline
(FuturFusion/migration-manager#481, libguestfs/virt-v2v#57, vcloudnine.de on STOP c00002e2; Microsoft, "Prepare a
Windows VHD to upload to Azure", which sets OnlineAll).
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from bootgraft.changes import Change, CreateKey, RegistryData, SetValue
from bootgraft.checks.guest import Guest
from bootgraft.registry.hive import Hive
from bootgraft.registry.values import ValueType, dword_data
from bootgraft.targets.controllers import Attachment, Controller
from bootgraft.windows.bindings import enum_instances
from bootgraft.windows.data.data_paths import ProductRole, role
from bootgraft.windows.data.san_policy import VALUE, SanPolicy, parameters_key, read_policy, sharing_signs
from bootgraft.windows.installation import Installation, hive_file
from bootgraft.windows.versions import VISTA

_NOT_SHARED = (Attachment.IDE, Attachment.AHCI)
_UNKNOWN = (Attachment.NVME, Attachment.VPCI)
_RAID = 0x0104
"""Base class and subclass of RAID controllers."""
_MAX_DISKS = 256


class OfflineDisk(Struct, frozen=True):
    """One disk; ``sure`` where nothing is left that could bring it online by itself. ``reason`` says why.

    ``was_met``: Windows may have met it on this very controller, and keeps what was decided then.
    """

    index: int
    sure: bool
    reason: str
    was_met: bool = False


def offline_disks(guest: Guest) -> tuple[OfflineDisk, ...]:
    """The given disks that stay offline or may; none where no target is known. Raises HiveError for a damaged hive."""
    installation, hive = guest.installation, guest.hive
    if installation is None or hive is None or installation.version < VISTA or len(guest.machine.disks) < 2:
        return ()
    started = {installation.volume.disk, 0 if guest.chain.system is None else guest.chain.system.disk}
    others = [disk.index for disk in guest.machine.disks if disk.index not in started and disk.volumes]
    return tuple(found for index in others if (found := _judge(guest, installation, hive, index)) is not None)


def online_all(hive: Hive, installation: Installation) -> Iterator[Change]:
    """The changes that let Windows bring every disk online that it meets, in all control sets."""
    wanted = RegistryData(ValueType.REG_DWORD, dword_data(SanPolicy.ONLINE_ALL))
    for number in installation.control_sets:
        path = parameters_key(number)
        if hive.key(path.rpartition("\\")[0]) is None:
            continue
        key = hive.key(path)
        if key is None:
            yield CreateKey(hive_file(installation), path)
        value = None if key is None else key.value(VALUE)
        before = None if value is None else RegistryData(value.type, value.data)
        if before != wanted:
            yield SetValue(hive_file(installation), path, VALUE, wanted, before)


def by_hand(index: int) -> str:
    """How a disk is brought online in a Windows that runs, as the end of a sentence."""
    return (
        f"bring disk {index} online in Disk Management, or in diskpart: `list disk`, `select disk {index}` (the number "
        "that it has there), `online disk`, `attributes disk clear readonly`."
    )


def policy_is_changed(guest: Guest, disks: Sequence[OfflineDisk]) -> bool:
    """Whether a repair lets Windows bring every disk online without being asked to.

    Only for a domain controller whose database is on such a disk, and only where nothing says that disks are shared.
    Raises HiveError for a damaged hive.
    """
    new = {each.index for each in disks if not each.was_met}
    needed = (each.volume for each in guest.data_places if each.path.use.is_directory_service)
    if guest.hive is None or guest.installation is None or not any(v is not None and v.disk in new for v in needed):
        return False
    return not any(sharing_signs(guest.hive, guest.installation.select.default))


def _judge(guest: Guest, installation: Installation, hive: Hive, index: int) -> OfflineDisk | None:
    controller = guest.controller_of(index)
    if controller is None:
        return None
    number = installation.select.default
    policy = read_policy(hive, number)
    where = (
        f"{parameters_key(number)}: {VALUE}={policy}" if policy is not None else f"{parameters_key(number)}: no {VALUE}"
    )
    sure = policy in (SanPolicy.OFFLINE_SHARED, SanPolicy.OFFLINE_ALL)
    if policy is None:
        if role(hive, number) not in (ProductRole.SERVER, ProductRole.DOMAIN_CONTROLLER):
            return None
        policy, where = SanPolicy.OFFLINE_SHARED, f"{where}, and servers mostly take 2"
    bus = ""
    if policy == SanPolicy.OFFLINE_SHARED:
        shared = _is_shared(controller)
        if shared is False:
            return None
        sure = sure and bool(shared)
        bus = (
            f"; {controller.target} counts as a shared bus" if shared else f"; {controller.target} may count as shared"
        )
    elif policy not in (SanPolicy.OFFLINE_ALL, SanPolicy.OFFLINE_INTERNAL):
        return None
    known = _met_there(hive, number, controller, len(guest.machine.disks))
    if known is True:
        return None
    met = "; Windows has met such a controller, so that it may know the disk" if known is None else ""
    return OfflineDisk(index, sure and known is False, f"{where}{bus}{met}", known is None)


def _is_shared(controller: Controller) -> bool | None:
    """Whether the bus of a data disk on this controller counts as shared; None where that is not written anywhere."""
    if controller.attachment is Attachment.IDE and controller.hypervisor == "azure":
        return True  # only the boot disk is on IDE there: data disks are on the synthetic SCSI controller
    if controller.attachment in _NOT_SHARED:
        return False
    if controller.attachment in _UNKNOWN or (controller.pci is not None and controller.pci.class_code >> 8 == _RAID):
        return None
    return True


def _met_there(hive: Hive, number: int, controller: Controller, disks: int) -> bool | None:
    """Whether Windows ran with as many disks on this controller: what it decided for each then is kept.

    None where it met the controller, but its disks may have been on another one. A disk's instance is called by the
    controller's, a ``&`` and the place: those of one controller differ only in the last part.
    """
    if controller.pci is not None:
        enumerator, device = "PCI", f"VEN_{controller.pci.vendor:04X}&DEV_{controller.pci.device:04X}"
    else:
        enumerator, device = controller.main_id.split("\\", 1)
    if not any(each.service for each in enum_instances(hive, number, enumerator, device)):
        return False
    groups = _disk_groups(hive, number)
    return True if len(groups) == 1 and sum(groups.values()) >= disks else None


def _disk_groups(hive: Hive, number: int) -> dict[str, int]:
    """How many disks Windows has met on each SCSI-like controller, by what their instances have in common."""
    groups: dict[str, int] = {}
    for instance in enum_instances(hive, number, "SCSI", "Disk")[:_MAX_DISKS]:
        group = instance.key_path.rpartition("\\")[2].rpartition("&")[0]
        groups[group] = groups.get(group, 0) + 1
    return groups
