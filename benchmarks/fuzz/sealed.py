"""What lies under every case: bytes that nothing may write to."""

from msgspec import Struct

from bootgraft.storage.devices.blockdevice import check_range


class Sealed(Struct, frozen=True):
    """A block device over bytes that many cases share."""

    data: bytes

    @property
    def size(self) -> int:
        """Bytes of the device."""
        return len(self.data)

    def read(self, offset: int, length: int, /) -> bytes:
        """Return exactly ``length`` bytes from ``offset``."""
        check_range(self, offset, length, where="memory")
        return self.data[offset : offset + length]

    def write(self, offset: int, data: bytes, /) -> None:
        """Fail: a write that comes here is what is looked for."""
        raise AssertionError(f"a write of {len(data)} bytes at {offset}")

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
