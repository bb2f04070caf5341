"""A VMDK's descriptor: the text that says which files the disk consists of, and which disk it is a change on.

Sources: VMware, "Virtual Disk Format 5.0"; for what qemu makes of the same text, qemu's block/vmdk.c, because where
the two readings could differ the descriptor is refused.
"""

import os
import re
from enum import StrEnum

from msgspec import Struct

from bootgraft.errors import DamagedImageError
from bootgraft.storage.devices.blockdevice import SECTOR

MAX_DESCRIPTOR = 2**20 - 1
"""Bytes of a descriptor that are read, as many as qemu reads: 8192 extents, each with a name of a hundred letters."""
NO_PARENT = 0xFFFFFFFF
_MAX_EXTENTS = 8192
_MAX_SECTORS = 2**53 // SECTOR  # far above what VMware allows (62 TB), and safe to add up
_BLANK = " \t\r\f\v"
_EXTENT = re.compile(r'(RW|RDONLY|NOACCESS)[ \t]+(\d{1,18})[ \t]+([A-Z]+)(?:[ \t]+"([^"]*)"(?:[ \t]+(\d{1,18}))?)?.*')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MAX_NAME = 500  # qemu cuts a name off after 511 bytes and opens what is left
_UNIQUE = ("cid", "parentcid", "createtype", "parentfilenamehint")


class Access(StrEnum):
    """What the virtual machine may do with an extent."""

    WRITE = "RW"
    READ = "RDONLY"
    NONE = "NOACCESS"


class ExtentType(StrEnum):
    """How an extent's file keeps its sectors."""

    FLAT = "FLAT"
    VMFS = "VMFS"  # flat, by ESXi
    ZERO = "ZERO"  # no file: zeros
    SPARSE = "SPARSE"
    VMFS_SPARSE = "VMFSSPARSE"
    SE_SPARSE = "SESPARSE"

    @property
    def is_flat(self) -> bool:
        """Whether bootgraft reads it without qemu."""
        return self in (ExtentType.FLAT, ExtentType.VMFS, ExtentType.ZERO)


class VmdkExtent(Struct, frozen=True):
    """One extent line: ``sectors`` of the disk, from sector ``offset`` of the file ``name`` (None for ZERO)."""

    access: Access
    sectors: int
    type: ExtentType
    name: str | None
    offset: int


class Descriptor(Struct, frozen=True):
    """A descriptor's content; ``parent_cid`` is NO_PARENT and ``parent_hint`` None for a disk without parent."""

    create_type: str
    cid: int
    parent_cid: int
    parent_hint: str | None
    change_tracking: str | None
    extents: tuple[VmdkExtent, ...]
    blank_before_extent: bool

    @property
    def sectors(self) -> int:
        """Sectors of all extents."""
        return sum(extent.sectors for extent in self.extents)


def parse_descriptor(data: bytes, *, name: str) -> Descriptor:
    """Read a descriptor's text; everything from the first zero byte on is padding.

    Raises:
        ImageError: it is longer than 1 MiB, lacks what every descriptor has, or can be read in two ways.
    """
    if len(data) > MAX_DESCRIPTOR:
        raise _bad(name, f"its descriptor is longer than {MAX_DESCRIPTOR} bytes")
    text = os.fsdecode(data.split(b"\0", 1)[0])
    settings: dict[str, str] = {}
    extents: list[VmdkExtent] = []
    blank_before_extent = False
    previous = "#"
    for number, raw_line in enumerate(text.split("\n"), start=1):
        line = raw_line.strip(_BLANK)
        if line.split(None, 1)[:1] in (["RW"], ["RDONLY"], ["NOACCESS"]):
            extents.append(_parse_extent(line, f"{name}, descriptor line {number}"))
            blank_before_extent |= not previous
        elif line and not line.startswith("#"):
            _parse_setting(line, settings, f"{name}, descriptor line {number}")
        previous = line
    if len(extents) > _MAX_EXTENTS:
        raise _bad(name, f"its descriptor has {len(extents)} extents")
    return _build(text, settings, tuple(extents), blank_before_extent=blank_before_extent, name=name)


def _build(
    text: str, settings: dict[str, str], extents: tuple[VmdkExtent, ...], *, blank_before_extent: bool, name: str
) -> Descriptor:
    create_type = settings.get("createtype")
    if not create_type:
        raise _bad(name, "its descriptor has no createType")
    if not extents:
        raise _bad(name, "its descriptor has no extents")
    parent_cid = _content_id(settings, "parentcid", name)
    hint = settings.get("parentfilenamehint") or None
    if (hint is None) != (parent_cid == NO_PARENT):
        raise _bad(name, "its descriptor names a parent disk and denies it, or the other way round")
    # qemu looks for these words anywhere in the text, so they must be where they belong and nowhere else.
    if text.count("parentFileNameHint") != ("parentfilenamehint" in settings) or text.count("parentCID") != 1:
        raise _bad(name, "its descriptor names its parent disk more than once, or in a comment")
    if text.count("createType") != 1 or not 0 <= text.find("\nCID") + 1 == text.find("CID"):
        raise _bad(name, "its descriptor's CID or createType is there more than once, or in a comment")
    return Descriptor(
        create_type=create_type,
        cid=_content_id(settings, "cid", name),
        parent_cid=parent_cid,
        parent_hint=hint,
        change_tracking=settings.get("changetrackpath"),
        extents=extents,
        blank_before_extent=blank_before_extent,
    )


def _parse_setting(line: str, settings: dict[str, str], where: str) -> None:
    key, equals, value = line.partition("=")
    key = key.strip(_BLANK)
    if not equals or not key:
        raise _bad(where, f"{line[:80]!r} is neither a comment, a setting nor an extent")
    if key.lower() in _UNIQUE and key.lower() in settings:
        raise _bad(where, f"{key} is there twice")
    value = value.strip(_BLANK)
    if value.startswith('"'):
        value = value[1:].partition('"')[0]
    settings[key.lower()] = value


def _parse_extent(line: str, where: str) -> VmdkExtent:
    found = _EXTENT.fullmatch(line)
    if found is None:
        raise _bad(where, f"{line[:80]!r} is not an extent")
    access, sectors, kind, name, offset = found.groups()
    if kind not in ExtentType.__members__.values():
        raise _bad(where, f"extents of type {kind} are not supported")
    extent = VmdkExtent(Access(access), int(sectors), ExtentType(kind), name, int(offset or 0))
    if extent.type is ExtentType.ZERO:
        extent = VmdkExtent(extent.access, extent.sectors, extent.type, None, 0)
    elif not name or len(os.fsencode(name)) > _MAX_NAME or _CONTROL.search(name):
        raise _bad(where, "the extent does not name a file")
    if not 0 < extent.sectors <= _MAX_SECTORS or extent.offset > _MAX_SECTORS:
        raise _bad(where, f"an extent of {sectors} sectors at sector {extent.offset} cannot be")
    return extent


def _content_id(settings: dict[str, str], key: str, name: str) -> int:
    value = settings.get(key, "")
    if not re.fullmatch(r"[0-9A-Fa-f]{1,8}", value):
        raise _bad(name, f"its descriptor's {'CID' if key == 'cid' else 'parentCID'} is not a hexadecimal number")
    return int(value, 16)


def _bad(where: str, what: str) -> DamagedImageError:
    return DamagedImageError(what, where=where, advice="Restore the descriptor, or copy the disk's files again")
