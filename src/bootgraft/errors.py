"""The one family of exceptions; each message says what is wrong, where, and what to do.

::

    BootgraftError                      exit status 3
    ├── UsageError                      exit status 2: the command line is wrong
    ├── ImageError                      an image cannot be opened, read or written
    │   ├── DamagedImageError           it is cut short, or contradicts its format
    │   ├── ImageInUseError             somebody else has it open
    │   └── ReadOnlyError               its format or its state does not allow writing
    ├── PartitionTableError             a partition table that no firmware would follow
    ├── FileSystemError                 a file system cannot be read or written
    │   ├── FileMissingError            no such file or directory
    │   └── UnsafeVolumeError           unclean, hibernated: it may be read but must not be written
    ├── HiveError                       a registry hive that is not what the format says
    │   └── DirtyHiveError              transactions are pending in its logs
    ├── BootConfigError                 boot.ini (or its like) cannot be understood
    ├── DriverSourceError               a driver source does not hold what is needed
    ├── VmDescriptionError              a virtual machine's description cannot be understood
    ├── RegFileError                    a .reg file cannot be read or reaches where it may not
    ├── LogError                        a log of a converter cannot be read, or is none that is known
    │   └── ArchiveError                one archive of logs is damaged or unsafe to read
    ├── JournalError                    the undo journal is damaged, missing or does not match the image
    │   └── ForeignFileError            a journal, or what leads to one, of a user whose word does not count
    └── MissingDependencyError          a system library or program is not installed
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

ErrorId = Literal[
    "archive-unusable",
    "boot-config-invalid",
    "bug",
    "change-conflict",
    "dependency-missing",
    "disk-encrypted",
    "disk-order-unknown",
    "driver-not-found",
    "driver-source-unusable",
    "file-missing",
    "file-system-unusable",
    "finding-unknown",
    "foreign-file",
    "hive-damaged",
    "hive-logs-pending",
    "image-damaged",
    "image-encrypted",
    "image-has-snapshots",
    "image-in-use",
    "image-is-snapshot",
    "image-missing",
    "image-read-only",
    "image-unusable",
    "journal-damaged",
    "journal-exists",
    "journal-missing",
    "journal-no-space",
    "journal-path-needed",
    "journal-unusable",
    "log-unknown",
    "log-unusable",
    "machine-ran-since",
    "no-partition-table",
    "no-windows",
    "not-a-binary",
    "not-an-image",
    "output-exists",
    "output-failed",
    "partition-table-invalid",
    "path-not-allowed",
    "proof-failed",
    "reg-file-unusable",
    "repair-unfinished",
    "target-missing",
    "target-unknown",
    "time-up",
    "usage",
    "vm-description-unusable",
    "vm-disk-missing",
    "volume-hibernated",
    "volume-not-writable",
    "volume-unclean",
    "volume-unsupported",
    "windows-unknown",
    "worker-failed",
    "write-interrupted",
]
"""Which fault it is, for programs: part of the contract, never renamed (``docs/errors.md`` says what each means).

A class has that of most of its errors; where that is too coarse, the place that raises one gives its own.
"""


class BootgraftError(Exception):
    """Something that stops the work on one machine.

    ``what`` is the fault in one sentence, ``where`` the image, volume, file or key it was found in,
    ``advice`` what the user should do next. A command in it stands on a line of its own, indented by four spaces.
    Where one word of the command line, ``said``, is to be another, ``choices`` are the words that may take its place.
    ``id`` tells programs which fault it is.
    """

    exit_status = 3
    usual_id: ClassVar[ErrorId] = "bug"

    def __init__(
        self,
        what: str,
        *,
        where: str,
        advice: str,
        id: ErrorId | None = None,  # noqa: A002  what it is called in JSON
        said: str = "",
        choices: Sequence[Sequence[str]] = (),
    ) -> None:
        super().__init__(what)
        self.id: ErrorId = self.usual_id if id is None else id
        self.what = what
        self.where = where
        self.advice = advice
        self.said = said
        self.choices = choices

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.advice}"


class UsageError(BootgraftError):
    """The command line asks for something that does not exist or does not go together."""

    exit_status = 2
    usual_id: ClassVar[ErrorId] = "usage"


class ImageError(BootgraftError):
    """An image cannot be opened, read or written."""

    usual_id: ClassVar[ErrorId] = "image-unusable"


class DamagedImageError(ImageError):
    """The image is cut short, or contradicts its format."""

    usual_id: ClassVar[ErrorId] = "image-damaged"


class ImageInUseError(ImageError):
    """Another program holds the image."""

    usual_id: ClassVar[ErrorId] = "image-in-use"


class ReadOnlyError(ImageError):
    """The image's format or state does not allow writing in place."""

    usual_id: ClassVar[ErrorId] = "image-read-only"


class PartitionTableError(BootgraftError):
    """A partition table that no firmware would follow."""

    usual_id: ClassVar[ErrorId] = "partition-table-invalid"


class FileSystemError(BootgraftError):
    """A file system cannot be read or written."""

    usual_id: ClassVar[ErrorId] = "file-system-unusable"


class FileMissingError(FileSystemError):
    """No such file or directory on the volume."""

    usual_id: ClassVar[ErrorId] = "file-missing"


class UnsafeVolumeError(FileSystemError):
    """The volume is unclean or hibernated: reading is possible, writing would destroy it."""

    usual_id: ClassVar[ErrorId] = "volume-not-writable"


class HiveError(BootgraftError):
    """A registry hive is not what the regf format says."""

    usual_id: ClassVar[ErrorId] = "hive-damaged"


class DirtyHiveError(HiveError):
    """The hive has transactions pending in its logs."""

    usual_id: ClassVar[ErrorId] = "hive-logs-pending"


class BootConfigError(BootgraftError):
    """The boot menu's file cannot be understood."""

    usual_id: ClassVar[ErrorId] = "boot-config-invalid"


class DriverSourceError(BootgraftError):
    """A driver source does not hold what is needed."""

    usual_id: ClassVar[ErrorId] = "driver-source-unusable"


class VmDescriptionError(BootgraftError):
    """A virtual machine's description (``.vmx``, ``.ovf``, domain XML, …) cannot be read or understood."""

    usual_id: ClassVar[ErrorId] = "vm-description-unusable"


class RegFileError(BootgraftError):
    """A .reg file cannot be read, or names a key it may not touch."""

    usual_id: ClassVar[ErrorId] = "reg-file-unusable"


class JournalError(BootgraftError):
    """The undo journal is missing, damaged, or does not match the image."""

    usual_id: ClassVar[ErrorId] = "journal-unusable"


class ForeignFileError(JournalError):
    """A journal, a pointer to one or a backup was made by a user whose word does not count for these disks."""

    usual_id: ClassVar[ErrorId] = "foreign-file"


class MissingDependencyError(BootgraftError):
    """A system library or program that this work needs is not installed."""

    usual_id: ClassVar[ErrorId] = "dependency-missing"


class LogError(BootgraftError):
    """A converter's log cannot be read, or is none that is known."""

    usual_id: ClassVar[ErrorId] = "log-unusable"


class ArchiveError(LogError):
    """One archive of logs is damaged or unsafe to read; those beside it may tell all the same."""

    usual_id: ClassVar[ErrorId] = "archive-unusable"
