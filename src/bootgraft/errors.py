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


class BootgraftError(Exception):
    """Something that stops the work on one machine.

    ``what`` is the fault in one sentence, ``where`` the image, volume, file or key it was found in,
    ``advice`` what the user should do next. A command in it stands on a line of its own, indented by four spaces.
    Where one word of the command line, ``said``, is to be another, ``choices`` are the words that may take its place.
    """

    exit_status = 3

    def __init__(
        self, what: str, *, where: str, advice: str, said: str = "", choices: Sequence[Sequence[str]] = ()
    ) -> None:
        super().__init__(what)
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


class ImageError(BootgraftError):
    """An image cannot be opened, read or written."""


class DamagedImageError(ImageError):
    """The image is cut short, or contradicts its format."""


class ImageInUseError(ImageError):
    """Another program holds the image."""


class ReadOnlyError(ImageError):
    """The image's format or state does not allow writing in place."""


class PartitionTableError(BootgraftError):
    """A partition table that no firmware would follow."""


class FileSystemError(BootgraftError):
    """A file system cannot be read or written."""


class FileMissingError(FileSystemError):
    """No such file or directory on the volume."""


class UnsafeVolumeError(FileSystemError):
    """The volume is unclean or hibernated: reading is possible, writing would destroy it."""


class HiveError(BootgraftError):
    """A registry hive is not what the regf format says."""


class DirtyHiveError(HiveError):
    """The hive has transactions pending in its logs."""


class BootConfigError(BootgraftError):
    """The boot menu's file cannot be understood."""


class DriverSourceError(BootgraftError):
    """A driver source does not hold what is needed."""


class VmDescriptionError(BootgraftError):
    """A virtual machine's description (``.vmx``, ``.ovf``, domain XML, …) cannot be read or understood."""


class RegFileError(BootgraftError):
    """A .reg file cannot be read, or names a key it may not touch."""


class JournalError(BootgraftError):
    """The undo journal is missing, damaged, or does not match the image."""


class ForeignFileError(JournalError):
    """A journal, a pointer to one or a backup was made by a user whose word does not count for these disks."""


class MissingDependencyError(BootgraftError):
    """A system library or program that this work needs is not installed."""


class LogError(BootgraftError):
    """A converter's log cannot be read, or is none that is known."""


class ArchiveError(LogError):
    """One archive of logs is damaged or unsafe to read; those beside it may tell all the same."""
