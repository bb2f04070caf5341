"""Layouts of NT 4 to Server 2003: partition numbers, boot.ini, boot sectors. Each has its driver: the chain decides."""

import struct
from collections.abc import Iterator

from msgspec.structs import replace

from tests.layouts.layout import (
    MIB,
    SECOND_SIGNATURE,
    SIGNATURE,
    Layout,
    Patch,
    Place,
    disk,
    flag,
    machine,
    part,
)
from tests.machines.spec import SECTOR, Architecture, File, FileSystem, Loader, Partition
from tests.machines.windows2003 import arc, boot_ini
from tests.machines.windows_files import DriverFile, loader_files, symmpi_file, windows_files
from tests.machines.windows_hives import (
    SERVER_2003,
    WINDOWS_2000,
    WINDOWS_XP,
    ControlSet,
    Letter,
    Release,
    Select,
    Symmpi,
    SystemFacts,
    software_hive,
    system_hive,
)

FIRST = Place(63, 16 * MIB)
SECOND = Place(FIRST.end + 63, 32 * MIB)
THIRD = Place(SECOND.end + 63, 32 * MIB)
ALONE = Place(63, 32 * MIB)
LARGE = Place(63, 40 * MIB)  # as FAT32 wants it
SMALL = Place(THIRD.end + 63, 4 * MIB)


def windows(
    place: Place,
    directory: str = "WINDOWS",
    *,
    letter: str = "C",
    signature: int = SIGNATURE,
    release: Release = SERVER_2003,
    arch: Architecture = Architecture.X86,
    boot_device: str | None = None,
    letters: tuple[Letter, ...] | None = None,
) -> tuple[File, ...]:
    """An installation with all that it needs for the LSI Logic controller; it lies, and knows itself, at a place."""
    sets = tuple(ControlSet(number, Symmpi.READY, binding=True) for number in (1, 2))
    mounted = letters if letters is not None else (Letter(letter, signature, place.offset),)
    facts = SystemFacts(release, arch, "SERVER1", sets, Select(), mounted, boot_device)
    return (
        *windows_files(
            directory,
            release,
            arch,
            system=system_hive(facts),
            software=software_hive(release, rf"{letter}:\{directory}"),
        ),
        *symmpi_file(DriverFile.GOOD, directory, release, arch),
    )


def menu(*paths: str, default: str | None = None) -> str:
    """A boot.ini with these paths; the first is the default."""
    return boot_ini(default or paths[0], *((path, f"Windows {number}") for number, path in enumerate(paths, start=1)))


def system(text: str | None, *files: File, place: Place = FIRST, slot: int | None = None) -> Partition:
    """The active partition with loader and boot.ini; None leaves boot.ini out."""
    loader = loader_files(text or "")
    kept = loader if text is not None else tuple(file for file in loader if file.path != r"\boot.ini")
    return part(place, (*kept, *files), active=True, slot=slot)


def alone(text: str | None, *files: File, place: Place = ALONE, **facts: object) -> Partition:
    """Loader and Windows on the one, active partition."""
    return system(text, *windows(place, **facts), *files, place=place)  # type: ignore[arg-type]


P1, P2, P3 = (arc(number, "WINDOWS") for number in (1, 2, 3))
STORY = (system(menu(P2)), part(SECOND, windows(SECOND, letter="D")))


def layouts() -> Iterator[tuple[str, Layout]]:
    """Each layout under its name."""
    yield from _numbering()
    yield from _several_windows()
    yield from _disks()
    yield from _boot_ini()
    yield from _boot_sectors()
    yield from _file_systems()


def _one(name: str, what: str, *parts: Partition, container: int = 5, **more: object) -> tuple[str, Layout]:
    layout = Layout(what, machine(name, disk(*parts, container=container)))
    return name, replace(layout, **more)


