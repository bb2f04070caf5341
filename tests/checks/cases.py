r"""For every finding a machine that has the fault, one on which it was mended, and one that never had it.

Pure data: nothing here touches a disk. The machine is Windows Server 2003 in ``\WINDOWS`` with control sets 1 (the
default) and 2, on its way to the LSI Logic controller of VMware.
"""

import struct
from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace
from tests.boot.bootmgr.test_chain import (
    ESP_FILE,
    FALLBACK,
    MANAGER,
    at,
    efi_loader,
    started_by_uefi,
    store,
    windows,
)
from tests.checks import identities
from tests.checks.guests import followed
from tests.fakes import SIGNATURE, FakeFileSystem, FakePartition, machine_of, volume_of
from tests.machines import bcd, vista
from tests.machines.spec import Hive
from tests.windows.hives import hive_bytes, hive_of, spec_bytes

from bootgraft.boot.bios.bootcode import BootCode
from bootgraft.boot.chain import BootChain, BootTarget, Step
from bootgraft.boot.unusable import Unusable, UnusableKind
from bootgraft.changes import FileId, WriteFile, WriteSectors
from bootgraft.checks.chain import boot_chain, vm_firmware
from bootgraft.checks.chain.bios import active_partition, boot_code, boot_sector, mbr_code
from bootgraft.checks.chain.bootmgr import boot_loader, boot_store, uefi_fallback
from bootgraft.checks.chain.ntldr import boot_menu, boot_menu_missing, boot_switches
from bootgraft.checks.controller import (
    boot_service,
    device_binding,
    driver_file,
    driver_imports,
    driver_signature,
    enum_instance,
    start_override,
    target,
)
from bootgraft.checks.controller.facts import BindingStore, ControllerFacts, LinkFacts, reasons_not_judged
from bootgraft.checks.finding import Finding
from bootgraft.checks.guest import DescribedFirmware, Guest
from bootgraft.checks.identity import disk_information, disk_signature, drive_letter, gpt_attributes
from bootgraft.checks.identity.identity_facts import HIDDEN, IdentityFacts
from bootgraft.checks.machine import (
    dynamic_disk,
    dynamic_disk_driver,
    encryption,
    foreign_volume,
    hibernation,
    hive_integrity,
    hive_size,
    last_known_good,
    pending_transactions,
    volume_state,
)
from bootgraft.checks.machine.saved_session import SavedSession
from bootgraft.filesystems.base import VolumeState
from bootgraft.machine import Firmware, Volume
from bootgraft.registry.integrity.survey import Defect, DefectKind, DefectSeverity
from bootgraft.registry.logs.header import LogFormat
from bootgraft.registry.logs.recovery import Recovery, ReplayedLog
from bootgraft.targets.controllers import find_controller
from bootgraft.targets.driverchains import driver_chain
from bootgraft.windows.bindings import CriticalDevice, EnumInstance
from bootgraft.windows.driver_files import DriverFacts, ImportFacts
from bootgraft.windows.installation import Architecture, Installation, Select
from bootgraft.windows.pe import PeFacts
from bootgraft.windows.services import Service, StartOverride

SCSI_ADAPTER = "{4D36E97B-E325-11CE-BFC1-08002BE10318}"
LSI_LOGIC = find_controller("vmware:lsilogic")
LINK = driver_chain(LSI_LOGIC, (5, 2)).links[0]
CDD = BindingStore.CRITICAL_DEVICES
HIVE = FileId(0, 16128, "disk 0 partition 2", "\\WINDOWS\\system32\\config\\SYSTEM")
DRIVER_PATH = "\\WINDOWS\\system32\\DRIVERS\\symmpi.sys"

PENDING = Recovery(41, 40, (ReplayedLog("SYSTEM.LOG", LogFormat.OLD, 40, 40, 8192),), 8192, 4096, None)

IMPORTS = (ImportFacts("SCSIPORT.SYS", "\\WINDOWS\\system32\\drivers\\scsiport.sys", Architecture.X86),)
DRIVER = DriverFacts(
    DRIVER_PATH, present=True, pe=PeFacts(Architecture.X86, ("SCSIPORT.SYS",), (1, 9, 0, 0)), imports=IMPORTS
)


