"""ARC paths: how ntldr and boot.ini name a partition.

Syntax: Microsoft Knowledge Base Q102873 and the NT 4 Resource Kit, "ARC pathnames". What ``partition(n)`` means is
:func:`number_partitions`, a property of the partition table.
"""

import re
from enum import StrEnum

from msgspec import Struct

from bootgraft.storage.disks.partitions import number_partitions

__all__ = ["ArcKind", "ArcPath", "number_partitions", "parse_arc"]


class ArcKind(StrEnum):
    """How an ARC path names the disk."""

    MULTI = "multi"  # by the BIOS: rdisk is the disk's place in BIOS order
    SCSI = "scsi"  # by ntbootdd.sys: adapter, target id, logical unit
    SIGNATURE = "signature"  # by the disk signature in the MBR


class ArcPath(Struct, frozen=True):
    """The part of a boot.ini path in front of the directory.

    ``adapter`` is the first number, which for SIGNATURE is the disk signature.
    """

    kind: ArcKind
    adapter: int
    disk: int
    rdisk: int
    partition: int

    def __str__(self) -> str:
        first = f"{self.adapter:08x}" if self.kind is ArcKind.SIGNATURE else str(self.adapter)
        return f"{self.kind}({first})disk({self.disk})rdisk({self.rdisk})partition({self.partition})"


_ARC = re.compile(
    r"(?:(?P<kind>multi|scsi)\((?P<adapter>\d{1,5})\)|signature\((?P<signature>[0-9a-f]{1,8})\))"
    r"disk\((?P<disk>\d{1,5})\)rdisk\((?P<rdisk>\d{1,5})\)partition\((?P<partition>\d{1,5})\)",
    re.IGNORECASE | re.ASCII,
)


def parse_arc(text: str) -> tuple[ArcPath, str] | None:
    r"""Split ``multi(0)disk(0)rdisk(0)partition(2)\WINDOWS`` into its ARC path and the rest, in any case.

    Returns None where the text does not begin with a complete ARC path.
    """
    match = _ARC.match(text)
    if match is None:
        return None
    signature = match["signature"]
    kind = ArcKind.SIGNATURE if signature else ArcKind(match["kind"].lower())
    adapter = int(signature, 16) if signature else int(match["adapter"])
    path = ArcPath(kind, adapter, int(match["disk"]), int(match["rdisk"]), int(match["partition"]))
    return path, text[match.end() :]