def _numbering() -> Iterator[tuple[str, Layout]]:
    yield _one("story", "boot files on partition 1, Windows on partition 2", *STORY)
    yield _one("one-partition", "loader and Windows on the only partition", alone(menu(P1)))
    yield _one(
        "oem-partition-first",
        "a Dell utility partition counts: Windows is partition(2)",
        part(FIRST, kind=0xDE),
        system(menu(P2), *windows(SECOND), place=SECOND),
    )
    yield _one(
        "recovery-partition-dropped",
        "the converter dropped the recovery partition: partition(2) became 1",
        alone(menu(P2), boot_device=P2.rpartition("\\")[0]),
    )
    yield _one(
        "recovery-partition-dropped-2000",
        "the same on Windows 2000, whose registry does not say where it started from",
        alone(menu(arc(2, "WINNT")), directory="WINNT", release=WINDOWS_2000),
    )
    yield _one(
        "hidden-ntfs-first",
        "a hidden recovery partition (0x27) counts",
        part(FIRST, kind=0x27),
        system(menu(P2), *windows(SECOND), place=SECOND),
    )
    yield _one(
        "compaq-diagnostics-first",
        "a Compaq diagnostics partition (0x12) counts",
        part(FIRST, (), kind=0x12, filesystem=FileSystem.FAT16),
        system(menu(P2), *windows(SECOND), place=SECOND),
    )
    yield _one(
        "linux-partitions-first",
        "Linux and its swap count",
        part(FIRST, kind=0x83),
        part(SMALL, kind=0x82),
        system(menu(P3), *windows(SECOND), place=SECOND),
    )
    yield _one(
        "linux-extended-counts",
        "a Linux extended partition (0x85) is an ordinary one to Windows",
        part(FIRST, kind=0x85),
        system(menu(P2), *windows(SECOND), place=SECOND),
    )
    yield _one(
        "slots-against-disk-order",
        "slot 1 lies behind slot 2 on the disk: the slots count",
        system(menu(P2), place=SECOND, slot=1),
        part(ALONE_FIRST, windows(ALONE_FIRST, letter="D"), slot=2),
    )
    yield _one(
        "gap-between-slots",
        "slots 1 and 3: an empty slot takes no number",
        system(menu(P2), slot=1),
        part(SECOND, windows(SECOND, letter="D"), slot=3),
    )
    yield _one(
        "logical",
        "Windows on a logical partition: 2, as the extended one has no number",
        system(menu(P2)),
        part(SECOND, windows(SECOND, letter="D"), logical=True),
    )
    yield _one(
        "logical-in-0x0f",
        "the same in an extended partition of type 0x0F",
        system(menu(P2)),
        part(SECOND, windows(SECOND, letter="D"), logical=True),
        container=0x0F,
    )
    yield _one(
        "logical-behind-later-primary",
        "a primary partition in a later slot still counts before the logical ones",
        system(menu(P3)),
        part(SECOND, windows(SECOND, letter="D"), logical=True),
        part(SMALL, kind=0x83, slot=3),
    )
    yield _one(
        "logical-chain-against-disk-order",
        "the chain of logical partitions runs against the disk: the chain counts",
        system(menu(P2)),
        part(THIRD, windows(THIRD, letter="D"), logical=True),
        part(SECOND, logical=True),
    )
    yield _one(
        "primary-deleted-renumbers-logical",
        "a primary partition was dropped: the logical Windows went from 3 to 2",
        system(menu(P3)),
        part(SECOND, windows(SECOND, letter="D", boot_device=P3.rpartition("\\")[0]), logical=True),
    )
    yield _one(
        "extended-chain-loops",
        "the chain of logical partitions links back to itself behind Windows",
        system(menu(P2)),
        part(SECOND, windows(SECOND, letter="D"), logical=True),
        patches=(Patch((SECOND.start - 63) * SECTOR + 0x1CE, _entry(0, 0x05, 0, 4096)),),
    )
    yield _one("no-partition", "an empty partition table", Partition(2048, 2048, 0x83, None))
    yield _one(
        "beyond-the-end",
        "the image is cut short inside the partition of Windows",
        *STORY,
        cut=(SECOND.start + 16 * MIB) * SECTOR,
    )


ALONE_FIRST = Place(63, 16 * MIB)


def _entry(active: int, kind: int, start: int, sectors: int) -> bytes:
    return struct.pack("<B3xB3xII", active, kind, start, sectors)


