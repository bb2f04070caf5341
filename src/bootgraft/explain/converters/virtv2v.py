r"""The output of virt-v2v and virt-v2v-in-place: plain text, ``--machine-readable`` JSON lines, or both at once.

Plain text has steps, ``[   2.6] Inspecting the source``, and ``virt-v2v: error: …``, wrapped at the terminal's width
over several lines; JSON lines are ``{ "message": …, "timestamp": …, "type": "message"|"info"|"warning"|"error" }``
(https://github.com/adminsyspro/proxcenter-ui/issues/400). ``virtv2v_helpers`` reads what the programs say that work
for it.
"""

import json
import re

from msgspec.structs import replace

from bootgraft.explain.conversion import Conversion
from bootgraft.explain.converters import (
    virtv2v_helpers,
    virtv2v_host_rules,
    virtv2v_rules,
    virtv2v_source_rules,
    virtv2v_volume_rules,
)
from bootgraft.explain.grammar import Grammar
from bootgraft.explain.message import Level, LogMessage, Tool
from bootgraft.explain.rules import DiskState
from bootgraft.explain.wrapping.unwrapping import MAX_TEXT, LogLine

V2V = Tool("virt-v2v", target="kvm:virtio-blk", disk="DISK", copies=True)
HELPERS = Tool("disk-tools", target="kvm:virtio-blk", disk="DISK", copies=True, title="The conversion")
"""What qemu, nbdkit and libguestfs say where no virt-v2v says anything: other converters use them, too."""
V2V_IN_PLACE = Tool("virt-v2v-in-place", target="kvm:virtio-blk", disk="DISK")

_MAX_WRAPPED = 12
_PROGRAM = re.compile(
    r"(?:^|[\s)\"'])(?P<tool>virt-v2v(?:-in-place|-inspector)?): (?:(?P<level>error|warning|info): )?(?P<text>.*)"
)
_STEP = re.compile(r"^\[ *(?P<time>\d{1,7}\.\d)\] (?P<text>\S.*)")
_PROGRESS = re.compile(r"(?P<text>\(\d{1,3}\.\d\d/100%\)|^\d{1,3}/100)$")
_PROMPT = re.compile(r"^(?P<text>Dual- or multi-boot operating system detected\..*)")
_END_OF_ERROR = re.compile(
    r"If reporting bugs|rm -rf |\{|\[ *\d+\.\d\] |virt-v2v[\w-]*: |\(\d|libguestfs: |guestfsd: |command(?:rvf)?: "
    r"|info: |mount: |supermin: |\S{1,80} FAILED!"
)
_TRACE = "libguestfs: trace: "
_TORN = re.compile(rf"(?P<head>\S.{{0,300}}?\S)(?P<trace>{_TRACE}.*)")
_MAX_TORN = 1000
_MAX_STEP = 300
_SOURCE = re.compile(r"(?:Setting up the source:?|Opening the source) (-i .{1,400})")
_SOURCE_DISK = re.compile(r"-i disk (.{1,300})")
_GOES_ON = ("Converting ", "Mapping filesystem data", "Copying disk")
"""Steps that virt-v2v only comes to where it has found the guest and could write to it."""
_LEVELS = {"error": Level.ERROR, "warning": Level.WARNING}


class VirtV2vLines:
    """Takes lines, gives messages; an error or a warning comes once the line after it shows that it is whole."""

    def __init__(self) -> None:
        self._tool = HELPERS
        self._waiting: LogMessage | None = None
        self._wrapped = 0
        self._torn = ""

    def feed(self, line: LogLine) -> tuple[LogMessage, ...] | None:
        """The messages that this line completes, None where there is none and it is no part of one."""
        line = self._joined(line)
        if self._waiting is not None and self._wrapped < _MAX_WRAPPED and not self._ended_by(line):
            self._waiting = replace(self._waiting, text=f"{self._waiting.text} {line.text}"[:MAX_TEXT])
            self._wrapped += 1
            return ()
        whole = self.end()
        message = parse(line, self._tool)
        if message is None:
            helper = virtv2v_helpers.parse(line, self._tool)
            return (*whole, helper) if helper else whole or None
        self._tool = message.tool
        message = replace(message, stamp=line.stamp)
        if message.level is Level.INFO or line.text.startswith("{"):
            return (*whole, message)
        self._waiting, self._wrapped = message, 0
        return whole

    def _joined(self, line: LogLine) -> LogLine:
        """The line without a trace that libguestfs wrote into its middle; what was before that goes on in the next one.

        The appliance's messages arrive as they come: ``No filesyslibguestfs: trace: …``, then ``tem is mounted``
        (https://github.com/vexxhost/migratekit/issues/54).
        """
        torn = _TORN.match(line.text) if _TRACE in line.text else None
        if torn:
            self._torn = (self._torn + torn["head"])[:_MAX_TORN]
            return replace(line, text=torn["trace"])
        if self._torn and not line.text.startswith("libguestfs: "):
            line, self._torn = replace(line, text=self._torn + line.text), ""
        return line

    def _ended_by(self, line: LogLine) -> bool:
        return _END_OF_ERROR.match(line.text) is not None or virtv2v_helpers.parse(line, self._tool) is not None

    def end(self) -> tuple[LogMessage, ...]:
        """What was still waiting for its next line."""
        whole = () if self._waiting is None else (self._waiting,)
        self._waiting = None
        return whole


