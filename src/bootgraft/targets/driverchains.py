"""The devices between the processor and the disk, by controller and Windows generation: each needs a driver.

A SCSI-like controller is one device. An IDE controller has channels, which are devices of their own; so has an AHCI
controller up to Windows 7, whose msahci stands on ataport. The synthetic controller of Hyper-V is attached to VMBus,
and so is the virtual PCI bus that Azure's NVMe controller is on (Linux shows it there: ``VMBUS:00/…/pci…/nvme``). At
the end of every chain is the disk. Ids and services are those of Microsoft's mshdc.inf, wvmbus.inf, wvpci.inf,
wstorvsc.inf and disk.inf, as the CriticalDeviceDatabase of Windows XP and 7 and the DriverDatabase of Windows 8.1 and
10 hold them.
"""

from msgspec import Struct

from bootgraft.targets.controllers import Attachment, Controller
from bootgraft.windows.versions import VISTA, WINDOWS_7, WINDOWS_8, WINDOWS_2000

SCSI_ADAPTER = "{4D36E97B-E325-11CE-BFC1-08002BE10318}"
HARD_DISK_CONTROLLER = "{4D36E96A-E325-11CE-BFC1-08002BE10318}"
DISK_DRIVE = "{4D36E967-E325-11CE-BFC1-08002BE10318}"
SYSTEM_DEVICE = "{4D36E97D-E325-11CE-BFC1-08002BE10318}"

_NT4_SERVICES = {
    0x10000030: ("symmpi",),
    0x104B1040: ("buslogic",),
    0x10000012: ("symc8xx",),
}
"""By vendor and device: the miniports that were made for NT 4, by Microsoft (buslogic) and LSI Logic (the others)."""
_HYPERV_IDE_DISKS = tuple(f"IDE\\DiskVirtual_HD______________________________1.1.{minor}___" for minor in "01")
"""What a disk of a generation 1 machine calls itself (wstorflt.inf)."""


class Link(Struct, frozen=True):
    """One device on the way to the disk.

    ``device_ids`` are those that it reports, best match first; ``main_id`` is the one to name in messages, and
    ``critical_ids`` are those that bind it where only the CriticalDeviceDatabase is asked. ``services`` are what serves
    it in this Windows as Microsoft ships it (or, for NT 4, the vendor), the likeliest first. Its instances lie below
    ``Enum`` at ``enumerator``, in the key ``device`` or one that goes on with ``&``; ``subsystem`` is that of PCI.
    """

    main_id: str
    device_ids: tuple[str, ...]
    critical_ids: tuple[str, ...]
    services: tuple[str, ...]
    class_guid: str
    enumerator: str = ""
    device: str = ""
    subsystem: int | None = None

    @property
    def is_filter(self) -> bool:
        """Whether it is a filter driver on another link's device, which its name alone calls."""
        return not self.device_ids


_VMBUS = Link("ACPI\\VMBus", ("ACPI\\VMBus", "*VMBus"), ("ACPI\\VMBus",), ("vmbus",), SYSTEM_DEVICE, "ACPI", "VMBus")
_VPCI_BUS = "{44C4F61D-4444-4400-9D52-802E27EDE19F}"
_VPCI_ID = f"VMBUS\\{_VPCI_BUS}"
_VPCI = Link(_VPCI_ID, (_VPCI_ID,), (_VPCI_ID,), ("vpci",), SYSTEM_DEVICE, "VMBUS", _VPCI_BUS)


class DriverChain(Struct, frozen=True):
    """The links from the controller to the disk. ``ends_open``: further devices follow, and each vendor has his own."""

    links: tuple[Link, ...]
    class_filters: tuple[tuple[str, str], ...] = ()  # (device class, service): a link more where the class names it
    ends_open: bool = False


def driver_chain(controller: Controller, version: tuple[int, int]) -> DriverChain:
    """The chain for one controller in the Windows of this NT version."""
    disk = _disk(controller, version)
    if controller.is_hyperv:
        return DriverChain((*_to_controller(controller, version), disk), ((DISK_DRIVE, "storflt"),))
    ends_open = controller.attachment is Attachment.XEN
    return DriverChain((*_to_controller(controller, version), disk), ends_open=ends_open)


def filter_link(service: str, class_guid: str) -> Link:
    """The link of a filter driver that a device of the chain cannot start without."""
    return Link(service, (), (), (service,), class_guid)


def _to_controller(controller: Controller, version: tuple[int, int]) -> tuple[Link, ...]:
    if controller.attachment is Attachment.VMBUS:
        return _VMBUS, _function(controller, version)
    if controller.attachment is Attachment.VPCI:
        return _VMBUS, _VPCI, _function(controller, version)
    if _has_channels(controller, version):
        return _function(controller, version), _channel(version)
    return (_function(controller, version),)


def _has_channels(controller: Controller, version: tuple[int, int]) -> bool:
    """NT 4 knows no channels: its atapi finds the controller by itself."""
    if controller.attachment is Attachment.IDE:
        return version >= WINDOWS_2000
    return controller.attachment is Attachment.AHCI and VISTA <= version <= WINDOWS_7


def _function(controller: Controller, version: tuple[int, int]) -> Link:
    ids, main_id = controller.device_ids(), controller.main_id
    enumerator, _, device = main_id.partition("\\")
    subsystem = None if controller.pci is None else controller.pci.subsystem
    services = _services(controller, version)
    return Link(main_id, ids, (main_id,), services, _class_of(controller), enumerator, device, subsystem)


def _services(controller: Controller, version: tuple[int, int]) -> tuple[str, ...]:
    if version >= WINDOWS_2000:
        inbox = controller.inbox_service(version)
        return () if inbox is None else (inbox,)
    if controller.attachment is Attachment.IDE:
        return ("atapi", "atdisk")
    pci = controller.pci
    return () if pci is None else _NT4_SERVICES.get(pci.vendor << 16 | pci.device, ())


def _class_of(controller: Controller) -> str:
    is_ide = controller.attachment is Attachment.IDE
    is_ahci = controller.attachment is Attachment.AHCI
    return HARD_DISK_CONTROLLER if is_ide or is_ahci else SCSI_ADAPTER


def _channel(version: tuple[int, int]) -> Link:
    """The channel that the first disk is attached to. Windows Vista and later give all channels one id."""
    first = "Internal_IDE_Channel" if version >= VISTA else "Primary_IDE_Channel"
    others = ("Primary_IDE_Channel", "Secondary_IDE_Channel", "*PNP0600")
    critical = (first, *(each for each in others if each != first))
    return Link(first, (first, "*PNP0600"), critical, ("atapi",), HARD_DISK_CONTROLLER, "PCIIDE", "IDEChannel")


def _disk(controller: Controller, version: tuple[int, int]) -> Link:
    is_emulated = controller.is_hyperv and controller.attachment is Attachment.IDE
    own = _HYPERV_IDE_DISKS if is_emulated and version >= WINDOWS_8 else ()
    return Link("GenDisk", (*own, "GenDisk"), ("GenDisk",), ("disk",), DISK_DRIVE)
