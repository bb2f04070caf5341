"""Which hypervisor presents which disk controller: the facts that no driver's INF tells.

PCI ids are those that the hypervisors' own device models carry (qemu's are compared with the configuration space of
its machines by a test, where qemu is installed; VirtualBox ``DevLsiLogicSCSI.cpp`` and its like, VMware's published
hardware compatibility tables, Linux ``pci_ids.h``); those of the clouds, which publish no device models, are what Linux
logs and lspci lists on their machines (``[1d0f:8061] type 00 class 0x010802``), and for Azure what OpenVMM's own tests
expect of its NVMe. The in-box drivers name the service that serves the controller in each Windows generation as
Microsoft shipped it.
"""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from bootgraft.windows.versions import NEWEST, NT4, SERVER_2003, VISTA, WINDOWS_7, WINDOWS_8, WINDOWS_8_1, WINDOWS_2000


class Attachment(StrEnum):
    """How a controller hangs in the device tree: it decides what must be in place for the boot disk to appear."""

    PCI_MINIPORT = "pci-miniport"  # one PCI function, one SCSI or storage miniport
    IDE = "ide"  # a PCI function whose channels are devices of their own
    AHCI = "ahci"
    NVME = "nvme"
    VMBUS = "vmbus"  # synthetic: no PCI function at all
    VPCI = "vpci"  # a PCI function, an NVMe controller, on a PCI bus of its own that is attached to VMBus
    XEN = "xen"  # paravirtual: behind the Xen platform device


class PciId(Struct, frozen=True):
    """A PCI function as Windows' pci.sys sees it; ``subsystem`` is device then vendor, as in ``SUBSYS_197615AD``.

    ``subsystem`` and ``revision`` are None where they differ between releases of the hypervisor.
    """

    vendor: int
    device: int
    class_code: int  # base class, subclass, programming interface: 0x010000 is a SCSI controller
    subsystem: int | None = None
    revision: int | None = None

    @property
    def hardware_id(self) -> str:
        """The id that always matches: ``PCI\\VEN_1000&DEV_0030``."""
        return f"PCI\\VEN_{self.vendor:04X}&DEV_{self.device:04X}"

    def device_ids(self) -> tuple[str, ...]:
        """Every id that pci.sys reports, best match first (hardware ids, then compatible ids)."""
        head, full = self.hardware_id, f"{self.class_code:06X}"
        ids = []
        if self.subsystem is not None:
            if self.revision is not None:
                ids.append(f"{head}&SUBSYS_{self.subsystem:08X}&REV_{self.revision:02X}")
            ids.append(f"{head}&SUBSYS_{self.subsystem:08X}")
        ids += [f"{head}&CC_{full}", f"{head}&CC_{full[:4]}"]
        if self.revision is not None:
            ids.append(f"{head}&REV_{self.revision:02X}")
        ids.append(head)
        vendor = f"PCI\\VEN_{self.vendor:04X}"
        by_vendor = (f"{vendor}&CC_{full}", f"{vendor}&CC_{full[:4]}", vendor)
        return (*ids, *by_vendor, f"PCI\\CC_{full}", f"PCI\\CC_{full[:4]}")


class InboxDriver(Struct, frozen=True):
    """The service that Windows itself ships for a controller, from one NT version to another, both included."""

    service: str
    first: tuple[int, int]
    last: tuple[int, int]


