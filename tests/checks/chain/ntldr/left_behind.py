"""Machines whose Windows XP came without the partition that started it."""

import struct
from collections.abc import Mapping

from tests.checks.chain.ntldr.menus import last_started_from, path
from tests.checks.guests import followed
from tests.fakes import FakeFileSystem, FakePartition, machine_of

from bootgraft.checks.guest import Guest
from bootgraft.drivers.guest.start_files import StartFiles

KERNEL = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0\x4c\x01"
SERVICE_PACK = "\\WINDOWS\\ServicePackFiles\\i386"
XP_SETUP = b"[Version]\r\nsignature=x\r\n[SetupData]\r\nMajorVersion = 5\r\nMinorVersion = 1\r\n[Strings]\r\n"
LOADERS = {"ntldr": b"the loader", "ntdetect.com": b"the detection"}
MENU = f'[boot loader]\r\ndefault={path(1)}\r\n[operating systems]\r\n{path(1)}="Windows"\r\n'.encode()


def kept(folder: str, setup: bytes = XP_SETUP) -> dict[str, bytes]:
    """A folder with copies of the loader, of the release that TXTSETUP.SIF says."""
    return {f"{folder}\\{name}": data for name, data in {**LOADERS, "TXTSETUP.SIF": setup}.items()}


def windows_xp(more: Mapping[str, bytes]) -> FakeFileSystem:
    """Its volume, with further files."""
    volume = last_started_from(1)
    volume.files |= {"\\WINDOWS\\system32\\ntoskrnl.exe": KERNEL, **more}
    return volume


def alone(
    more: Mapping[str, bytes], *given: StartFiles, active: bool = True, others: tuple[FakePartition, ...] = ()
) -> Guest:
    """A disk with that volume first, which is active or not; donors give these files."""
    guest = followed(machine_of([FakePartition(windows_xp(more), active=active), *others]))
    guest.start_files = lambda: given
    return guest


def started() -> Guest:
    """The same with all that starts it."""
    return alone({"\\ntldr": b"x", "\\NTDETECT.COM": b"x", "\\boot.ini": MENU})