def binding(number: int, service: str | None = "symmpi", device_id: str = "pci#ven_1000&dev_0030") -> CriticalDevice:
    path = f"ControlSet{number:03d}\\Control\\CriticalDeviceDatabase\\{device_id}"
    return CriticalDevice(path, device_id.replace("#", "\\"), service, SCSI_ADAPTER)


def service(number: int, *, start: int | None = 0, type_: int | None = 1, name: str = "symmpi") -> Service:
    path = f"ControlSet{number:03d}\\Services\\{name}"
    return Service(name, path, type_, start, 1, "SCSI miniport", 33, f"system32\\DRIVERS\\{name}.sys")


def instance(
    number: int, *, class_guid: str | None = SCSI_ADAPTER, service_name: str | None = "symmpi", flags: int | None = 0
) -> EnumInstance:
    path = f"ControlSet{number:03d}\\Enum\\PCI\\VEN_1000&DEV_0030&SUBSYS_197615AD&REV_01\\3&61aaa01&0&80"
    return EnumInstance(path, class_guid, service_name, flags, 0x197615AD)


def good_set(number: int) -> LinkFacts:
    """A control set from which Windows starts; number 1 is the default."""
    return LinkFacts(number, number == 1, LINK, CDD, binding(number), (), "symmpi", service(number), DRIVER)


def bare_set(number: int) -> LinkFacts:
    """A control set that knows nothing of the controller."""
    return LinkFacts(number, number == 1, LINK, CDD, None, (), None, None, None)


def facts(make: Callable[[int], LinkFacts] = good_set, *others: Callable[[int], LinkFacts]) -> ControllerFacts:
    """A machine whose control set 1 is made by the first function and 2 by the second, or by the first too."""
    makers = (make, *(others or (make,)))
    sets = tuple(maker(number) for number, maker in enumerate(makers, start=1))
    product = "Microsoft Windows Server 2003"
    return ControllerFacts(LSI_LOGIC, product, "disk 0 partition 2", (5, 2), Architecture.X86, HIVE, sets)


def volume() -> Volume:
    """The boot volume of a machine in memory."""
    (found,) = machine_of([FakePartition(volume_of("\\WINDOWS\\system32\\config\\SYSTEM"))]).volumes()
    return found


def installation(*, select: Select | None = None, version: tuple[int, int] = (5, 2)) -> Installation:
    chosen = select or Select(1, 1, 0, 2)
    return Installation(
        "disk0-partition1-WINDOWS", volume(), "\\WINDOWS", "Microsoft Windows Server 2003", version, "3790",
        Architecture.X86, "Service Pack 2", (1, 2), chosen, "D:", default_boot=True,
    )  # fmt: skip


def gpt_installation(*, version: tuple[int, int]) -> Installation:
    """A 64-bit Windows on a GPT disk."""
    found = volume()
    found.partition = replace(found.partition, guid="0d2b7e51-8c40-4b67-8f00-51e2a0c3d003")
    return replace(installation(version=version), volume=found, arch=Architecture.X64)


def chain(*, holds: bool = True, understood: bool = True) -> BootChain:
    good = Step("disk 0 has a partition table", "disk 0, sector 0", "MBR", holds=True)
    if not holds:
        bad = Step("there is no ntldr on the active partition", "disk 0 partition 1: \\ntldr", "empty", holds=False)
        return BootChain((good, bad), None, (), understood)
    return BootChain((good,), BootTarget(volume(), "\\WINDOWS", "line 5"), ())


def with_menu(default: str, *paths: str) -> Guest:
    """A machine whose loader is on partition 1 and whose only Windows is \\WINDOWS on partition 2."""
    entries = "".join(f'{path}="Windows" /fastdetect\r\n' for path in paths)
    menu = f"[boot loader]\r\ntimeout=30\r\ndefault={default}\r\n[operating systems]\r\n{entries}"
    return _with_boot_ini(menu.encode())


def _with_boot_ini(boot_ini: bytes | None, *windows: FakeFileSystem) -> Guest:
    """The machine with this boot.ini, and with other volumes than that of its only Windows."""
    contents = {} if boot_ini is None else {"\\boot.ini": boot_ini}
    loader = volume_of("\\ntldr", "\\NTDETECT.COM", contents=contents)
    rest = windows or (volume_of("\\WINDOWS\\system32\\config\\SYSTEM", "\\WINDOWS\\system32\\ntoskrnl.exe"),)
    return followed(machine_of([FakePartition(loader, active=True), *map(FakePartition, rest)]))


