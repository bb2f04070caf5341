"""From a specification to disk images, with every expensive part made only once per cache."""

import os
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tests.machines.cabinets import cabinet, lzx_cabinet
from tests.machines.cache import cached
from tests.machines.catalogs import unsigned_catalog
from tests.machines.executables import make_executable
from tests.machines.hives import make_hive
from tests.machines.signing import altered, authenticode_hash, signed
from tests.machines.spec import (
    SECTOR,
    Cabinet,
    Catalog,
    Disk,
    File,
    Hive,
    HostFile,
    MachineSpec,
    Partition,
    PortableExecutable,
)
from tests.machines.tools import run
from tests.machines.volumes import BOOT_CODE, make_volume

_CHUNK = 1 << 20


class BuiltMachine(Struct, frozen=True):
    """The raw disk images of a machine, in BIOS order."""

    spec: MachineSpec
    disks: tuple[Path, ...]

    @property
    def disk(self) -> Path:
        """The image of a machine that has one disk."""
        (only,) = self.disks
        return only

    def span(self, partition: int, disk: int = 0) -> tuple[int, int]:
        """Where the partition (counted from 0 as in the specification) lies: offset and length in bytes."""
        found = self.spec.disks[disk].partitions[partition]
        return found.start * SECTOR, found.sectors * SECTOR


def build(spec: MachineSpec, folder: Path, *, cache: Path) -> BuiltMachine:
    """Make the machine's raw images in ``folder``; what was built before comes out of ``cache`` as a sparse copy."""
    folder.mkdir(parents=True, exist_ok=True)
    images = []
    for index, disk in enumerate(spec.disks):
        made = cached(cache, "disk", disk, partial(_make_disk, disk, cache))
        suffix = "" if len(spec.disks) == 1 else f"-disk{index}"
        image = folder / f"{spec.name}{suffix}.raw"
        copy_sparse(made, image)
        images.append(image)
    return BuiltMachine(spec, tuple(images))


def content(file: File, cache: Path) -> bytes:
    """The bytes of a file."""
    match file.content:
        case bytes() as plain:
            return plain
        case HostFile(path):
            return path.read_bytes()
        case Hive() as hive:
            return _hive(hive, cache)
        case PortableExecutable() as binary:
            return _binary(binary, cache)
        case Catalog() as listed:
            return cached(cache, "catalog", listed, partial(_make_catalog, listed, cache)).read_bytes()
        case Cabinet() as packed:
            return cached(cache, "cabinet", packed, partial(_make_cabinet, packed, cache)).read_bytes()


@lru_cache(1024)
def _binary(binary: PortableExecutable, cache: Path) -> bytes:
    """A few binaries stand under many names, in every machine."""
    if binary.altered:
        return altered(_binary(replace(binary, altered=False), cache))
    if not binary.signatures:
        return cached(cache, "binary", binary, partial(make_executable, binary)).read_bytes()
    return cached(cache, "signed", binary, partial(_sign, binary, cache)).read_bytes()


def _sign(binary: PortableExecutable, cache: Path, path: Path) -> None:
    path.write_bytes(signed(_binary(replace(binary, signatures=()), cache), binary.signatures, cache))


def _make_catalog(listed: Catalog, cache: Path, path: Path) -> None:
    digests = [authenticode_hash(_binary(each, cache), listed.digest) for each in listed.members]
    path.write_bytes(signed(unsigned_catalog(digests, systems=listed.systems), (listed.signature,), cache))


@lru_cache(32)
def _hive(hive: Hive, cache: Path) -> bytes:
    return cached(cache, "hive", hive, partial(make_hive, hive)).read_bytes()


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a file with its holes."""
    run("cp", "--sparse=always", "--reflink=auto", source, target)


def _make_cabinet(packed: Cabinet, cache: Path, path: Path) -> None:
    contents = {name: content(File(name, member), cache) for name, member in packed.members}
    path.write_bytes(lzx_cabinet(*next(iter(contents.items()))) if packed.lzx else cabinet(contents))


def _make_disk(disk: Disk, cache: Path, path: Path) -> None:
    with path.open("wb") as image:
        image.truncate(disk.sectors * SECTOR)
    if disk.guid is not None:
        _write_gpt(disk, disk.guid, path)
    else:
        run("sfdisk", "--quiet", "--no-tell-kernel", path, stdin=_table(disk).encode())
        with path.open("r+b") as image:
            image.write(BOOT_CODE)
    for partition in disk.partitions:
        if partition.volume is not None:
            made_from = (partition.start, partition.sectors, partition.volume)  # the entry of the table is not in it
            volume = cached(cache, "volume", made_from, partial(_make_volume, partition, cache))
            _place(volume, path, partition.start * SECTOR)


def _make_volume(partition: Partition, cache: Path, path: Path) -> None:
    assert partition.volume is not None
    make_volume(partition, partition.volume, path, partial(content, cache=cache))


def _write_gpt(disk: Disk, guid: str, path: Path) -> None:
    command = ["sgdisk", "--clear", f"--disk-guid={guid}", "--set-alignment=1"]
    for index, entry in enumerate(disk.partitions, start=1):
        assert entry.guids is not None
        number = entry.slot or index
        command.append(f"--new={number}:{entry.start}:{entry.start + entry.sectors - 1}")
        command += [f"--typecode={number}:{entry.guids.type}", f"--partition-guid={number}:{entry.guids.own}"]
    run(*command, path)


def _table(disk: Disk) -> str:
    """A script for sfdisk; logical partitions get an extended one that begins a track before the first of them."""
    lines = ["label: dos", f"label-id: 0x{disk.signature:08x}", "unit: sectors", ""]
    primaries = [entry for entry in disk.partitions if not entry.logical]
    logicals = [entry for entry in disk.partitions if entry.logical]
    slots = [entry.slot or number for number, entry in enumerate(primaries, start=1)]
    lines += [_line(slot, entry) for slot, entry in zip(slots, primaries, strict=True)]
    if logicals:
        first = min(entry.start for entry in logicals) - 63
        last = max(entry.start + entry.sectors for entry in logicals)
        free = next(slot for slot in range(1, 5) if slot not in slots)
        lines.append(f"{free} : start={first}, size={last - first}, type={disk.container:x}")
        lines += [_line(number, entry) for number, entry in enumerate(logicals, start=5)]
    return "\n".join(lines) + "\n"


def _line(number: int, entry: Partition) -> str:
    active = ", bootable" if entry.active else ""
    return f"{number} : start={entry.start}, size={entry.sectors}, type={entry.type:x}{active}"


def _place(volume: Path, disk: Path, offset: int) -> None:
    """Copy the volume's data, not its holes, to its place on the disk."""
    with volume.open("rb") as source, disk.open("r+b") as target:
        for start, end in _data_runs(source.fileno()):
            source.seek(start)
            target.seek(offset + start)
            while (left := end - source.tell()) > 0:
                target.write(source.read(min(left, _CHUNK)))


def _data_runs(descriptor: int) -> Iterator[tuple[int, int]]:
    size = os.fstat(descriptor).st_size
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError:  # ENXIO: only a hole is left
            return
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end
