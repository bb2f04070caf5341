"""Which conversion a log tells of: its source, its destination, its disks, and how far it came."""

import re

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.explain.message import LogMessage, Tool

_PERCENT = re.compile(
    r"percentage: ?(\d{1,3})\b|^(\d{1,3}) ?% FAILED|^%(\d{1,3}) FAILED|\((\d{1,3})\.\d\d/100%\)|^(\d{1,3})/100$"
)


class Conversion(Struct, frozen=True):
    """What is known of it; None and empty where the log does not say.

    ``step`` is virt-v2v's last step, ``firmware`` the one that the new machine must have ("uefi").
    """

    tool: Tool | None = None
    source: str | None = None
    destination: str | None = None
    name: str | None = None
    disks: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    percent: int | None = None
    step: str | None = None
    firmware: str | None = None

    @property
    def disk_files(self) -> tuple[str, ...]:
        """The disks as one would name them here: a path of this system as it is, of another one the file's name.

        A service logs all its jobs, so only those count that lie in the folder of the one named last.
        """
        ours = (each for each in self.disks if _folder(each) == _folder(self.disks[-1]))
        return tuple(dict.fromkeys(each if each.startswith("/") else _file_name(each) for each in ours))

    def with_percent(self, message: LogMessage) -> "Conversion":
        """The conversion with how far it is, where the message says that."""
        percent = _PERCENT.search(message.text)
        if percent:
            value = int(next(each for each in percent.groups() if each is not None))
            if value <= 100 and value != self.percent:
                return replace(self, percent=value)
        return self


def _folder(path: str) -> str:
    return re.sub(r"[^/\\]*$", "", path).partition("] ")[2] or re.sub(r"[^/\\]*$", "", path)


def _file_name(path: str) -> str:
    return re.split(r"[/\\]|\] ", path)[-1]
