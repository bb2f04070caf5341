r"""The log that virt-v2v's scripts write when the converted Windows starts for the first time.

``C:\Program Files\Guestfs\Firstboot\log.txt`` in the guest; one script at a start, then Windows is restarted:

    starting firstboot service
    running "C:\Program Files\Guestfs\Firstboot\scripts\2000-0001-pnputil-install-drivers.bat"
    Installing: balloon.inf.
    .... exit code 249
    Script failed, will retry on next boot

Exit code 249 means "again at the next start", every other counts as done; older ones run all scripts at one start and
never again (https://github.com/libguestfs/libguestfs-common/blob/master/mlcustomize/firstboot.ml,
https://github.com/libguestfs/virt-v2v/issues/178).
"""

import re

from msgspec.structs import replace

from bootgraft.explain.conversion import Conversion
from bootgraft.explain.converters import firstboot_rules
from bootgraft.explain.grammar import Grammar
from bootgraft.explain.message import Level, LogMessage, Tool
from bootgraft.explain.rules import DiskState
from bootgraft.explain.wrapping.unwrapping import LogLine

FIRST_BOOT = Tool("virt-v2v-firstboot", target="kvm:virtio-blk", disk="DISK", goes_on=True)

_RUNNING = re.compile(r'running "(?P<path>[^"]{1,300}[\\/])?(?P<script>[^"\\/]{1,120})"')
_EXIT = re.compile(r"\.\.\.\. exit code (?P<code>-?\d{1,11})$")
_DONE = re.compile(r"Script (?:succeeded, moving to scripts-done|failed, will retry on next boot)")
_SERVICE = re.compile(r"(?:starting|uninstalling) firstboot service$")
_COMPLAINT = re.compile(r"(?:ERROR|Error|WARNING|Warning)\b")
"""What a script's programs complain of: whether that matters, its exit code tells."""
_RETRY = 249
_FINE = frozenset({0, _RETRY, 3010})
"""3010 is ERROR_SUCCESS_REBOOT_REQUIRED; what comes after 249 says that by itself."""


class FirstBootLines:
    """Takes lines, gives messages; what is between a script's name and its exit code is that script's output."""

    def __init__(self) -> None:
        self._script = ""

    def feed(self, line: LogLine) -> tuple[LogMessage, ...] | None:
        """The message of this line, None where it is none of a first start."""
        text = line.text
        running = _RUNNING.match(text)
        if running:
            self._script = running["script"]
            return (self._message(line, text),)
        code = _EXIT.match(text)
        if code:
            script, self._script = self._script, ""
            failed = int(code["code"]) not in _FINE
            said = f"exit code {code['code']}" + (f" of {script}" if script else "")
            return (self._message(line, said, Level.ERROR if failed else Level.INFO),)
        if self._script and _COMPLAINT.match(text):
            return (self._message(line, text, Level.WARNING),)
        if self._script or _DONE.match(text) or _SERVICE.match(text):
            return (self._message(line, text),)
        return None

    def _message(self, line: LogLine, text: str, level: Level = Level.INFO) -> LogMessage:
        return LogMessage(line.number, FIRST_BOOT, level, text, part=self._script, stamp=line.stamp)

    def end(self) -> tuple[LogMessage, ...]:
        """Nothing ever waits."""
        return ()


def learn(conversion: Conversion, message: LogMessage) -> Conversion:
    """The script that ran last is the step that it came to."""
    running = _RUNNING.match(message.text)
    conversion = replace(conversion, tool=FIRST_BOOT)
    return replace(conversion, step=running["script"]) if running else conversion


GRAMMAR = Grammar(
    tools=(FIRST_BOOT,),
    rules=firstboot_rules.RULES,
    words=("retry on next boot", "driver package failed", "failed to install"),
    reader=FirstBootLines,
    learn=learn,
    finishes=lambda message: message.text == "uninstalling firstboot service",
    recovers=lambda message: message.text.startswith("Script succeeded"),
    disk_after=lambda _conversion: DiskState.STARTED,
)