class Case(Struct, frozen=True):
    """What the check of one finding says of three machines: only of the first it has something to say."""

    broken: tuple[Finding, ...]
    repaired: tuple[Finding, ...]
    healthy: tuple[Finding, ...]


def _storage(
    check: Callable[[ControllerFacts], tuple[Finding, ...]],
    broken: Callable[[int], LinkFacts],
    repaired: Callable[[int], LinkFacts] = good_set,
) -> Case:
    return Case(check(facts(broken)), check(facts(repaired)), check(facts(good_set)))


def _with_driver(driver: DriverFacts) -> Callable[[int], LinkFacts]:
    return lambda number: replace(good_set(number), driver=driver)


def _with_instance(found: Callable[[int], EnumInstance]) -> Callable[[int], LinkFacts]:
    return lambda number: replace(good_set(number), instances=(found(number),))


def only_in_one_slot(number: int) -> LinkFacts:
    """Bound by an Enum instance alone."""
    return replace(good_set(number), binding=None, instances=(instance(number),))


def by_system_root(number: int) -> LinkFacts:
    """The service names its file as the kernel would, from the root of its own names."""
    path = "\\SystemRoot\\system32\\DRIVERS\\symmpi.sys"
    return replace(good_set(number), service=replace(service(number), image_path=path))


def path(partition: int) -> str:
    """What boot.ini calls \\WINDOWS on a partition of disk 0."""
    return f"multi(0)disk(0)rdisk(0)partition({partition})\\WINDOWS"


Find = Callable[[Guest], Iterable[Finding]]


def _chain(find: Find, broken: Guest, repaired: Guest, healthy: Guest, *, only: str | None = None) -> Case:
    """What one check of the boot chain says of three machines; of the first, of one of its findings."""
    found = tuple(each for each in find(broken) if only in (None, each.id))
    return Case(found, tuple(find(repaired)), tuple(find(healthy)))


def _written(find: Find, broken: Guest, again: Callable[[bytes], Guest], healthy: Guest) -> Case:
    """One that a new text of the menu mends: the machine with the text that the finding's change writes."""
    (finding,) = find(broken)
    (change,) = finding.changes
    assert isinstance(change, WriteFile)
    repaired = again(change.data)
    assert repaired.chain.default is not None
    return Case((finding,), tuple(find(repaired)), tuple(find(healthy)))


def _menu(wrong: str) -> Case:
    """A default that is wrong, the boot.ini that the finding's change writes, and one that never was."""
    return _written(boot_menu.find, with_menu(wrong, wrong), _with_boot_ini, with_menu(path(2), path(2)))


def _freeldr(wrong: str) -> Case:
    """A freeldr.ini whose default is wrong, the one that the finding's change writes, and one that never was."""
    return _written(boot_menu.find, with_freeldr(wrong), _reactos, with_freeldr(path(2)))


def with_freeldr(system_path: str) -> Guest:
    """A machine whose FreeLoader is on partition 1 and whose only NT is \\WINDOWS on partition 2."""
    sections = (
        f'[FREELOADER]\r\nDefaultOS=X\r\n[Operating Systems]\r\nX="ReactOS"\r\n[X]\r\nSystemPath={system_path}\r\n'
    )
    return _reactos(sections.encode())


def _reactos(freeldr_ini: bytes) -> Guest:
    loader = volume_of("\\freeldr.sys", contents={"\\freeldr.ini": freeldr_ini})
    windows = volume_of("\\WINDOWS\\system32\\config\\SYSTEM", "\\WINDOWS\\system32\\ntoskrnl.exe")
    return followed(machine_of([FakePartition(loader, active=True), FakePartition(windows)]))


def _last_started_from(partition: int) -> FakeFileSystem:
    """A Windows XP that says where it last started from."""
    boot_device = path(partition).removesuffix("\\WINDOWS")
    system = f'[\\Select]\n"Default"=dword:00000001\n\n[\\ControlSet001\\Control]\n"SystemBootDevice"="{boot_device}"\n'
    software = '[\\Microsoft\\Windows NT\\CurrentVersion]\n"CurrentVersion"="5.1"\n'
    contents = {
        "\\WINDOWS\\system32\\config\\SYSTEM": hive_bytes(system),
        "\\WINDOWS\\system32\\config\\SOFTWARE": hive_bytes(software),
    }
    return volume_of("\\WINDOWS\\system32\\ntoskrnl.exe", contents=contents)


