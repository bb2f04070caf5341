"""What a converter says in one line of its log, whichever converter it is."""

from dataclasses import dataclass
from enum import StrEnum


class Tool(StrEnum):
    """Whose log it is."""

    CONVERTER = "vmware-converter"
    V2V = "virt-v2v"
    V2V_IN_PLACE = "virt-v2v-in-place"


class Level(StrEnum):
    """How the converter itself ranks a line."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Record:
    """One message: ``time`` as the log has it, ``part`` the task or service that wrote it; empty where it says none."""

    number: int
    tool: Tool
    level: Level
    text: str
    time: str = ""
    part: str = ""
