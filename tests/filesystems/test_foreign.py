"""Encryption by other makers, told by the places in which their boot code names itself."""

import random

import pytest
from tests.storage.sample_disks import MemoryDisk

from bootgraft.filesystems.foreign import disk_encryption, looks_random, volume_encryption


@pytest.mark.parametrize(
    ("at", "text", "product"),
    [
        (5, b" VeraCrypt Boot Loader\r\n", "VeraCrypt"),
        (5, b" TrueCrypt Boot Loader\r\n", "TrueCrypt"),
        (3, b"PGPGUARD", "PGP"),
        (3, b"SafeBoot", "McAfee"),
        (119, b"SGE400", "Sophos"),
        (3, b"PCGM", "GuardianEdge"),
        (90, b"Protect", "Check Point"),
        (246, b"WMSD", "WinMagic"),
    ],
)
def test_a_product_is_told_by_its_boot_code(at: int, text: bytes, product: str) -> None:
    sector = bytearray(512)
    sector[at : at + len(text)] = text
    assert product in (disk_encryption(MemoryDisk(sector)) or "")
    assert product in (volume_encryption(MemoryDisk(sector)) or "")
    elsewhere = bytearray(512)
    elsewhere[400 : 400 + len(text)] = text
    assert disk_encryption(MemoryDisk(elsewhere)) is None


def test_luks_is_told_of_volumes_only() -> None:
    sector = bytearray(b"LUKS\xba\xbe".ljust(512, b"\0"))
    assert volume_encryption(MemoryDisk(sector)) == "LUKS"
    assert disk_encryption(MemoryDisk(sector)) is None


def test_microsofts_boot_code_is_no_encryption() -> None:
    sector = bytearray(512)
    sector[0x163 : 0x163 + 23] = b"Invalid partition table"
    assert disk_encryption(MemoryDisk(sector)) is None
    assert disk_encryption(MemoryDisk(bytearray(100))) is None


def test_only_bytes_without_any_pattern_look_random() -> None:
    noise = random.Random(7).randbytes(65536)
    assert looks_random(MemoryDisk(bytearray(noise)))
    assert not looks_random(MemoryDisk(bytearray(65536)))
    assert not looks_random(MemoryDisk(bytearray(b"A disk read error occurred" * 3000)))
    assert not looks_random(MemoryDisk(bytearray(noise[:512])))  # too little to tell
    assert not looks_random(MemoryDisk(bytearray(noise[:40000] + bytes(25536))))