def _renumbered(*last: int) -> Guest:
    """boot.ini names partition 2; two Windows, on partitions 2 and 3, say that they last started from these."""
    menu = f'[boot loader]\r\ndefault={path(2)}\r\n[operating systems]\r\n{path(2)}="Windows"\r\n'
    return _with_boot_ini(menu.encode(), *map(_last_started_from, last))


def _without_menu(boot_ini: bytes | None) -> Case:
    """A boot.ini that names nothing, the one that is written for the only Windows, and one that never was."""

    def again(text: bytes | None) -> Guest:
        return _with_boot_ini(text, _last_started_from(2))

    return _written(boot_menu_missing.find, again(boot_ini), again, with_menu(path(2), path(2)))


def boot_sector_bytes(*, hidden: int = 16, heads: int = 255, per_track: int = 63) -> bytes:
    """The boot sector of an NTFS volume of 15 sectors and, at its end, its copy."""
    sector = bytearray(512)
    sector[3:11] = b"NTFS    "
    struct.pack_into("<H11xHHI", sector, 0x0B, 512, per_track, heads, hidden)
    struct.pack_into("<Q", sector, 0x28, 15)
    sector[:3], sector[0x54] = b"\xeb\x52\x90", 0xFA
    sector[0x1FE:] = b"\x55\xaa"
    return bytes(sector) + "NTLDR".encode("utf-16-le").ljust(14 * 512, b"\0") + bytes(sector)


def with_sectors(
    *, code: bytes = b"\xfa", active: tuple[bool, bool] = (True, False), sector: bytes | None = None, **fields: int
) -> Guest:
    """A machine in which two partitions can be active, the first with all that a start takes.

    The second has the boot code of the same loader.
    """
    menu = f'[boot loader]\r\ndefault={path(1)}\r\n[operating systems]\r\n{path(1)}="Windows"\r\n'
    windows = volume_of("\\WINDOWS\\system32\\config\\SYSTEM", "\\WINDOWS\\system32\\ntoskrnl.exe")
    windows.files |= {"\\ntldr": b"", "\\NTDETECT.COM": b"", "\\boot.ini": menu.encode()}
    sector = boot_sector_bytes(**fields) if sector is None else sector
    first, second = active
    other = FakePartition(volume_of("\\x"), active=second, boot_sector=boot_sector_bytes())
    machine = machine_of([FakePartition(windows, active=first, boot_sector=sector), other])
    machine.disks[0].device.write(0, code)
    given = BootCode(None, None, ((0, b"\xfa" * 440),), "the MBR of donor.vmdk")
    return followed(machine, boot_code=lambda: (given,))


def _without_code() -> bytes:
    sector = bytearray(boot_sector_bytes())
    sector[0x54:0x1FE] = bytes(0x1FE - 0x54)
    sector[15 * 512 + 0x54 : 15 * 512 + 0x1FE] = bytes(0x1FE - 0x54)
    return bytes(sector)


def _of_bootmgr() -> bytes:
    return boot_sector_bytes().replace("NTLDR".encode("utf-16-le"), "BOOTMGR".encode("utf-16-le"))[: 15 * 512]


def _sectors(find: Find, only: str, broken: Guest) -> Case:
    return _chain(find, broken, with_sectors(heads=64), with_sectors(), only=only)


def _judged(version: tuple[int, int], *, has_database: bool) -> tuple[Finding, ...]:
    machine = installation(version=version)
    reasons = reasons_not_judged(machine, has_database=has_database)
    return (target.not_judged(machine, LSI_LOGIC, reasons),) if reasons else ()


def overridden_set(number: int, start: int | None = 3) -> LinkFacts:
    """A service that Windows 8 or later took out of the boot."""
    override = StartOverride(f"ControlSet{number:03d}\\Services\\symmpi\\StartOverride", "0", start)
    return replace(good_set(number), service=replace(service(number), start_overrides=(override,)))


X64_DRIVER = replace(DRIVER, pe=PeFacts(Architecture.X64, ("SCSIPORT.SYS",), (1, 9, 0, 0)))


