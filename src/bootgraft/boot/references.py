"""The disks that a boot menu names by their MBR signature: what they break on where it is lost."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bootgraft.boot.ntldr.arc import ArcKind
from bootgraft.boot.ntldr.bootini import BootIni
from bootgraft.boot.steps import DiskReference
from bootgraft.machine import Volume

if TYPE_CHECKING:  # the chain of NT 4 to 2003 reads no BCD store
    from bootgraft.boot.bootmgr.chain import Menu


def in_store(menu: "Menu") -> Iterator[DiskReference]:
    """The partitions that the default entry of a BCD store is loaded from."""
    from bootgraft.boot.bootmgr.bcd import ElementType
    from bootgraft.boot.bootmgr.bcd_device import MbrPartition, PartitionDevice
    from bootgraft.boot.bootmgr.chain import default_entry

    entry = default_entry(menu)
    if entry is None:
        return
    for kind, role in ((ElementType.DEVICE, "device"), (ElementType.OS_DEVICE, "osdevice")):
        device = menu.store.device(entry, kind)
        if isinstance(device, PartitionDevice) and isinstance(device.identity, MbrPartition):
            where = f"{menu.where}: {role} of the default entry"
            yield DiskReference(device.identity.signature, device.identity.offset, where)


def in_boot_ini(menu: BootIni, system: Volume) -> Iterator[DiskReference]:
    """The disks that entries of boot.ini name with signature()."""
    for entry in menu.entries:
        if entry.arc is not None and entry.arc.kind is ArcKind.SIGNATURE:
            yield DiskReference(entry.arc.adapter, None, f"{system.name}: \\{menu.file}, line {entry.line}")
