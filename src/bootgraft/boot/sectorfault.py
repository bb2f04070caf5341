"""The shape of a fault in what a BIOS reads before it reads a file."""

from dataclasses import dataclass
from enum import StrEnum

from bootgraft.changes import WriteSectors


class SectorFaultKind(StrEnum):
    """What is wrong before any file is read."""

    NO_MBR_CODE = "mbr-code-missing"
    ACTIVE_PARTITION = "active-partition-wrong"
    NO_BOOT_CODE = "boot-sector-code-missing"
    WRONG_LOADER = "boot-sector-wrong-loader"
    HIDDEN_SECTORS = "boot-sector-hidden-sectors"
    GEOMETRY = "boot-sector-geometry"
    COPY = "boot-sector-copy-differs"


@dataclass(frozen=True, slots=True)
class SectorFault:
    """One fault: ``what`` in one line, the evidence, and the changes that mend it; none where it cannot be mended."""

    kind: SectorFaultKind
    what: str
    evidence: tuple[str, ...]
    changes: tuple[WriteSectors, ...]
