r"""The output of virt-v2v and virt-v2v-in-place: plain text, ``--machine-readable`` JSON lines, or both at once.

Plain text has steps, ``[   2.6] Inspecting the source``, and ``virt-v2v: error: …``, wrapped at the terminal's width
over several lines; JSON lines are ``{ "message": …, "timestamp": …, "type": "message"|"info"|"warning"|"error" }``
(https://github.com/adminsyspro/proxcenter-ui/issues/400). Programs that run virt-v2v put something of their own before
each line (https://github.com/apache/cloudstack/issues/11561).
"""

import json
import re
from dataclasses import replace

from bootgraft.explain.reading import Line
from bootgraft.explain.record import Level, Record, Tool

_MAX_WRAPPED = 12
_PROGRAM = re.compile(
    r"(?:^|[\s)])(?P<tool>virt-v2v(?:-in-place|-inspector)?): (?:(?P<level>error|warning|info): )?(?P<text>.*)"
)
_STEP = re.compile(r"^\[ *(?P<time>\d{1,7}\.\d)\] (?P<text>\S.*)")
_PROGRESS = re.compile(r"(?P<text>\(\d{1,3}\.\d\d/100%\)|^\d{1,3}/100)$")
_PROMPT = re.compile(r"^(?P<text>Dual- or multi-boot operating system detected\..*)")
_END_OF_ERROR = re.compile(r"If reporting bugs|rm -rf |\{|libguestfs: |nbdkit: |\[ *\d+\.\d\] |virt-v2v[\w-]*: |\(\d")
_CLOUDSTACK = re.compile(r"^\d{4}-\d\d-\d\d .{1,400}? progress\) ")
_LEVELS = {"error": Level.ERROR, "warning": Level.WARNING}


class Messages:
    """Takes lines, gives records; an error or a warning comes once the line after it shows that it is whole."""

    def __init__(self) -> None:
        self._tool = Tool.V2V
        self._waiting: Record | None = None
        self._wrapped = 0

    def feed(self, line: Line) -> tuple[Record, ...]:
        """The records that this line completes."""
        line = replace(line, text=_CLOUDSTACK.sub("", line.text, count=1))
        if self._waiting is not None and self._wrapped < _MAX_WRAPPED and not _END_OF_ERROR.match(line.text):
            self._waiting = replace(self._waiting, text=f"{self._waiting.text} {line.text}")
            self._wrapped += 1
            return ()
        whole = self.end()
        record = parse(line, self._tool)
        if record is None:
            return whole
        self._tool = record.tool
        if record.level is Level.INFO or line.text.startswith("{"):
            return (*whole, record)
        self._waiting, self._wrapped = record, 0
        return whole

    def end(self) -> tuple[Record, ...]:
        """What was still waiting for its next line."""
        whole = () if self._waiting is None else (self._waiting,)
        self._waiting = None
        return whole


def parse(line: Line, tool: Tool = Tool.V2V) -> Record | None:
    """The record of one line by itself, None where it is none of virt-v2v's.

    ``tool`` is the program that a line belongs to that does not name it.
    """
    text = line.text
    if text.startswith("{"):
        return _json_record(line, tool)
    match = _PROGRAM.search(text) if "virt-v2v" in text else None
    if match:
        found = Tool.V2V_IN_PLACE if match["tool"] == Tool.V2V_IN_PLACE else Tool.V2V
        return Record(line.number, found, _LEVELS.get(match["level"] or "", Level.INFO), match["text"])
    match = _STEP.match(text)
    if match:
        return Record(line.number, tool, Level.INFO, match["text"], match["time"])
    match = _PROMPT.match(text) or (_PROGRESS.search(text) if "/100" in text else None)
    return Record(line.number, tool, Level.INFO, match["text"]) if match else None


def _json_record(line: Line, tool: Tool) -> Record | None:
    try:
        document = json.loads(line.text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    text, kind, time = document.get("message"), document.get("type"), document.get("timestamp", "")
    if not isinstance(text, str) or not isinstance(kind, str) or kind not in ("message", "info", "warning", "error"):
        return None
    time = time[:40] if isinstance(time, str) else ""
    return Record(line.number, tool, _LEVELS.get(kind, Level.INFO), " ".join(text.split()), time)