def unsigned_set(number: int) -> LinkFacts:
    """A driver that nobody signed, for a controller that this Windows ships another for."""
    return replace(good_set(number), driver=replace(X64_DRIVER, signed=False))


def x64_facts(make: Callable[[int], LinkFacts]) -> ControllerFacts:
    """A 64-bit Windows 7."""
    found = replace(facts(make), version=(6, 1), architecture=Architecture.X64)
    link = driver_chain(LSI_LOGIC, (6, 1)).links[0]
    return replace(found, links=tuple(replace(each, link=link) for each in found.links))


def later_facts(make: Callable[[int], LinkFacts] = good_set) -> ControllerFacts:
    """The same machine with Windows 10."""
    return replace(facts(make), version=(10, 0))


def _wrong_order() -> Defect:
    return Defect(DefectKind.SUBKEY_ORDER, DefectSeverity.LOSES, 0x1230, r"ControlSet001\Services", "not in order")


def session() -> SavedSession:
    """A Windows that sleeps on disk 0 partition 1."""
    cleared = WriteSectors(0, 1 << 20, bytes(4096), b"HIBR".ljust(4096, b"x"), "the first page of hiberfil.sys")
    return SavedSession(volume(), "HIBR", (cleared,))


def _fast_start_up(value: int, sessions: tuple[SavedSession, ...]) -> tuple[Finding, ...]:
    """What is found of fast start-up on Windows 8 that has this value in both control sets."""
    text = "".join(
        f'[\\ControlSet{number:03d}\\Control\\Session Manager\\Power]\n"HiberbootEnabled"=dword:{value:08x}\n\n'
        for number in (1, 2)
    )
    found = hibernation.check(sessions, installation(version=(6, 2)), hive_of(text))
    return tuple(finding for finding in found if finding.id == hibernation.FAST_START_UP)


def _identity(check: Callable[[IdentityFacts], tuple[Finding, ...]], broken: IdentityFacts, wanted: str) -> Case:
    """One finding of a check, the machine after all that is wrong with its names was mended, and the story's own."""
    every = tuple(
        finding
        for each in (disk_signature.check, gpt_attributes.check, drive_letter.check, disk_information.check)
        for finding in each(broken)
    )
    after = identities.mended(broken, every)
    healthy = identities.story() if broken.unhiding == () else identities.gpt()
    return Case(tuple(each for each in check(broken) if each.id == wanted), check(after), check(healthy))


def _unmendable(check: Callable[[IdentityFacts], tuple[Finding, ...]], broken: IdentityFacts) -> Case:
    """One that is only told: it is mended by hand."""
    return Case(check(broken), check(identities.story()), check(identities.story()))


def _nt4(*signatures: int) -> IdentityFacts:
    found = identities.story(version=(4, 0))
    assert found.windows is not None
    return replace(found, windows=replace(found.windows, disk_signatures=signatures))


_UNUSABLE = {
    encryption.BITLOCKER: UnusableKind.BITLOCKER,
    encryption.PRODUCT: UnusableKind.ENCRYPTED,
    encryption.RANDOM: UnusableKind.RANDOM,
    foreign_volume.REFS: UnusableKind.REFS,
    foreign_volume.STORAGE_SPACES: UnusableKind.STORAGE_SPACES,
    dynamic_disk.VOLUME: UnusableKind.DYNAMIC,
    dynamic_disk.FAULT_TOLERANT: UnusableKind.FAULT_TOLERANT,
}
_DYNAMIC = "\n".join(
    f'[\\ControlSet00{number}\\Services\\{name}]\n"Start"=dword:{{start:08x}}\n'
    for number in (1, 2)
    for name in ("dmio", "dmload")
)


def _unusable(kind: UnusableKind) -> Case:
    checks = (encryption.check, foreign_volume.check, dynamic_disk.check)
    cause = Unusable(kind, volume(), "unusable", "its boot sector says so", "Convert it again")
    return Case(tuple(each for check in checks for each in check(cause)), (), dynamic_disk.check(None))


def _on_dynamic_disk() -> Installation:
    (volume,) = machine_of((FakePartition(volume_of(), type=0x42),)).volumes()
    return replace(installation(), volume=volume)


def _described(firmware: Firmware) -> tuple[Finding, ...]:
    return vm_firmware.check(chain(), DescribedFirmware("server1.vmx", firmware))


