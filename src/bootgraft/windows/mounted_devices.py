r"""Drive letters: which volume Windows gives which letter.

``SYSTEM\MountedDevices`` has a value ``\DosDevices\C:`` for each letter. Its data on an MBR disk is the disk signature
and the partition's byte offset (12 bytes), on a GPT disk ``DMIO:ID:`` and the partition's GUID (24 bytes); Microsoft,
"Supporting Mount Manager Requests in a Storage Class Driver", and observed hives.
"""

import re
import struct

from bootgraft.registry.hive import Hive

_LETTER = re.compile(r"\\DosDevices\\([A-Z]:)", re.IGNORECASE | re.ASCII)
_GPT_PREFIX = b"DMIO:ID:"


def mbr_identity(signature: int, offset: int) -> bytes:
    """The data that names the partition at byte ``offset`` of the MBR disk with this signature."""
    return struct.pack("<IQ", signature, offset)


def gpt_identity(guid: str) -> bytes:
    """The data that names the GPT partition with this GUID."""
    import uuid

    return _GPT_PREFIX + uuid.UUID(guid).bytes_le


def drive_letter(hive: Hive, signature: int, offset: int) -> str | None:
    """Return the letter (``C:``) of a partition of an MBR disk; None where Windows knows none for it.

    ``offset`` counts bytes from the start of the disk. NT 4 has no such key and always gives None.

    Raises:
        HiveError: the SYSTEM hive is damaged there.
    """
    return letter_of(hive, mbr_identity(signature, offset))


def letter_of(hive: Hive, identity: bytes) -> str | None:
    """Return the first letter, in alphabetical order, whose data is ``identity``."""
    key = hive.key("MountedDevices")
    if key is None:
        return None
    matches = (_LETTER.fullmatch(value.name) for value in key.values() if value.data == identity)
    return min((match[1].upper() for match in matches if match), default=None)
