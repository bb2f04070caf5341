"""What a converter says in one line of its log, whichever converter it is."""

from enum import StrEnum

from msgspec import Struct


class Tool(Struct, frozen=True, eq=False):
    """Whose log it is; each program exists once.

    ``target`` is the controller that machines get from it as a rule, ``disk`` and ``description`` what to type for a
    disk and, where it writes such a file, for the machine's description when the log names none. ``title`` is what a
    sentence calls it where that is not its name. ``goes_on``: an error
    in its log ends nothing yet. ``copies``: the disk that it writes is another one than its source. ``near_the_end``
    says what an unknown failure of the last per cent was in documented cases.
    """

    name: str
    target: str
    disk: str
    description: str = ""
    goes_on: bool = False
    copies: bool = False
    near_the_end: tuple[str, ...] = ()
    title: str = ""

    def __str__(self) -> str:
        return self.title or self.name


class Level(StrEnum):
    """How the converter itself ranks a line."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogMessage(Struct, frozen=True):
    """One message; what it does not say is empty.

    ``time`` is as the converter has it, ``stamp`` the time that whoever wrote its output down put before it, ``part``
    the task or service that wrote it. ``is_detail``: it belongs to a message before it, such as a member of an object
    that was logged; ``within`` is the type of that object.
    """

    number: int
    tool: Tool
    level: Level
    text: str
    time: str = ""
    part: str = ""
    is_detail: bool = False
    within: str = ""
    stamp: str = ""