def _several_windows() -> Iterator[tuple[str, Layout]]:
    yield _one(
        "two-windows-one-partition",
        "WINDOWS and W2 on one partition, W2 is the default",
        system(menu(arc(2, "W2"), P2)),
        part(SECOND, (*windows(SECOND, letter="D"), *windows(SECOND, "W2", letter="D"))),
    )
    yield _one(
        "two-windows-second-is-default",
        "WINDOWS on partitions 2 and 3, the default names 3",
        system(menu(P3, P2)),
        part(SECOND, windows(SECOND, letter="D")),
        part(THIRD, windows(THIRD, letter="E")),
    )
    yield _one(
        "stale-windows-on-first",
        "a stale WINDOWS lies on the system partition, the default is on 2",
        system(menu(P2), *windows(ALONE), place=ALONE),
        part(Place(ALONE.end + 63, 32 * MIB), windows(Place(ALONE.end + 63, 32 * MIB), letter="D")),
    )
    yield _one(
        "two-windows-default-leads-nowhere",
        "two WINDOWS and a default that names neither: nothing is guessed",
        system(menu(arc(4, "WINDOWS"))),
        part(SECOND, windows(SECOND, letter="D")),
        part(THIRD, windows(THIRD, letter="E")),
    )
    yield _one(
        "two-windows-one-started-from-there",
        "the same, but the registry of one says that it started from that path",
        system(menu(arc(4, "WINDOWS"))),
        part(SECOND, windows(SECOND, letter="D", boot_device=arc(2, "").rstrip("\\"))),
        part(THIRD, windows(THIRD, letter="E", boot_device=arc(4, "").rstrip("\\"))),
    )
    yield _one(
        "two-windows-renumbered",
        "the converter wrote the partitions in another order: the default's number now leads to the other Windows",
        system(menu(P2, P3)),
        part(SECOND, windows(SECOND, letter="D", boot_device=arc(3, "").rstrip("\\"))),
        part(THIRD, windows(THIRD, letter="E", boot_device=arc(2, "").rstrip("\\"))),
    )
    yield _one(
        "two-windows-one-says-nothing",
        "the same, but the other one's registry does not say where it started from: it may be that one",
        system(menu(arc(4, "WINDOWS"))),
        part(SECOND, windows(SECOND, letter="D")),
        part(THIRD, windows(THIRD, letter="E", boot_device=arc(4, "").rstrip("\\"))),
    )
    yield _one(
        "unusual-directory",
        "the directory is called SRV.2003 and nothing else is there",
        system(menu(arc(2, "SRV.2003"))),
        part(SECOND, windows(SECOND, "SRV.2003", letter="D")),
    )


def _disks() -> Iterator[tuple[str, Layout]]:
    loader = disk(system(menu(arc(1, "WINDOWS", disk=1))))
    far = disk(part(ALONE, windows(ALONE, letter="D", signature=SECOND_SIGNATURE)), signature=SECOND_SIGNATURE)
    both = machine("two-disks", loader, far)
    yield "windows-on-second-disk", Layout("the system partition is on disk 0, Windows on disk 1", both)
    yield "disks-swapped", Layout("the same disks given in the wrong order", both, given=(1, 0))
    yield "second-disk-not-given", Layout("the same machine without its second disk", both, given=(0,))
    yield _one(
        "windows-came-to-first-disk",
        "rdisk(1) became rdisk(0): the converter put both partitions on one disk",
        system(menu(arc(1, "WINDOWS", disk=1))),
        part(SECOND, windows(SECOND, letter="D", boot_device=arc(1, "", disk=1).rstrip("\\"))),
    )
    clone = disk(part(ALONE, windows(ALONE, letter="E")), signature=SIGNATURE)
    yield (
        "same-signature-twice",
        Layout("two disks with one signature", machine("same-signature", disk(*STORY), clone)),
    )


def _boot_ini() -> Iterator[tuple[str, Layout]]:
    def story(name: str, what: str, text: str | None, *files: File) -> tuple[str, Layout]:
        return _one(name, what, system(text, *files), part(SECOND, windows(SECOND, letter="D")))

    yield story("default-not-in-menu", "default= names a path that no entry has", menu(P2, default=P3))
    yield story("default-missing", "there is no default=", menu(P2).replace(f"default={P2}\r\n", ""))
    yield story("boot-ini-missing", "there is no boot.ini, and Windows is on partition 2", None)
    yield _one("boot-ini-missing-one-partition", "there is no boot.ini, and Windows is on partition 1", alone(None))
    yield story("boot-ini-empty", "boot.ini lists no operating system", "[boot loader]\r\ntimeout=30\r\n")
    signature = rf"signature({SIGNATURE:08x})disk(0)rdisk(0)partition(2)\WINDOWS"
    yield story("signature-path", "a signature() path whose disk is given", menu(signature))
    other = r"signature(0badcafe)disk(0)rdisk(0)partition(2)\WINDOWS"
    yield story("signature-path-of-no-disk", "a signature() path that no given disk has", menu(other))
    scsi = r"scsi(0)disk(1)rdisk(0)partition(2)\WINDOWS"
    yield story("scsi-path", "a scsi() path with its ntbootdd.sys", menu(scsi), File(r"\ntbootdd.sys", b"MZ" * 99))
    yield story("scsi-path-without-driver", "a scsi() path without ntbootdd.sys", menu(scsi))
    dos = "C:\\"
    sector = File(
        r"\bootsect.dos", b"\xeb\x3c\x90MSDOS5.0".ljust(0x1E6, b"\0") + b"IO      SYS\0\0\0\0\0\0\0\0\0\0\0\0\0\x55\xaa"
    )
    yield story("default-boots-dos", "the default entry starts DOS from bootsect.dos", menu(dos, P2), sector)
    console = r"C:\CMDCONS\BOOTSECT.DAT"
    loader = File(r"\CMDCONS\BOOTSECT.DAT", b"\xeb\x52\x90NTFS    ".ljust(0x1FE, b"\0") + b"\x55\xaa")
    yield story("recovery-console-first", "the recovery console is in the menu, before Windows",
                menu(console, P2, default=P2), loader)  # fmt: skip
    switches = menu(P2).replace("/fastdetect", "/fastdetect /maxmem=64 /debug /hal=halspx.dll")
    yield story("switches", "switches of the old hardware", switches)
    yield story("directory-missing", "boot.ini names a directory that is not there", menu(arc(2, "WINNT")))
    spaced = menu(P2).replace("\r\n", "\n").replace("[operating systems]", "[Operating Systems]").replace(
        "default=", "DEFAULT = "
    )  # fmt: skip
    yield story("boot-ini-by-hand", "line feeds only, another case, blanks around the equals sign", spaced)