_MOVED = bcd.mbr_device(SIGNATURE, 63 * 512)
"""Where a partition of the disk was before it was aligned anew."""
_RECOVERY = (vista.WIM, r"\Recovery\WindowsRE\boot.sdi")
_RESUME = r"\Windows\System32\winresume.exe"


def with_store(hive: Hive, *files: str) -> Guest:
    """A BIOS machine whose System Reserved partition has this store, and Windows' own these files too."""
    system = volume_of("\\bootmgr", "\\Boot\\memtest.exe", contents={"\\Boot\\BCD": spec_bytes(hive)})
    volumes = (FakePartition(system, active=True), FakePartition(windows("\\Windows", "winload.exe", *files)))
    return followed(machine_of(volumes))


def with_devices(system: bytes = at(1), windows: bytes = at(2), recovery: bytes = at(2)) -> Guest:
    """A machine with all that Setup makes, whose store names these partitions."""
    return with_store(vista.full_store(system, windows, recovery), _RESUME, *_RECOVERY)


def _devices(only: str, broken: Guest) -> Case:
    return _chain(boot_loader.find, broken, with_devices(), with_devices(), only=only)


def _entries(default: str, *order: str) -> Guest:
    """A store with one entry, a default and a display order."""
    manager = bcd.bootmgr(at(1), default, order)
    return with_store(bcd.store(manager, bcd.loader(vista.DEFAULT, at(2))))


def _stored(only: str, broken: Guest) -> Case:
    healthy = _entries(vista.DEFAULT, vista.DEFAULT)
    return _chain(boot_store.find, broken, healthy, with_devices(), only=only)


def with_fallback(fallback: bytes | None, manager: bytes = MANAGER) -> Guest:
    """A UEFI machine with this fallback loader beside Windows' boot manager."""
    files = {ESP_FILE: manager} if fallback is None else {ESP_FILE: manager, FALLBACK: fallback}
    return followed(started_by_uefi(spec_bytes(store(efi_loader())), files))


def _manager(build: int) -> bytes:
    """Windows' boot manager of this build of Windows 10."""
    return MANAGER + struct.pack("<IIII", 0xFEEF04BD, 0x10000, 10 << 16, build << 16)


def _fallback(broken: Guest) -> Case:
    return _chain(uefi_fallback.find, broken, with_fallback(MANAGER), with_fallback(_manager(2), _manager(1)))


