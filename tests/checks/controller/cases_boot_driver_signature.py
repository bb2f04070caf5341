"""The three machines of the finding of ``boot_driver_signature``: a filter of another vendor's in Windows 7 x64."""

import struct

from msgspec.structs import replace
from tests.checks.case import Case
from tests.checks.controller.cases_driver_signature import CROSS_SIGNED, SELF_SIGNED, judged
from tests.checks.guests import guest_of
from tests.checks.subjects import chain, installation
from tests.fakes import FakePartition, machine_of, volume_of
from tests.windows.hives import hive_of

from bootgraft.checks.controller import boot_driver_signature
from bootgraft.checks.driverjudge import JudgedDriver
from bootgraft.checks.finding import Finding
from bootgraft.windows.installation import Architecture

_FILTER = '[ControlSet001\\Services\\flt]\n"Type"=dword:00000001\n"Start"=dword:00000000\n'


def _found(driver: JudgedDriver, company: str = "A Vendor") -> tuple[Finding, ...]:
    contents = {"\\WINDOWS\\system32\\drivers\\flt.sys": _file_of(company)}
    (volume,) = machine_of([FakePartition(volume_of(contents=contents))]).volumes()
    windows = replace(installation(version=(6, 1)), arch=Architecture.X64, volume=volume)
    guest = guest_of(chain(), windows, hive_of(_FILTER))
    vars(guest)["judge_driver"] = lambda _path: driver
    return boot_driver_signature.check(guest)


def _file_of(company: str) -> bytes:
    """The headers of a 64-bit binary that names its maker, and its resources."""
    resources = f"CompanyName\0{company}\0".encode("utf-16-le")
    directories = bytes(16) + struct.pack("<II", 0x1000, len(resources)) + bytes(104)
    optional = b"\x0b\x02".ljust(112, b"\0") + directories
    section = struct.pack("<8sIIII16x", b".rsrc", len(resources), 0x1000, 512, 512)
    headers = struct.pack("<4sHH12xHH", b"PE\0\0", 0x8664, 1, len(optional), 0) + optional + section
    return (b"MZ".ljust(0x3C, b"\0") + b"\x40\0\0\0" + headers).ljust(512, b"\0") + resources


CASES = {
    boot_driver_signature.ID: Case(
        _found(judged(SELF_SIGNED)),
        _found(judged(CROSS_SIGNED)),
        _found(judged(SELF_SIGNED), company="Microsoft Corporation"),
    ),
}