def parse(line: LogLine, tool: Tool = HELPERS) -> LogMessage | None:
    """The message of one line by itself, None where it is none of virt-v2v's.

    ``tool`` is the program that a line belongs to that does not name it.
    """
    text = line.text
    tool = V2V if tool is HELPERS else tool
    if text.startswith("{"):
        return _json_message(line, tool)
    match = _PROGRAM.search(text) if "virt-v2v" in text else None
    if match and (match["level"] or not line.rank):
        found = V2V_IN_PLACE if match["tool"] == V2V_IN_PLACE.name else V2V
        return LogMessage(line.number, found, _LEVELS.get(match["level"] or "", Level.INFO), match["text"])
    match = _STEP.match(text)
    if match:
        return LogMessage(line.number, tool, Level.INFO, match["text"], match["time"])
    match = _PROMPT.match(text) or (_PROGRESS.search(text) if "/100" in text else None)
    return LogMessage(line.number, tool, Level.INFO, match["text"]) if match else None


def _json_message(line: LogLine, tool: Tool) -> LogMessage | None:
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
    return LogMessage(line.number, tool, _LEVELS.get(kind, Level.INFO), " ".join(text.split()), time)


def learn(conversion: Conversion, message: LogMessage) -> Conversion:
    """Add what a message says of the conversion; a new run forgets what was known of the one before."""
    start = _SOURCE.match(message.text)
    if start:
        disk = _SOURCE_DISK.match(start[1])
        conversion = Conversion(message.tool, source=start[1], disks=(disk[1].strip(),) if disk else ())
    if conversion.tool is not message.tool and (conversion.tool is None or message.tool is not HELPERS):
        conversion = replace(conversion, tool=message.tool)
    if message.text.startswith("This guest requires UEFI"):
        conversion = replace(conversion, firmware="uefi")
    if message.time and message.level is Level.INFO:
        conversion = replace(conversion, step=message.text[:_MAX_STEP])
    return conversion


def _disk_after(conversion: Conversion) -> DiskState:
    """What the order of virt-v2v's work proves."""
    step = conversion.step or ""
    if conversion.tool is V2V and step.startswith("Copying disk"):
        return DiskState.INCOMPLETE
    if step.startswith(("Setting up the source", "Opening the source", "Inspecting the source")):
        return DiskState.UNCHANGED
    return DiskState.UNKNOWN


_RULES = (
    *virtv2v_rules.RULES,
    *virtv2v_volume_rules.RULES,
    *virtv2v_source_rules.RULES,
    *virtv2v_host_rules.RULES,
)
"""The first that fits counts: what is told of a guest's volume before what is told of any file."""

GRAMMAR = Grammar(
    tools=(V2V, V2V_IN_PLACE, HELPERS),
    rules=_RULES,
    words=(
        "no root", "could not detect", "inspection field", "multi-boot", "root device", "unable", "mounted read-only",
        "not an installed",
        "not enough", "insufficient", "could not write", "no virtio", "not have virtio", "group policy objects",
        "anti-virus", "ntfs", "$mftmirr", "bitlocker", "/dev/mapper/crypt", "hibernated", "windows cache", "hivex",
        "space left",
        "permission denied", "no such file", "kvm", "guestfs", "supermin", "appliance", "vixdisklib", "rhsrvany",
        "input/output", "running or paused", "response code", "nbdkit", "vddk-libdir", "curl_easy", "signal: killed",
        "available inodes", "could not open", "unsupported filesystem",
    ),
    reader=VirtV2vLines,
    learn=learn,
    starts=lambda message: _SOURCE.match(message.text) is not None,
    finishes=lambda message: message.text.startswith("Finishing off"),
    recovers=lambda message: message.time != "" and message.text.startswith(_GOES_ON),
    disk_after=_disk_after,
)  # fmt: skip