class Controller(Struct, frozen=True):
    """One row of the table: what ``HYPERVISOR:CONTROLLER`` means."""

    hypervisor: str
    name: str
    title: str
    attachment: Attachment
    pci: PciId | None
    other_ids: tuple[str, ...] = ()  # ids that are not PCI's: VMBUS\{...}, or a second PCI id of the same controller
    inbox: tuple[InboxDriver, ...] = ()

    @property
    def target(self) -> str:
        """``vmware:lsilogic``, as ``--target`` takes it."""
        return f"{self.hypervisor}:{self.name}"

    @property
    def is_hyperv(self) -> bool:
        """Whether the machine is one of Hyper-V's, as Azure's are."""
        return self.hypervisor in ("hyperv", "azure")

    @property
    def is_uefi_only(self) -> bool:
        """Whether only generation 2 machines have it, whose firmware is UEFI without a BIOS (Microsoft)."""
        return self.attachment in (Attachment.VMBUS, Attachment.VPCI)

    @property
    def is_bios_only(self) -> bool:
        """Whether its machines have a BIOS without UEFI: generation 1 (Microsoft), Xen instances (Amazon)."""
        return self.target in _BIOS_ONLY

    @property
    def cloud(self) -> str | None:
        """The name of the cloud that makes the machine by itself, from an imported disk; None elsewhere."""
        return _CLOUDS.get(self.hypervisor)

    @property
    def main_id(self) -> str:
        """The device id to name in messages."""
        return self.pci.hardware_id if self.pci else self.other_ids[0]

    def device_ids(self) -> tuple[str, ...]:
        """Every device id that Windows may bind a driver to, best match first."""
        return (*(self.pci.device_ids() if self.pci else ()), *self.other_ids)

    def inbox_service(self, version: tuple[int, int]) -> str | None:
        """The service of the driver that this Windows (NT version) ships for the controller, if any."""
        for driver in self.inbox:
            if driver.first <= version <= driver.last:
                return driver.service
        return None


_BIOS_ONLY = frozenset({"hyperv:gen1", "azure:gen1", "aws:xen"})
_CLOUDS = {"aws": "Amazon EC2", "azure": "Azure", "google": "Google Cloud"}
_SYMMPI = InboxDriver("symmpi", SERVER_2003, SERVER_2003)
_LSI_SCSI = InboxDriver("LSI_SCSI", VISTA, WINDOWS_7)
_LSI_SAS = InboxDriver("LSI_SAS", VISTA, NEWEST)
_BUSLOGIC = InboxDriver("buslogic", NT4, WINDOWS_2000)
_IDE = (
    InboxDriver("atapi", NT4, NT4),
    InboxDriver("intelide", WINDOWS_2000, NEWEST),
)
_AHCI = (InboxDriver("msahci", VISTA, WINDOWS_7), InboxDriver("storahci", WINDOWS_8, NEWEST))
_NVME = (InboxDriver("stornvme", WINDOWS_8_1, NEWEST),)
_SYM_HI = (InboxDriver("sym_hi", WINDOWS_2000, SERVER_2003),)
_MEGASAS = (InboxDriver("megasas", VISTA, NEWEST),)
_MEGASAS_2 = (InboxDriver("megasas", WINDOWS_7, NEWEST),)  # in the registries of 7, 8.1 and 10; not known of Vista
_STORVSC = (InboxDriver("storvsc", WINDOWS_7, NEWEST),)
_SCSI, _RAID, _SAS, _IDE_CLASS, _SATA, _NVME_CLASS = 0x010000, 0x010400, 0x010700, 0x01018A, 0x010601, 0x010802
_NO_CLASS, _XEN_PLATFORM = 0x000000, 0xFF8000


def _pci(vendor: int, device: int, class_code: int, subsystem: int | None = None, rev: int | None = None) -> PciId:
    return PciId(vendor, device, class_code, subsystem, rev)


