"""The master boot record and the chain of extended boot records, as Windows reads them.

Format: a 512-byte sector with four 16-byte entries at 0x1BE and ``55 AA`` at 0x1FE (UEFI specification 2.10, §5.2.1;
Microsoft TechNet, "Master Boot Record" and "Extended Boot Records"). All numbers in here are sectors of 512 bytes.
"""

import struct

from msgspec import Struct

from bootgraft.storage.devices.blockdevice import SECTOR, BlockDevice

CONTAINER_TYPES = frozenset({0x05, 0x0F})
"""Types of an extended partition. 0x85, Linux's own, is an ordinary partition to Windows."""

PROTECTIVE_TYPE = 0xEE
"""The type that stands for a GPT."""

MAX_RECORDS = 256
"""Extended boot records followed before the chain is given up: ten times what drive letters could ever name."""

_ENTRIES_AT = 0x1BE
_ENTRY = struct.Struct("<B3xB3xII")
_SIGNATURE_AT = 0x1B8


class MbrEntry(Struct, frozen=True):
    """One used entry. ``start`` is counted in sectors from the start of the disk, wherever the entry was found."""

    slot: int  # 1 to 4 in the record that holds it
    flag: int  # 0x80 active, 0x00 not; anything else is invalid
    type: int
    start: int
    sectors: int

    @property
    def is_container(self) -> bool:
        """Whether it is an extended partition, which holds logical ones and no file system."""
        return self.type in CONTAINER_TYPES


class BootRecord(Struct, frozen=True):
    """The partition half of one MBR or EBR."""

    signature: int  # the disk signature at 0x1B8; means nothing in an EBR
    entries: tuple[MbrEntry, ...]  # used entries (type other than 0), in slot order

    @property
    def containers(self) -> tuple[MbrEntry, ...]:
        """The extended partitions among the entries; more than one is an error."""
        return tuple(entry for entry in self.entries if entry.is_container)


def parse_record(sector: bytes, *, base: int = 0) -> BootRecord | None:
    """Read the entries of a 512-byte record whose ``start`` fields count from sector ``base``.

    Returns None where the record lacks its ``55 AA``.
    """
    if len(sector) < SECTOR or sector[0x1FE:0x200] != b"\x55\xaa":
        return None
    (signature,) = struct.unpack_from("<I", sector, _SIGNATURE_AT)
    entries = []
    for index in range(4):
        flag, kind, start, sectors = _ENTRY.unpack_from(sector, _ENTRIES_AT + 16 * index)
        if kind:
            entries.append(MbrEntry(index + 1, flag, kind, base + start, sectors))
    return BootRecord(signature, tuple(entries))


def read_logicals(device: BlockDevice, container: MbrEntry) -> tuple[tuple[MbrEntry, ...], tuple[str, ...]]:
    """Follow the chain of extended boot records that begins in ``container``.

    Returns the logical partitions in chain order, with starts counted from the start of the disk, and the problems
    that ended the chain early or that Windows would trip over. An ordinary entry counts from its own record, a link
    to the next record from the start of the extended partition.
    """
    logicals: list[MbrEntry] = []
    problems: list[str] = []
    current = container.start
    visited: set[int] = set()
    while True:
        visited.add(current)
        record, problem = _read_extended(device, current, is_first=current == container.start)
        if record is None:
            return tuple(logicals), (*problems, *problem)
        logicals.extend(entry for entry in record.entries if not entry.is_container)
        links = record.containers
        if not links:
            return tuple(logicals), tuple(problems)
        if len(links) > 1:
            problems.append(f"the extended boot record at sector {current} has {len(links)} links; one is allowed")
        following = links[0].start - current + container.start  # a link counts from the extended partition
        if following in visited:
            problems.append(f"the extended boot record at sector {current} links back to sector {following}: a loop")
            return tuple(logicals), tuple(problems)
        if len(visited) == MAX_RECORDS:
            problems.append(f"the chain of extended boot records is longer than {MAX_RECORDS}; the rest was not read")
            return tuple(logicals), tuple(problems)
        current = following


def _read_extended(device: BlockDevice, sector: int, *, is_first: bool) -> tuple[BootRecord | None, tuple[str, ...]]:
    """Read the extended boot record at ``sector``, or say why it cannot be."""
    if (sector + 1) * SECTOR > device.size:
        return None, (f"the extended boot record at sector {sector} lies beyond the end of the disk",)
    data = device.read(sector * SECTOR, SECTOR)
    record = parse_record(data, base=sector)
    if record is None and is_first and not any(data):
        return None, ()  # an extended partition in which nothing was ever created
    if record is None:
        return None, (f"the extended boot record at sector {sector} lacks its 55 AA signature",)
    return record, ()
