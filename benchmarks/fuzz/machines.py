"""Whole machines: small disks whose tables, boot menus, stores and hives are mutated, inspected, checked and repaired.

The volumes are FAT, so that everything that reads them is ours. Any exception but a BootgraftError is a bug, and so is
a repair that writes to the disk under its overlay.
"""

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct
from tests.layouts import nt5
from tests.layouts.layout import Place, disk, machine, part
from tests.machines import vista
from tests.machines.build import build
from tests.machines.spec import Disk, FileSystem, Loader, MachineSpec, Partition
from tests.machines.windows_files import loader_files
from tests.storage.sample_disks import MemoryDisk
from tests.worker.in_process import do

from bootgraft.errors import BootgraftError
from bootgraft.jsontext import to_json
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.worker.ipc.job import Operation

_MIB = 2048
_SECTOR = 512
_FIRST, _SECOND = Place(63, 6 * _MIB), Place(63 + 6 * _MIB + 63, 6 * _MIB)
_TOKENS = (
    b"multi(0)disk(0)rdisk(0)partition(", b"signature(", b"scsi(", b"=", b"\\", b"\"", b"[operating systems]", b"C:\\",
    b"99999", b"-1", b"\xff\xfe", b"\0", b"\r\n", b"default=", b"/", b")",
)  # fmt: skip


class Spot(Struct, frozen=True):
    """A stretch of the disk that is worth changing, and how; offsets in bytes."""

    start: int
    end: int
    change: "Callable[[bytearray, random.Random], None]"


class MachineSeed(Struct, frozen=True):
    """One disk with the spots in it. ``gpt`` tells whether checksums are set right again."""

    name: str
    data: bytes
    spots: tuple[Spot, ...]
    gpt: bool = False


def seeds(folder: Path) -> list[MachineSeed]:
    """The machines, made by outside tools in ``folder``."""
    found = []
    for spec in _machines():
        data = build(spec, folder / spec.name, cache=folder / "cache").disk.read_bytes()
        found.append(MachineSeed(spec.name, data, tuple(_spots(spec.disks[0], data)), spec.disks[0].guid is not None))
    return found


def _machines() -> Iterator[MachineSpec]:
    fat = FileSystem.FAT12
    windows = nt5.windows(_SECOND, letter="D")
    system = part(_FIRST, loader_files(nt5.menu(nt5.P2)), active=True, filesystem=fat)
    yield machine("ntldr", disk(system, part(_SECOND, windows, filesystem=fat)))
    yield machine("logical", disk(system, part(_SECOND, windows, filesystem=fat, logical=True)))
    seven = vista.installation()
    place = vista.Place(_SECOND.start, _SECOND.sectors)
    store = vista.bios_store(place, system=vista.Place(_FIRST.start, _FIRST.sectors))
    reserved = part(_FIRST, vista.bios_loader(store), active=True, filesystem=fat, loader=Loader.BOOTMGR)
    yield machine("bootmgr", disk(reserved, part(_SECOND, seven, filesystem=fat), signature=vista.SIGNATURE))
    esp, data = vista.uefi().disks[0].partitions[0], vista.uefi().disks[0].partitions[2]
    parts = tuple(
        Partition(at.start, at.sectors, 0, part(at, files, filesystem=fat).volume, guids=kind.guids)
        for at, files, kind in (
            (Place(2048, 6 * _MIB), vista.uefi_loader(vista.uefi_store()), esp),
            (Place(2048 + 6 * _MIB, 6 * _MIB), vista.installation(loader="winload.efi"), data),
        )
    )
    yield MachineSpec("uefi", (Disk(16 * _MIB, 0, parts, vista.DISK_GUID),))


def _spots(made: Disk, data: bytes) -> Iterator[Spot]:
    yield Spot(0x1B8, _SECTOR, _numbers)
    if made.guid is not None:
        yield Spot(_SECTOR, _SECTOR + 92, _numbers)
        yield Spot(2 * _SECTOR, 2 * _SECTOR + 4 * 128, _numbers)
    for each in made.partitions:
        start = each.start * _SECTOR
        yield Spot(start, start + 0x60, _numbers)
        if each.logical:
            yield Spot(start - 63 * _SECTOR + 0x1BE, start - 62 * _SECTOR, _numbers)
    at = data.find(b"[boot loader]")
    if at >= 0:
        yield Spot(at, at + 200, _text)
    at = data.find(b"regf")
    while at >= 0:
        length = 4096 + struct.unpack_from("<I", data, at + 40)[0]
        yield Spot(at, min(len(data), at + length), _hive)
        at = data.find(b"regf", at + length)


def _numbers(data: bytearray, chance: random.Random) -> None:
    width = chance.choice((1, 2, 4, 8))
    at = chance.randrange(0, max(1, len(data) - width))
    extremes = (0, 1, 5, 0x0F, 0x80, 0xEE, 63, 2048, (1 << 8 * width) - 1, 1 << (8 * width - 1), chance.getrandbits(16))
    data[at : at + width] = (chance.choice(extremes) & (1 << 8 * width) - 1).to_bytes(width, "little")


def _text(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    token = chance.choice(_TOKENS)
    data[at : at + len(token)] = token[: len(data) - at]


def _hive(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(0, len(data), 2)
    if chance.random() < 0.5:
        data[at] ^= 1 << chance.randrange(8)
    else:
        data[at : at + 2] = chance.choice((b"\0\0", b"\xff\xff", b"\xff\x7f", b"nk", b"vk"))


def mutated(seed: MachineSeed, chance: random.Random) -> Overlay:
    """The seed's disk under an overlay that has up to four things changed."""
    overlay = Overlay(MemoryDisk(bytearray(seed.data)))
    for _ in range(chance.choice((1, 1, 2, 2, 4))):
        spot = chance.choice(seed.spots)
        data = bytearray(overlay.read(spot.start, spot.end - spot.start))
        spot.change(data, chance)
        overlay.write(spot.start, bytes(data[: spot.end - spot.start]))
    if seed.gpt and chance.random() < 0.8:
        _seal(overlay)
    return overlay


def _seal(device: Overlay) -> None:
    """Make the checksums of the primary GPT right."""
    header = bytearray(device.read(_SECTOR, _SECTOR))
    length, at, count, size = *struct.unpack_from("<I", header, 12), *struct.unpack_from("<QII", header, 72)
    if not 92 <= length <= _SECTOR or count * size > 1 << 20 or at * _SECTOR + count * size > device.size:
        return
    struct.pack_into("<I", header, 88, zlib.crc32(device.read(at * _SECTOR, count * size)))
    header[16:20] = bytes(4)
    header[16:20] = zlib.crc32(bytes(header[:length])).to_bytes(4, "little")
    device.write(_SECTOR, bytes(header))


def attempt(disk_: Overlay) -> str:
    """Inspect, check and repair the machine; how that ended. Raises whatever is a bug."""
    ends = []
    for operation in (Operation.INSPECT, Operation.CHECK, Operation.REPAIR):
        try:
            outcome = do(operation, [Overlay(disk_)])
        except BootgraftError:
            ends.append("refused")
            continue
        to_json(outcome.document)
        ends.append("proven" if outcome.proven else str(outcome.status))
    return "/".join(ends)
