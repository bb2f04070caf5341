"""A device made longer: behind its end there are zeros, for an overlay on top of it to be written."""

from msgspec import Struct

from bootgraft.errors import ReadOnlyError
from bootgraft.storage.devices.blockdevice import BlockDevice, check_range


class Padded(Struct, frozen=True):
    """The bytes of ``device``, then zeros up to ``length`` bytes; it cannot be written. Closing leaves it open."""

    device: BlockDevice
    length: int
    name: str

    @property
    def size(self) -> int:
        """Bytes, zeros included."""
        return self.length

    def read(self, offset: int, length: int, /) -> bytes:
        """Return exactly ``length`` bytes from ``offset``."""
        check_range(self, offset, length, where=self.name)
        real = max(0, min(length, self.device.size - offset))
        return (self.device.read(offset, real) if real else b"").ljust(length, b"\0")

    def write(self, _offset: int, _data: bytes, /) -> None:
        """Refuse: all writing goes to an overlay on top."""
        raise ReadOnlyError("this device cannot be written", where=self.name, advice="This is a bug")

    def flush(self) -> None:
        """Do nothing: nothing is written here."""

    def close(self) -> None:
        """Do nothing: the device belongs to whoever opened it."""
