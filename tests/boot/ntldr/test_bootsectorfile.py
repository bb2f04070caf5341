r"""What the boot sectors in files start that ntldr can be told to start."""

from pathlib import Path

import pytest

from bootgraft.boot.ntldr.bootsectorfile import file_of, what_starts


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("C:\\", "\\BOOTSECT.DOS"),
        (" c:\\ ", "\\BOOTSECT.DOS"),
        ("C:\\CMDCONS\\BOOTSECT.DAT", "\\CMDCONS\\BOOTSECT.DAT"),
        ("C:\\$WIN_NT$.~BT\\BOOTSECT.DAT", "\\$WIN_NT$.~BT\\BOOTSECT.DAT"),
    ],
)
def test_the_file_that_a_path_means(path: str, file: str) -> None:
    assert file_of(path) == file


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\xebIO      SYSMSDOS   SYS\0", "IO.SYS"),
        (b"WINBOOT SYSIO      SYS", "WINBOOT.SYS"),
        (b"NTLDR      ", "NTLDR"),
        (b"CMLDR      NTLDR      ", "CMLDR"),
        (b"GRUB \0Geom\0", "GRUB"),
        (b"\xeb\x5d wubildr", "WUBILDR"),
        (b"FREELDR SYS", "FREELDR.SYS"),
        (b"AUDIO SYS", ""),
        (b"\0" * 8192 + b"NTLDR      ", ""),
        (b"", ""),
    ],
)
def test_the_name_that_a_sector_looks_for(content: bytes, name: str) -> None:
    assert what_starts(content).name == name
    assert bool(what_starts(content).system) is bool(name)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ntfs-vbr-2003.bin", "NTLDR"),
        ("ntfs-vbr-10.bin", "BOOTMGR"),
        ("w7-mbr-en-BOOTSECT.BAK", "BOOTMGR"),
    ],
)
def test_real_boot_sectors(file: str, name: str, shared_testdata: Path) -> None:
    assert what_starts((shared_testdata / "disk-images" / "boot-sectors" / file).read_bytes()).name == name
