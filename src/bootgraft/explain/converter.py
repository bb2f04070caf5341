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

from bootgraft.explain.reading import Line
from bootgraft.explain.record import Level, Record, Tool

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
_ENDED = "-- ERROR -- "
"""How the server writes down that a task failed, at the level of an information."""
_TASK_LIST = re.compile(r"(?:\d{1,3} ?%|%\d{1,3})?\s*FAILED: .*")
_LEVELS = {"panic": Level.ERROR, "critical": Level.ERROR, "error": Level.ERROR, "warning": Level.WARNING}


def parse(line: Line) -> Record | None:
    """The record of one line, None where it is none of Converter's. Lines of an object's dump have no time or part."""
    text = line.text
    if text.startswith("-->"):
        found = _DUMP.match(text)
        return Record(line.number, Tool.CONVERTER, Level.INFO, found["text"].strip()) if found else None
    if not text[:1].isdigit() and not text.startswith(("[", "%", "FAILED")):
        return None
    for form in _LINES:
        match = form.match(text)
        if match:
            level = Level.ERROR if _ENDED in match["text"] else _LEVELS.get(match["level"], Level.INFO)
            return Record(line.number, Tool.CONVERTER, level, match["text"], match["time"], match["part"])
    if _TASK_LIST.match(text):
        return Record(line.number, Tool.CONVERTER, Level.ERROR, text)
    return None
