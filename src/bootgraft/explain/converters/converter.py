"""The line grammar of VMware Converter's logs (agent, worker, server, client), generation by generation.

- up to 4.0, as all of VMware's services then: ``[2009-03-02 14:12:09.515 'App' 3064 info] text``
- 4.3 and 5.0: ``[#8] [2011-10-05 09:01:18.894 02372 error 'task-6'] text``
  (https://community.broadcom.com/vmware-cloud-foundation/discussion/standalone-converter-failed-at-98)
- 5.1 and 5.5: ``2013-08-12T11:15:23.456+02:00 [03456 error 'Default'] text``
- 6.x: ``2016-06-16T09:05:46.747+09:00 error vmware-converter-server[04780] [Originator@6876 sub=Default] text``
  (https://qiita.com/items/a080345414f4bdf98392)

An object that is logged follows in lines that begin with ``-->``. The list of tasks in Converter's window, copied into
a file, says ``98% FAILED: text``.
"""

import re

from msgspec.structs import replace

from bootgraft.explain.conversion import Conversion
from bootgraft.explain.converters import converter_rules
from bootgraft.explain.grammar import Grammar
from bootgraft.explain.message import Level, LogMessage, Tool
from bootgraft.explain.wrapping.unwrapping import LogLine

CONVERTER = Tool(
    "vmware-converter",
    target="vmware:lsilogic",
    disk="DISK.vmdk",
    description="FILE.vmx",
    goes_on=True,
    near_the_end=(
        "What failed beyond 95 % in documented cases was the reconfiguration of Windows, after the copy:",
        "    https://community.broadcom.com/vmware-cloud-foundation/discussion/standalone-converter-failed-at-98",
    ),
)

_STAMP = r"(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d{1,6}(?:Z|[+-]\d\d:\d\d)?)"
_LEVEL = r"(?P<level>panic|critical|error|warning|info|verbose|trivia|debug)"
_PART = r"'(?P<part>[^']{0,120})'(?: [^\]]{0,200})?"
_LINES = tuple(
    re.compile(form)
    for form in (
        rf"(?:\[#\d{{1,6}}\] )?\[{_STAMP} \w{{1,16}} {_LEVEL} {_PART}\] ?(?P<text>.*)",
        rf"{_STAMP} \[\w{{1,16}} {_LEVEL} {_PART}\] ?(?P<text>.*)",
        rf"{_STAMP} {_LEVEL} (?P<part>[\w.-]{{1,60}})\[\w{{1,16}}\] (?:\[Originator@[^\]]{{0,200}}\] ?)?(?P<text>.*)",
        rf"\[{_STAMP} '(?P<part>[^']{{0,120}})' \w{{1,16}} {_LEVEL}\] ?(?P<text>.*)",
    )
)
_DUMP = re.compile(r"--> ?(?P<text>.*)")
_ENDED = re.compile(r"-- ERROR -- |^(?:\[[^\]]{1,80}\] ?){0,4}TaskImpl has failed with ")
"""A task failed, whatever the line's level: the server writes the first at that of an information. Of the second only
lines at the level of an error are published, but another level would not make a task of it that went well."""
_TASK_LIST = re.compile(r"(?:\d{1,3} ?%|%\d{1,3})?\s*FAILED: .*")
_LEVELS = {"panic": Level.ERROR, "critical": Level.ERROR, "error": Level.ERROR, "warning": Level.WARNING}

_MAX_DISKS = 16
_MAX_TASK = 40
_HOST = re.compile(r"Reusing existing VIM connection to (\S{1,253})")
_DATASTORE_DISK = re.compile(r"filebacking (\[[^\]\[]{1,80}\] [^\"'<>|*?]{1,250}?\.vmdk)\b", re.I)
_QUOTED_DISK = re.compile(r"[\"']((?:\[[^\]\[]{1,80}\] |[A-Za-z]:\\|\\\\|/)[^\"'<>|*?]{1,250}?\.vmdk)[\"']", re.I)
_TASK = re.compile(r"\[(task-\d{1,9})\]")
_OBJECT = re.compile(r"\(converter\.([A-Za-z.]{1,80})\) \{")
_MEMBER = re.compile(r'(name|hostname) = "([^"]{1,200})"')


def parse(line: LogLine) -> LogMessage | None:
    """The message of one line, None where it is none of Converter's. Lines of an object's dump have no time or part."""
    text = line.text
    if text.startswith("-->"):
        found = _DUMP.match(text)
        return LogMessage(line.number, CONVERTER, Level.INFO, found["text"].strip(), is_detail=True) if found else None
    if not text[:1].isdigit() and not text.startswith(("[", "%", "FAILED")):
        return None
    for form in _LINES:
        match = form.match(text)
        if match:
            level = Level.ERROR if _ENDED.search(match["text"]) else _LEVELS.get(match["level"], Level.INFO)
            return LogMessage(line.number, CONVERTER, level, match["text"], match["time"], match["part"])
    if _TASK_LIST.match(text):
        return LogMessage(line.number, CONVERTER, Level.ERROR, text, is_detail=True)
    return None


class ConverterLines:
    """Takes lines, gives messages, each of which is one line; of an object's members it says whose they are."""

    def __init__(self) -> None:
        self._object = ""

    def feed(self, line: LogLine) -> tuple[LogMessage, ...] | None:
        """The message of this line, None where it is none of Converter's."""
        message = parse(line)
        if message is None:
            return None
        if not message.is_detail:
            self._object = ""
        opened = _OBJECT.search(message.text)
        if opened:
            self._object = opened[1]
        return (replace(message, within=self._object) if message.is_detail and self._object else message,)

    def end(self) -> tuple[LogMessage, ...]:
        """Nothing ever waits."""
        return ()


def learn(conversion: Conversion, message: LogMessage) -> Conversion:
    """Add what a message says of the conversion."""
    text = message.text
    if conversion.tool is not CONVERTER:
        conversion = replace(conversion, tool=CONVERTER)
    host = _HOST.search(text)
    if host:
        conversion = replace(conversion, destination=host[1])
    disk = (_DATASTORE_DISK.search(text) or _QUOTED_DISK.search(text)) if ".vmdk" in text.lower() else None
    if disk and disk[1] not in conversion.disks:
        conversion = replace(conversion, disks=(*conversion.disks, disk[1])[-_MAX_DISKS:])
    task = message.part if message.part.startswith("task-") else ""
    if not task and "[task-" in text:
        found = _TASK.search(text)
        task = found[1] if found else ""
    if task and task not in conversion.tasks:
        conversion = replace(conversion, tasks=(*conversion.tasks, task[:_MAX_TASK])[-_MAX_DISKS:])
    return _with_member(conversion, message)


def _with_member(conversion: Conversion, message: LogMessage) -> Conversion:
    """Members of a logged object: the SDK's TargetVmSpec has the ``name``, a live ComputerSpec the ``hostname``."""
    member = _MEMBER.search(message.text) if message.within else None
    if member and member[1] == "name" and message.within.startswith("TargetVmSpec"):
        return replace(conversion, name=member[2])
    if member and member[1] == "hostname" and message.within.startswith("ComputerSpec.Live"):
        return replace(conversion, source=member[2])
    return conversion


GRAMMAR = Grammar(
    tools=(CONVERTER,),
    rules=converter_rules.RULES,
    words=("fail", "fault", "unable", "timed out", "signature(", "nbd_err", "i/o error"),
    reader=ConverterLines,
    learn=learn,
)
