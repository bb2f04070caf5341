"""The disks that a boot menu names by their MBR signature: what they break on where it is lost."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from bootgraft.boot.ntldr.arc import ArcKind
from bootgraft.boot.ntldr.bootini import BootIni
from bootgraft.boot.steps import BootChain
from bootgraft.machine import Volume

if TYPE_CHECKING:  # the chain of NT 4 to 2003 reads no BCD store
    from bootgraft.boot.bootmgr.bcd_menu import Menu


class DiskReference(Struct, frozen=True):
    """Where a boot menu names a disk by its MBR signature, and mostly a partition by its offset in bytes."""

    signature: int
    offset: int | None  # None where it is named by number only (boot.ini)
    where: str


def disk_references(chain: BootChain) -> tuple[DiskReference, ...]:
    """The disks that the menu of a chain names, as far as what is started by default needs them."""
    if chain.store is not None:
        return tuple(_in_store(chain.store))
    if chain.system is None or chain.menu is None:
        return ()
    return tuple(_in_boot_ini(chain.menu, chain.system))


def _in_store(menu: "Menu") -> Iterator[DiskReference]:
    """The partitions that the default entry of a BCD store is loaded from."""
    from bootgraft.boot.bootmgr.bcd import ElementType
    from bootgraft.boot.bootmgr.bcd_device import PartitionDevice
    from bootgraft.machine import MbrPartition

    entry = menu.default_entry
    if entry is None:
        return
    for kind, role in ((ElementType.DEVICE, "device"), (ElementType.OS_DEVICE, "osdevice")):
        device = menu.store.device(entry, kind)
        if isinstance(device, PartitionDevice) and isinstance(device.identity, MbrPartition):
            where = f"{menu.where}: {role} of the default entry"
            yield DiskReference(device.identity.signature, device.identity.offset, where)


def _in_boot_ini(menu: BootIni, system: Volume) -> Iterator[DiskReference]:
    """The disks that entries of boot.ini name with signature()."""
    for entry in menu.entries:
        if entry.arc is not None and entry.arc.kind is ArcKind.SIGNATURE:
            yield DiskReference(entry.arc.adapter, None, f"{system.name}: \\{menu.file}, line {entry.line}")
