"""How an image is named in reports."""

from msgspec import Struct


class DeviceSpec(Struct, frozen=True):
    """A disk image as the user gave it, the format it turned out to have, and the disk's size in bytes.

    ``sector_size`` is in bytes too, None where the format does not keep it.
    """

    location: str
    format: str
    size: int
    sector_size: int | None = None