def _boot_sectors() -> Iterator[tuple[str, Layout]]:
    yield _one("no-active-flag", "no partition is active", *STORY, patches=(flag(1, 0),))
    yield _one("two-active-flags", "both partitions are active", *STORY, patches=(flag(2, 0x80),))
    yield _one("invalid-flag", "a flag is neither 0x80 nor 0", *STORY, patches=(flag(2, 0x40),))
    yield _one("windows-is-active", "the partition without a loader is active", *STORY,
               patches=(flag(1, 0), flag(2, 0x80)))  # fmt: skip
    yield _one("mbr-code-missing", "the converter wrote a table without boot code", *STORY,
               patches=(Patch(0, bytes(0x1B8)),))  # fmt: skip
    yield _one("hidden-sectors", "the partition was moved from sector 2048 to 63", *STORY,
               patches=(Patch(FIRST.offset + 0x1C, struct.pack("<I", 2048)),))  # fmt: skip
    yield _one("geometry", "the geometry of a Compaq controller: 240 heads", *STORY,
               patches=(Patch(FIRST.offset + 0x18, struct.pack("<HH", 63, 240)),))  # fmt: skip
    moved = struct.pack("<HHI", 32, 64, 2048)
    yield _one("hidden-sectors-and-geometry", "both, in both copies", *STORY, patches=(
        Patch(FIRST.offset + 0x18, moved), Patch((FIRST.end - 1) * SECTOR + 0x18, moved)))  # fmt: skip
    yield _one("disk-signature-zero", "the converter cleared the disk signature", *STORY,
               patches=(Patch(0x1B8, bytes(4)),))  # fmt: skip
    yield _one("disk-signature-new", "the converter wrote a new disk signature", *STORY,
               patches=(Patch(0x1B8, struct.pack("<I", 0x77777777)),))  # fmt: skip


def _file_systems() -> Iterator[tuple[str, Layout]]:
    fat16 = part(FIRST, loader_files(menu(P2)), active=True, filesystem=FileSystem.FAT16)
    yield _one("fat16-system-partition", "the system partition is FAT16", fat16, STORY[1])
    files = (*loader_files(menu(P1)), *windows(LARGE))
    fat32 = part(LARGE, files, active=True, filesystem=FileSystem.FAT32)
    yield _one("fat32-alone", "loader and Windows on one FAT32 partition", fat32)
    yield _one("fat32-hidden-sectors", "the same, moved", fat32,
               patches=(Patch(LARGE.offset + 0x1C, struct.pack("<I", 2048)),))  # fmt: skip
    nt4 = Release("Windows NT", "4.0", "1381", "Service Pack 6", 3, "WINNT", (4, 0, 1381, 7036))
    yield _one("nt4", "NT 4 in WINNT", alone(menu(arc(1, "WINNT")), directory="WINNT", release=nt4))
    yield _one("windows-2000", "Windows 2000 in WINNT",
               alone(menu(arc(1, "WINNT")), directory="WINNT", release=WINDOWS_2000))  # fmt: skip
    yield _one("windows-xp", "Windows XP", alone(menu(P1), release=WINDOWS_XP))
    yield _one("server-2003-x64", "Server 2003 for x64", alone(menu(P1), arch=Architecture.X64))
    bitlocker = Patch(SECOND.offset + 3, b"-FVE-FS-")
    yield _one("bitlocker", "the partition of Windows is encrypted with BitLocker", *STORY, patches=(bitlocker,))
    yield _one("not-formatted", "the partition of Windows holds no file system", *STORY,
               patches=(Patch(SECOND.offset, bytes(SECTOR)),))  # fmt: skip
    nt6 = part(FIRST, loader_files(menu(P2)), active=True, loader=Loader.BOOTMGR)
    yield _one("boot-sector-of-vista", "ntldr is there, but the boot sector looks for bootmgr", nt6, STORY[1])
