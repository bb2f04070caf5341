"""NTFS volumes whose structures are mutated, used as a repair uses them: mounted, read, written to, mounted again.

What reads them is libntfs-3g, so a case may end its process: see ``forked``. Any exception but a BootgraftError is a
bug of ours, and so is a write below the overlay.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from tests.filesystems.ntfs import images
from tests.filesystems.ntfs.wof_images import compressed
from tests.machines import spec, vista
from tests.machines.build import build
from tests.machines.cache import kept_folder
from tests.machines.windows2003 import server1

from benchmarks.fuzz.ntfsmutate import mutate
from benchmarks.fuzz.ntfsplaces import Kind, Place, places
from benchmarks.fuzz.sealed import Sealed
from bootgraft.errors import BootgraftError, FileMissingError
from bootgraft.filesystems.base import VolumeState
from bootgraft.filesystems.ntfs.journal import reset_journal
from bootgraft.filesystems.ntfs.volume import NtfsVolume, mount_ntfs
from bootgraft.storage.devices.overlay import Overlay

_COMPRESSED_DIRECTORY = b"\0\0\x08\x00"
_WRITABLE = 3
"""The first seeds, which are clean."""
_LISTED = 40
"""Entries of one directory that are looked at."""
_READ = 64 * 1024
"""Bytes read of each file, as of a driver or of a hive's first pages."""
_CHOSEN = 10
"""Files of a volume that a case reads, besides what every check asks for."""
_ASKED_FOR = (
    "\\Windows\\system32\\config\\SYSTEM",
    "\\Windows\\system32\\ntoskrnl.exe",
    "\\Windows\\system32\\drivers\\new.sys",
    "\\boot.ini",
    "\\bootmgr",
    "\\hiberfil.sys",
    "\\Boot\\BCD",
)
_DRIVERS = "\\WINDOWS\\system32\\drivers"


class VolumeSeed(Struct, frozen=True):
    """A sound volume with its places; ``files`` are the paths on it."""

    name: str
    data: bytes
    places: Mapping[Kind, Sequence[Place]]
    files: tuple[str, ...]


class VolumeCase(Struct, frozen=True):
    """A volume with its mutations on an overlay, and the paths that are used."""

    device: Overlay
    files: tuple[str, ...]


def seeds(folder: Path) -> list[VolumeSeed]:
    """Volumes made by mkntfs and filled through ntfs-3g; that takes root and /dev/fuse."""
    made = [volume_seed(name, data) for name, data in _volumes(folder)]
    return [*made, *made[:_WRITABLE]]  # twice what is written to


def _volumes(folder: Path) -> Iterator[tuple[str, bytes]]:
    unclean = server1(name="unclean", volume_state=spec.VolumeState.UNCLEAN)
    hibernated = server1(name="hibernated", volume_state=spec.VolumeState.HIBERNATED_LOG_2_0)
    yield "everything", _everything(folder / "everything").read_bytes()
    for machine, number in ((server1(), 1), (vista.one_partition(), 0), (unclean, 1), (hibernated, 1)):
        built = build(machine, folder / machine.name, cache=kept_folder() or folder / "cache")
        start, length = built.span(number)
        yield machine.name, built.disk.read_bytes()[start : start + length]


