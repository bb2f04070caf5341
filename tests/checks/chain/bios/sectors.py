"""Machines of which a BIOS reads more than one sector before it reads a file."""

import struct

from tests.checks.case import Case, Find, chain_case
from tests.checks.chain.ntldr.menus import path
from tests.checks.guests import followed
from tests.fakes import FakePartition, machine_of, volume_of

from bootgraft.boot.bios.bootcode import BootCode
from bootgraft.checks.guest import Guest


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
    *,
    code: bytes = b"\xfa",
    active: tuple[bool, bool] = (True, False),
    sector: bytes | None = None,
    compressed: tuple[str, ...] = (),
    **fields: int,
) -> Guest:
    """A machine in which two partitions can be active, the first with all that a start takes.

    The second has the boot code of the same loader.
    """
    menu = f'[boot loader]\r\ndefault={path(1)}\r\n[operating systems]\r\n{path(1)}="Windows"\r\n'
    windows = volume_of("\\WINDOWS\\system32\\config\\SYSTEM", "\\WINDOWS\\system32\\ntoskrnl.exe")
    windows.files |= {"\\ntldr": b"", "\\NTDETECT.COM": b"", "\\boot.ini": menu.encode()}
    windows.attributes = dict.fromkeys(compressed, 0x800)
    sector = boot_sector_bytes(**fields) if sector is None else sector
    first, second = active
    other = FakePartition(volume_of("\\x"), active=second, boot_sector=boot_sector_bytes())
    machine = machine_of([FakePartition(windows, active=first, boot_sector=sector), other])
    machine.disks[0].device.write(0, code)
    given = BootCode(None, None, ((0, b"\xfa" * 440),), "the MBR of donor.vmdk")
    return followed(machine, boot_code=lambda: (given,))


def with_compressed(*files: str) -> Guest:
    """The machine, these files of which are compressed by NTFS."""
    return with_sectors(compressed=files)


def sectors_case(find: Find, only: str, broken: Guest) -> Case:
    return chain_case(find, broken, with_sectors(heads=64), with_sectors(), only=only)
