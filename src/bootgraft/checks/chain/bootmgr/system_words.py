"""What is said of a system partition that was left behind, and of what puts it back."""

from collections.abc import Sequence

from bootgraft.boot.bios.loaders import BOOT_CODE_SIZE, Loader, named_in
from bootgraft.boot.bootmgr.bcd_menu import STORES
from bootgraft.boot.bootmgr.boot_files import manager_target
from bootgraft.checks.chain.bootmgr.lost import Lost
from bootgraft.checks.chain.bootmgr.system_faults import StoreState, SystemFault
from bootgraft.machine import Firmware, Volume
from bootgraft.text import printable
from bootgraft.windows.installation import Installation

RECOVERY = " The recovery environment is not in a new store: run `reagentc /enable` in the started Windows."
_LONGEST_NAME = 80
_STORE = {
    StoreState.MISSING: "is missing",
    StoreState.DAMAGED: "is damaged beyond reading",
    StoreState.EMPTY: "has no entry that starts an installed Windows",
    StoreState.SOUND: "is there",
}


def title(fault: SystemFault) -> str:
    """What is lost, in one line."""
    manager = manager_target(fault.firmware)
    if fault.lost is Lost.STORE and fault.system is not None:
        path = STORES[fault.firmware]
        return f"the boot menu was lost: the BCD store {path} on {fault.system.name} {_STORE[fault.store]}"
    if fault.lost is Lost.MANAGER and fault.system is not None:
        kind = "the EFI system partition" if fault.firmware is Firmware.UEFI else "the active partition"
        return f"the boot manager was lost: {fault.system.name} is {kind} and has no {manager}"
    if fault.blank is not None:
        return f"the system partition was left behind: {fault.blank.name}, where it should be, is empty"
    if fault.firmware is Firmware.UEFI:
        return f"the system partition was left behind: {fault.disk.name} has no EFI system partition"
    return f"the system partition was left behind: {fault.disk.name} has no active partition with {manager}"


def meaning(fault: SystemFault) -> str:
    """What it leads to."""
    if fault.lost is Lost.STORE:
        return "The boot manager has nothing to start and stops with 0xc000000f, 0xc0000034 or 0xc0000225."
    if fault.lost is Lost.MANAGER:
        return "The firmware finds nothing that it could start there."
    return (
        "The Windows is there, but the small partition with its boot manager and boot menu was not copied with it: the "
        "firmware finds nothing that it could start."
    )


def put_back(fault: SystemFault, system: Volume, first: Installation, others: Sequence[Installation]) -> str:
    """What ``repair`` does: it starts the first of these Windows, and the menu lists the others."""
    does = []
    if fault.lost is not Lost.STORE:
        does.append(f"copies the boot files of {_which(first)} to {system.name}")
    if fault.store is not StoreState.SOUND:
        what = "an entry to the BCD store" if fault.store is StoreState.EMPTY else "a new BCD store"
        verb = "adds" if fault.store is StoreState.EMPTY else "makes"
        does.append(f"{verb} {what} that starts {_which(first)}")
    if not fault.active:
        does.append(f"makes {system.name} the active partition of {fault.disk.name}")
    more = f" The menu also lists {', '.join(each.id for each in others)}." if others else ""
    if fault.store is StoreState.DAMAGED:
        more += " The damaged store is replaced; what else its menu listed is not known."
    recovery = RECOVERY if fault.store is not StoreState.SOUND else ""
    done = " and ".join(filter(None, (", ".join(does[:-1]), does[-1])))
    return f"`repair` {done}.{_code(fault, system)}{more}{recovery}"


def _which(windows: Installation) -> str:
    return f"{printable(windows.product[:_LONGEST_NAME])} ({printable(windows.directory)} on {windows.volume.name})"


def _code(fault: SystemFault, system: Volume) -> str:
    """What else it takes: a boot sector that starts the boot manager."""
    if fault.firmware is Firmware.UEFI or fault.lost is Lost.STORE:
        return ""
    if named_in(system.device.read(0, min(BOOT_CODE_SIZE, system.device.size))) is Loader.BOOTMGR:
        return ""
    return (
        " Its boot sector has no code that starts bootmgr: that is taken from the machine's other volumes, from "
        "\\BOOTSECT.BAK, a donor or `--boot-code IMAGE`."
    )