def _everything(path: Path) -> Path:
    """A volume with what NTFS has besides: attribute lists, holes, compression, WOF, a deep index, a saved session."""
    text = b"".join(b"%08d words of a driver\r\n" % number for number in range(4000))
    drivers = _DRIVERS[1:].replace("\\", "/")
    return images.fill(
        images.blank(path, size=14 << 20),
        images.directory(drivers),
        images.directory("WINDOWS/system32/config"),
        images.directory("packed"),
        images.attribute("packed", "system.ntfs_attrib_be", _COMPRESSED_DIRECTORY),
        images.file("packed/NTLDR", text),
        images.file("WINDOWS/system32/config/SYSTEM", b"regf" + bytes(60_000)),
        images.file(f"{drivers}/atapi.sys", text),
        ("files", drivers, "driver with a long name {:03d}.sys", "200"),
        images.file("hiberfil.sys", b"wake" + bytes(8000)),
        images.file("sparse", b"begin"),
        ("hole", "sparse", str(3 << 20)),
        images.file("small", b"resident"),
        *(("link", "small", f"packed/another name of one and the same file, number {n:03d}") for n in range(20)),
        *compressed("WINDOWS/xpress.exe", text, "XPRESS4K"),
        *compressed("WINDOWS/lzx.exe", text, "LZX"),
        *compressed("WINDOWS/xpress16.exe", text, "XPRESS16K"),
        options="compression,streams_interface=windows",
    )


def volume_seed(name: str, data: bytes) -> VolumeSeed:
    """The seed of a sound volume."""
    with mount_ntfs(Sealed(data), writable=False, name="volume") as volume:
        return VolumeSeed(name, data, places(data), tuple(_walk(volume, "")))


def _walk(volume: NtfsVolume, path: str) -> Iterator[str]:
    for entry in volume.listdir(path or "\\"):
        child = f"{path}\\{entry.name}"
        yield child
        if entry.is_directory:
            yield from _walk(volume, child)


def mutated(seed: VolumeSeed, chance: random.Random) -> VolumeCase:
    """The seed's volume under an overlay that has up to eight things changed."""
    device = Overlay(Sealed(seed.data))
    mutate(device, seed.places, chance)
    return VolumeCase(device, tuple(chance.sample(seed.files, min(_CHOSEN, len(seed.files)))))


def attempt(case: VolumeCase) -> str:
    """Use the volume; how far that came. Raises whatever is a bug."""
    work = Overlay(case.device)
    try:
        with mount_ntfs(work, writable=True, name="volume") as volume:
            refused = _read(volume, case.files)
            state = volume.state
            if volume.writable:
                refused += _write(volume, case.files)
    except BootgraftError:
        return "refused"
    try:
        if state is VolumeState.UNCLEAN:
            reset_journal(work, name="volume")
        with mount_ntfs(work, writable=False, name="volume") as volume:
            refused += _read(volume, (*case.files[:2], f"{_DRIVERS}\\new.sys"))
    except BootgraftError:
        return "refused afterwards"
    return f"{state}, refused in part" if refused else f"{state}, used"


def _read(volume: NtfsVolume, files: Sequence[str]) -> int:
    """Look up, list and read as checks do; how much of it was refused."""
    refused = 0
    for path in ("\\", _DRIVERS, *_ASKED_FOR, *files):
        try:
            entry = volume.stat(path)
            if entry.is_directory:
                for child in volume.listdir(path)[:_LISTED]:
                    len(child.name)
            else:
                volume.read(path, 0, _READ)
                volume.read(path, max(0, entry.size - 4096), 4096)
                volume.extents(path)
        except FileMissingError:
            continue
        except BootgraftError:
            refused += 1
    return refused


def _write(volume: NtfsVolume, files: Sequence[str]) -> int:
    """Write as repairs do, each kind of write once; how much of it was refused."""
    first, second, third, *_ = (*files, "\\a", "\\b", "\\c")
    return sum(
        _refuses(work)
        for work in (
            lambda: volume.create(f"{_DRIVERS}\\new.sys", b"driver" * 1500, filetime=1),
            lambda: volume.create("\\WINDOWS\\new", b"x"),
            lambda: volume.create_directory("\\WINDOWS\\another"),
            lambda: volume.write(first, 100, b"written" * 1000),
            lambda: volume.truncate(second, 10),
            lambda: volume.store_plainly(third, b"plain" * 2000),
        )
    )


def _refuses(work: Callable[[], None]) -> bool:
    try:
        work()
    except BootgraftError:
        return True
    return False
