"""The three machines of each finding of ``uefi_fallback``."""

import struct

from tests.boot.bootmgr.test_chain import ESP_FILE, FALLBACK, MANAGER, efi_loader, started_by_uefi, store
from tests.checks.case import Case, chain_case
from tests.checks.guests import followed
from tests.windows.hives import spec_bytes

from bootgraft.checks.chain.bootmgr import uefi_fallback
from bootgraft.checks.guest import Guest


def with_fallback(fallback: bytes | None, manager: bytes = MANAGER) -> Guest:
    """A UEFI machine with this fallback loader beside Windows' boot manager."""
    files = {ESP_FILE: manager} if fallback is None else {ESP_FILE: manager, FALLBACK: fallback}
    return followed(started_by_uefi(spec_bytes(store(efi_loader())), files))


def _manager(build: int) -> bytes:
    """Windows' boot manager of this build of Windows 10."""
    return MANAGER + struct.pack("<IIII", 0xFEEF04BD, 0x10000, 10 << 16, build << 16)


def _fallback(broken: Guest) -> Case:
    return chain_case(uefi_fallback.find, broken, with_fallback(MANAGER), with_fallback(_manager(2), _manager(1)))


CASES = {
    uefi_fallback.MISSING: _fallback(with_fallback(None)),
    uefi_fallback.OTHER: _fallback(with_fallback(b"MZ GRUB")),
    uefi_fallback.OLDER: _fallback(with_fallback(_manager(1), _manager(2))),
}
