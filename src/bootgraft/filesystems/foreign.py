"""What a disk or volume holds that hides its file system: encryption by other makers, told by their boot code.

Signatures: sleuthkit, tsk/util/detect_encryption.c (PGP, SafeBoot, SafeGuard, GuardianEdge, Check Point, SecureDoc,
LUKS); VeraCrypt, src/Boot/Windows/BootSector.asm (TrueCrypt, VeraCrypt).
"""

import math
from collections import Counter

from bootgraft.storage.devices.blockdevice import SECTOR, BlockDevice

_DISK = (  # text, product, and the offsets (bytes in sector 0) between which the text begins
    (b"VeraCrypt Boot Loader", "VeraCrypt", 0, 64),
    (b"TrueCrypt Boot Loader", "TrueCrypt", 0, 64),
    (b"PGPGUARD", "Symantec (PGP) Whole Disk Encryption", 0, 35),
    (b"SafeBoot", "McAfee Endpoint Encryption (SafeBoot)", 0, 32),
    (b"Safeboot", "McAfee Endpoint Encryption (SafeBoot)", 0, 32),
    (b"SGM400", "Sophos SafeGuard", 110, 150),
    (b"SGE400", "Sophos SafeGuard", 110, 150),
    (b"PCGM", "GuardianEdge Hard Disk Encryption", 0, 32),
    (b"Protect", "Check Point Full Disk Encryption", 80, 100),
    (b"WMSD", "WinMagic SecureDoc", 236, 256),
)
_VOLUME = ((b"LUKS\xba\xbe", "LUKS", 0, 0),)
_SAMPLE = 64 * 1024
_LEAST_SAMPLE = 16 * 1024
_RANDOM = 7.9
"""Bits for each byte: 64 KiB of random bytes come to 7.997, boot code, tables and even compressed files to less."""


def disk_encryption(device: BlockDevice) -> str | None:
    """The product whose boot code stands in sector 0 of a disk, None where there is none that is known."""
    return _find(device, _DISK)


def volume_encryption(device: BlockDevice) -> str | None:
    """The product that formatted a volume, None where there is none that is known."""
    return _find(device, (*_VOLUME, *_DISK))


def looks_random(device: BlockDevice) -> bool:
    """Whether a volume begins with bytes that look random, boot sector included: the mark of encryption."""
    data = device.read(0, min(_SAMPLE, device.size))
    if len(data) < _LEAST_SAMPLE:
        return False
    bits = -sum(count / len(data) * math.log2(count / len(data)) for count in Counter(data).values())
    return bits > _RANDOM


def _find(device: BlockDevice, signatures: tuple[tuple[bytes, str, int, int], ...]) -> str | None:
    if device.size < SECTOR:
        return None
    sector = device.read(0, SECTOR)
    for text, product, first, last in signatures:
        if text in sector[first : last + len(text)]:
            return product
    return None
