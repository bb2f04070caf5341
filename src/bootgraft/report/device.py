"""How an image is named in reports."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """A disk image as the user gave it, the format it turned out to have, and the disk's size in bytes."""

    location: str
    format: str
    size: int