_MINIPORT = Attachment.PCI_MINIPORT
CONTROLLERS: tuple[Controller, ...] = (
    Controller("vmware", "lsilogic", "LSI Logic Parallel (53C1030)", _MINIPORT,
               _pci(0x1000, 0x0030, _SCSI, 0x197615AD, 0x01), inbox=(_SYMMPI, _LSI_SCSI)),
    Controller("vmware", "lsisas1068", "LSI Logic SAS (SAS1068)", _MINIPORT,
               _pci(0x1000, 0x0054, _SAS, 0x197615AD, 0x01), inbox=(_LSI_SAS,)),
    Controller("vmware", "pvscsi", "VMware Paravirtual SCSI", _MINIPORT,
               _pci(0x15AD, 0x07C0, _SAS, 0x07C015AD, 0x02)),
    Controller("vmware", "buslogic", "BusLogic MultiMaster", _MINIPORT,
               _pci(0x104B, 0x1040, _SCSI, 0x1040104B, 0x01), inbox=(_BUSLOGIC,)),
    Controller("vmware", "ide", "IDE (PIIX4)", Attachment.IDE,
               _pci(0x8086, 0x7111, _IDE_CLASS, 0x197615AD, 0x01), inbox=_IDE),
    Controller("vmware", "ahci", "SATA AHCI", Attachment.AHCI,
               _pci(0x15AD, 0x07E0, _SATA, 0x07E015AD), inbox=_AHCI),
    Controller("vmware", "nvme", "NVMe", Attachment.NVME,
               _pci(0x15AD, 0x07F0, _NVME_CLASS, 0x07F015AD), inbox=_NVME),
    Controller("kvm", "ide", "IDE (PIIX3, machine type pc)", Attachment.IDE,
               _pci(0x8086, 0x7010, 0x010180, 0x11001AF4, 0x00), inbox=_IDE),
    Controller("kvm", "ahci", "SATA AHCI (ICH9, machine type q35)", Attachment.AHCI,
               _pci(0x8086, 0x2922, _SATA, 0x11001AF4, 0x02), inbox=_AHCI),
    Controller("kvm", "virtio-blk", "virtio-blk, transitional", _MINIPORT,
               _pci(0x1AF4, 0x1001, _SCSI, 0x00021AF4, 0x00)),
    Controller("kvm", "virtio-blk-modern", "virtio-blk, modern only (q35 root ports)", _MINIPORT,
               _pci(0x1AF4, 0x1042, _SCSI, 0x11001AF4, 0x01)),
    Controller("kvm", "virtio-scsi", "virtio-scsi, transitional", _MINIPORT,
               _pci(0x1AF4, 0x1004, _SCSI, 0x00081AF4, 0x00)),
    Controller("kvm", "virtio-scsi-modern", "virtio-scsi, modern only (q35 root ports)", _MINIPORT,
               _pci(0x1AF4, 0x1048, _SCSI, 0x11001AF4, 0x01)),
    Controller("kvm", "lsi", "LSI 53C895A", _MINIPORT,
               _pci(0x1000, 0x0012, _SCSI, 0x10000000, 0x00), inbox=_SYM_HI),
    Controller("kvm", "lsisas1068", "LSI SAS1068 (mptsas1068)", _MINIPORT,
               _pci(0x1000, 0x0054, _SCSI, 0x80001000, 0x00), inbox=(_LSI_SAS,)),
    Controller("kvm", "megasas", "LSI MegaRAID SAS 1078", _MINIPORT,
               _pci(0x1000, 0x0060, _RAID, 0x10131000, 0x00), inbox=_MEGASAS),
    Controller("kvm", "megasas-gen2", "LSI MegaRAID SAS 2108", _MINIPORT,
               _pci(0x1000, 0x0079, _RAID, 0x92611000, 0x00), inbox=_MEGASAS_2),
    Controller("kvm", "pvscsi", "VMware Paravirtual SCSI, as qemu imitates it", _MINIPORT,
               _pci(0x15AD, 0x07C0, _SCSI, 0x07C015AD, 0x02)),
    Controller("kvm", "nvme", "NVMe", Attachment.NVME,
               _pci(0x1B36, 0x0010, _NVME_CLASS, 0x11001AF4, 0x02), inbox=_NVME),
    Controller("hyperv", "gen1", "Generation 1: IDE", Attachment.IDE,
               _pci(0x8086, 0x7111, 0x010180, 0x00000000, 0x01), inbox=_IDE),
    Controller("hyperv", "gen2", "Generation 2: synthetic SCSI", Attachment.VMBUS, None,
               ("VMBUS\\{ba6163d9-04a1-4d29-b605-72e2ffb1dc7f}",), _STORVSC),
    Controller("azure", "gen1", "Generation 1: IDE", Attachment.IDE,
               _pci(0x8086, 0x7111, 0x010180, 0x00000000, 0x01), inbox=_IDE),
    Controller("azure", "gen2", "Generation 2: synthetic SCSI", Attachment.VMBUS, None,
               ("VMBUS\\{ba6163d9-04a1-4d29-b605-72e2ffb1dc7f}",), _STORVSC),
    Controller("azure", "nvme", "Generation 2: NVMe (Azure Boost sizes)", Attachment.VPCI,
               _pci(0x1414, 0x00A9, _NVME_CLASS), inbox=_NVME),
    Controller("virtualbox", "piix3", "IDE (PIIX3)", Attachment.IDE,
               _pci(0x8086, 0x7010, _IDE_CLASS, 0x00000000), inbox=_IDE),
    Controller("virtualbox", "piix4", "IDE (PIIX4)", Attachment.IDE,
               _pci(0x8086, 0x7111, _IDE_CLASS, 0x00000000, 0x01), inbox=_IDE),
    Controller("virtualbox", "ahci", "SATA AHCI (ICH8M)", Attachment.AHCI,
               _pci(0x8086, 0x2829, _SATA, 0x00000000, 0x02), inbox=_AHCI),
    Controller("virtualbox", "lsilogic", "LSI Logic Parallel (53C1030)", _MINIPORT,
               _pci(0x1000, 0x0030, _SCSI, 0x80001000, 0x00), inbox=(_SYMMPI, _LSI_SCSI)),
    Controller("virtualbox", "lsisas1068", "LSI Logic SAS (SAS1068)", _MINIPORT,
               _pci(0x1000, 0x0054, _SCSI, 0x80001000, 0x00), inbox=(_LSI_SAS,)),
    Controller("virtualbox", "buslogic", "BusLogic MultiMaster", _MINIPORT,
               _pci(0x104B, 0x1040, _SCSI, 0x1040104B, 0x01), inbox=(_BUSLOGIC,)),
    Controller("virtualbox", "nvme", "NVMe", Attachment.NVME,
               _pci(0x80EE, 0x4E56, _NVME_CLASS), inbox=_NVME),
    Controller("xen", "ide", "emulated IDE (PIIX3)", Attachment.IDE,
               _pci(0x8086, 0x7010, 0x010180, 0x00015853, 0x00), inbox=_IDE),
    Controller("xen", "pv", "paravirtual block device", Attachment.XEN,
               _pci(0x5853, 0x0001, 0x010000, 0x00015853, 0x01), ("PCI\\VEN_5853&DEV_0002",)),
    Controller("aws", "nvme", "NVMe (EBS volume, Nitro instances)", Attachment.NVME,
               _pci(0x1D0F, 0x8061, _NVME_CLASS), inbox=_NVME),
    Controller("aws", "xen", "paravirtual block device (Xen instances)", Attachment.XEN,
               _pci(0x5853, 0x0001, _XEN_PLATFORM, 0x00015853, 0x01)),
    Controller("google", "virtio-scsi", "virtio-scsi, transitional", _MINIPORT,
               _pci(0x1AF4, 0x1004, _NO_CLASS, 0x00081AF4, 0x00)),
    Controller("google", "nvme", "NVMe", Attachment.NVME,
               _pci(0x1AE0, 0x001F, _NVME_CLASS), inbox=_NVME),
)  # fmt: skip


def find_controller(target: str, presented: Iterable[str] = ()) -> Controller:
    """Return the controller that ``HYPERVISOR:CONTROLLER`` names, or another name by which it is known (``names``).

    ``presented`` are the targets in the machine's description: a name without its hypervisor may be one of those.

    Raises UsageError that lists what there is.
    """
    found = _BY_TARGET.get(target.casefold())
    if found is None:
        from bootgraft.targets.names import meant_target  # most give our names

        found = _BY_TARGET[meant_target(target, tuple(_BY_TARGET), presented)]
    return found


_BY_TARGET = {each.target: each for each in CONTROLLERS}
