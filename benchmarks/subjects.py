"""What is measured: a question, asked of a machine or of a hive file."""

from enum import StrEnum

from msgspec import Struct


class Question(StrEnum):
    """What a command is asked; programs that answer the same one stand side by side."""

    VERSION = "version"
    INSPECT = "inspect"
    CHECK = "check"
    REPAIR = "repair"
    UNDO = "undo"
    SET_VALUE = "set a value"
    EXPORT = "export"
    VERIFY = "verify"


class Subject(Struct, frozen=True):
    """What the question is asked of, by what makes it cost more or less.

    A ``disk_gb`` of 0 is a hive file by itself, or nothing at all. ``hive_mb`` is the size of SYSTEM where it is not
    the small made one; ``packages`` is how many INFs the driver source has, in a ``container``; ``latency_ms`` is how
    long an NBD server waits before each reply.
    """

    disk_gb: int = 0
    full: bool = False
    form: str = "raw"
    hive_mb: int = 0
    hive_is_made: bool = False
    packages: int = 0
    container: str = ""
    latency_ms: int | None = None

    @property
    def name(self) -> str:
        """What tables call it."""
        words = []
        if self.disk_gb:
            size = f"{self.disk_gb} GB" if self.disk_gb < 1000 else f"{self.disk_gb // 1000} TB"
            words.append(f"{size}{' nearly full' if self.full else ''}, {self.form}")
        if self.hive_mb:
            kind = "made" if self.hive_is_made else "real"
            words.append(f"{kind} hive of {self.hive_mb} MB")
        if self.packages:
            words.append(f"{self.packages} INFs, {self.container}")
        if self.latency_ms is not None:
            words.append(f"NBD, {self.latency_ms} ms")
        return ", ".join(words) or "nothing"

    @property
    def is_plain(self) -> bool:
        """Whether it is a disk with nothing about it but its size and format."""
        return bool(self.disk_gb) and not (self.hive_mb or self.packages or self.latency_ms is not None)


NOTHING = Subject()
SMALLEST = Subject(disk_gb=2)