CASES = {
    boot_chain.BROKEN: Case(boot_chain.check(chain(holds=False)), boot_chain.check(chain()), boot_chain.check(chain())),
    boot_chain.NOT_FOLLOWED: Case(
        boot_chain.check(chain(holds=False, understood=False)), boot_chain.check(chain()), boot_chain.check(chain())
    ),
    boot_menu.WRONG_PARTITION: _menu(path(3)),
    boot_menu.NOT_IN_MENU: _chain(
        boot_menu.find,
        with_menu(path(3), path(2)),
        with_menu(path(2), path(2)),
        with_menu(path(2), path(2), "C:\\\\"),
    ),
    boot_menu.UNSUPPORTED_PATH: _menu("signature(12345678)disk(0)rdisk(0)partition(2)\\WINDOWS"),
    boot_menu.ANOTHER_WINDOWS: _chain(
        boot_menu.find, _renumbered(3, 2), _renumbered(2, 3), with_menu(path(2), path(2))
    ),
    boot_menu_missing.MISSING: _without_menu(None),
    boot_menu_missing.NO_DEFAULT: _without_menu(f'[operating systems]\r\n{path(2)}="Windows"\r\n'.encode()),
    boot_menu_missing.BOOTS_OTHER: _chain(
        boot_menu_missing.find,
        with_menu("C:\\", path(2), "C:\\"),
        with_menu(path(2), path(2), "C:\\"),
        with_menu(path(2), path(2)),
    ),
    boot_menu.FREELDR_WRONG_PARTITION: _freeldr(path(3)),
    boot_menu.FREELDR_UNSUPPORTED_PATH: _freeldr("signature(12345678)disk(0)rdisk(0)partition(2)\\WINDOWS"),
    boot_switches.ID: _chain(
        boot_switches.find,
        _with_boot_ini(f"[boot loader]\ndefault={path(2)}\n[operating systems]\n{path(2)}=x /PCILOCK\n".encode()),
        with_menu(path(2), path(2)),
        with_menu(path(2), path(2)),
    ),
    boot_loader.DEVICE: _devices(boot_loader.DEVICE, with_devices(windows=_MOVED)),
    boot_loader.MANAGER_DEVICE: _devices(boot_loader.MANAGER_DEVICE, with_devices(system=_MOVED)),
    boot_loader.RESUME_DEVICE: _devices(boot_loader.RESUME_DEVICE, with_devices(windows=_MOVED)),
    boot_loader.RECOVERY_DEVICE: _devices(boot_loader.RECOVERY_DEVICE, with_devices(recovery=_MOVED)),
    boot_loader.OTHER_DEVICE: _devices(boot_loader.OTHER_DEVICE, with_devices(system=_MOVED)),
    boot_store.DEFAULT: _stored(boot_store.DEFAULT, _entries(vista.SECOND, vista.DEFAULT)),
    boot_store.DISPLAY_ORDER: _stored(boot_store.DISPLAY_ORDER, _entries(vista.DEFAULT, vista.SECOND, vista.DEFAULT)),
    boot_store.RECOVERY_MISSING: _stored(
        boot_store.RECOVERY_MISSING, with_store(vista.full_store(at(1), at(2), at(2)), _RESUME)
    ),
    boot_store.RESUME_MISSING: _stored(
        boot_store.RESUME_MISSING, with_store(vista.full_store(at(1), at(2), at(2)), *_RECOVERY)
    ),
    uefi_fallback.MISSING: _fallback(with_fallback(None)),
    uefi_fallback.OTHER: _fallback(with_fallback(b"MZ GRUB")),
    uefi_fallback.OLDER: _fallback(with_fallback(_manager(1), _manager(2))),
    mbr_code.ID: _sectors(mbr_code.find, mbr_code.ID, with_sectors(code=b"")),
    boot_code.NO_BOOT_CODE: _sectors(boot_code.find, boot_code.NO_BOOT_CODE, with_sectors(sector=_without_code())),
    boot_code.WRONG_LOADER: _sectors(boot_code.find, boot_code.WRONG_LOADER, with_sectors(sector=_of_bootmgr())),
    boot_sector.COPY: _sectors(
        boot_sector.find, boot_sector.COPY, with_sectors(sector=boot_sector_bytes()[: 15 * 512])
    ),
    active_partition.ID: _sectors(active_partition.find, active_partition.ID, with_sectors(active=(False, False))),
    boot_sector.HIDDEN_SECTORS: _sectors(boot_sector.find, boot_sector.HIDDEN_SECTORS, with_sectors(hidden=63)),
    boot_sector.GEOMETRY: _sectors(boot_sector.find, boot_sector.GEOMETRY, with_sectors(heads=240)),
    device_binding.MISSING: _storage(device_binding.check, bare_set),
    device_binding.ONLY_INSTANCE: _storage(
        device_binding.check, only_in_one_slot, lambda n: replace(only_in_one_slot(n), binding=binding(n))
    ),
    boot_service.MISSING: _storage(boot_service.check, lambda n: replace(good_set(n), service=None, driver=None)),
    boot_service.NOT_BOOT_START: _storage(
        boot_service.check, lambda n: replace(good_set(n), service=service(n, start=4))
    ),
    boot_service.NOT_RELATIVE: _storage(boot_service.check, by_system_root),
    boot_service.UNKNOWN_GROUP: _storage(boot_service.check, lambda n: replace(good_set(n), group_is_listed=False)),
    driver_file.MISSING: _storage(driver_file.check, _with_driver(DriverFacts(DRIVER_PATH, present=False))),
    driver_file.UNUSABLE: _storage(
        driver_file.check, _with_driver(DriverFacts(DRIVER_PATH, present=True, fault="it is a directory"))
    ),
    driver_file.WRONG_ARCHITECTURE: _storage(
        driver_file.check, _with_driver(replace(DRIVER, pe=PeFacts(Architecture.X64, (), None)))
    ),
    driver_imports.ID: _storage(
        driver_imports.check, _with_driver(replace(DRIVER, imports=(ImportFacts("storport.sys", None, None),)))
    ),
    enum_instance.ID: _storage(
        enum_instance.check, _with_instance(lambda n: instance(n, service_name=None)), _with_instance(instance)
    ),
    disk_signature.ZERO: _identity(disk_signature.check, identities.story(signature=0), disk_signature.ZERO),
    disk_signature.CHANGED: _identity(
        disk_signature.check, identities.story(signature=identities.NEW), disk_signature.CHANGED
    ),
    disk_signature.COLLISION: _unmendable(
        disk_signature.check, identities.story(further=(identities.mbr_disk(1, total=2),))
    ),
    gpt_attributes.ID: _identity(gpt_attributes.check, identities.gpt(attributes=HIDDEN), gpt_attributes.ID),
    drive_letter.SYSTEM: _identity(drive_letter.check, identities.story(signature=identities.NEW), drive_letter.SYSTEM),
    drive_letter.DATA: _identity(
        drive_letter.check,
        identities.story(starts=identities.MEGABYTES, hidden=(2048, *identities.TRACKS[1:])),
        drive_letter.DATA,
    ),
    disk_information.ID: _unmendable(disk_information.check, _nt4(identities.NEW)),
    volume_state.ID: Case(
        volume_state.check("disk 0 partition 2", (VolumeState.UNCLEAN,)),
        volume_state.check("disk 0 partition 2", ()),
        volume_state.check("disk 0 partition 2", ()),
    ),
    **{finding_id: _unusable(kind) for finding_id, kind in _UNUSABLE.items()},
    dynamic_disk_driver.ID: Case(
        dynamic_disk_driver.check(_on_dynamic_disk(), hive_of(_DYNAMIC.format(start=4))),
        dynamic_disk_driver.check(_on_dynamic_disk(), hive_of(_DYNAMIC.format(start=0))),
        dynamic_disk_driver.check(installation(), hive_of(_DYNAMIC.format(start=4))),
    ),
    hibernation.HIBERNATED: Case(hibernation.check((session(),), None, None), (), hibernation.check((), None, None)),
    hibernation.FAST_START_UP: Case(
        _fast_start_up(1, (session(),)), _fast_start_up(0, (session(),)), _fast_start_up(1, ())
    ),
    hive_integrity.ID: Case(
        hive_integrity.check(str(HIVE), (_wrong_order(),), {"", "ControlSet001", r"ControlSet001\Services"}),
        hive_integrity.check(str(HIVE), (), {"", "ControlSet001", r"ControlSet001\Services"}),
        hive_integrity.check(str(HIVE), (), {""}),
    ),
    hive_size.ID: Case(
        hive_size.check(installation(version=(5, 0)), 11 << 20),
        hive_size.check(installation(version=(5, 0)), 9 << 20),
        hive_size.check(installation(), 20 << 20),
    ),
    last_known_good.ID: Case(
        last_known_good.check(installation(select=Select(2, 1, 1, 2))),
        last_known_good.check(installation(select=Select(1, 1, 0, 2))),
        last_known_good.check(installation()),
    ),
    pending_transactions.ID: Case(
        pending_transactions.check(str(HIVE), PENDING),
        pending_transactions.check(str(HIVE), None),
        pending_transactions.check(str(HIVE), None),
    ),
    driver_signature.ID: Case(
        driver_signature.check(x64_facts(lambda n: unsigned_set(n))),
        driver_signature.check(x64_facts(lambda n: replace(unsigned_set(n), driver=X64_DRIVER))),
        driver_signature.check(later_facts(unsigned_set)),  # a 32-bit Windows
    ),
    start_override.ID: Case(
        start_override.check(later_facts(overridden_set)),
        start_override.check(later_facts(lambda n: overridden_set(n, 0))),
        start_override.check(later_facts()),
    ),
    target.NOT_JUDGED: Case(
        _judged((6, 2), has_database=False), _judged((6, 2), has_database=True), _judged((5, 2), has_database=False)
    ),
    target.FIRMWARE: Case(
        target.check(installation(version=(6, 2)), find_controller("hyperv:gen2")),
        target.check(gpt_installation(version=(6, 2)), find_controller("hyperv:gen2")),
        target.check(installation(version=(6, 2)), LSI_LOGIC),
    ),
    target.NO_TARGET: Case((target.no_target(),), (), ()),
    vm_firmware.WRONG: Case(_described(Firmware.UEFI), _described(Firmware.BIOS), vm_firmware.check(chain(), None)),
}
"""By finding id; ``test_diagnosis`` fails where one has no case."""
