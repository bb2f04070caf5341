r"""The service by which virt-v2v and virt-customize run scripts in a guest when it first starts, and how far it came.

``Services\firstboot`` starts ``\Program Files\Guestfs\Firstboot\firstboot.bat`` through rhsrvany or pvvxsvc. That runs
each batch file of ``scripts`` in turn, appends what it says to ``log.txt``, moves it to ``scripts-done`` and starts the
machine again; one that ends with 249 stays, to be run again at the next start, however often. After the last one it
removes the service (libguestfs-common, ``mlcustomize/firstboot.ml``; virt-v2v(1), "Converting a Windows guest").
"""

import re
from collections import deque
from collections.abc import Iterable

from msgspec import Struct

from bootgraft.errors import FileSystemError
from bootgraft.registry.hive import Hive
from bootgraft.text import printable
from bootgraft.windows.installation import Installation, control_set_name
from bootgraft.windows.services import read_service

SERVICE = "firstboot"
FOLDER = r"\Program Files\Guestfs\Firstboot"
LOG = rf"{FOLDER}\log.txt"
_OWN = r"\guestfs\firstboot"
_DISABLED = 4
_MAX_LOG = 256 << 10
"""Bytes of the log's end that are read: dozens of runs, of some kilobytes each."""
_MAX_LINES = 12
_MAX_LINE = 200
_MAX_SCRIPTS = 64
_RUNNING = re.compile(r'running ".*\\([^\\"]+)"')
_ENDED = re.compile(r"\.\.\.\. exit code (-?\d{1,10})")


class ScriptRun(Struct, frozen=True):
    """The last run of a script that came to an end: its file, its exit code, the last lines that it printed.

    ``times`` is how often in a row it ended like that, as far as the end of the log tells.
    """

    script: str
    exit_code: int
    lines: tuple[str, ...]
    times: int


class FirstBoot(Struct, frozen=True):
    """The service where it is still to run. ``waiting`` are the scripts that are left, in their order."""

    key_path: str
    image_path: str
    waiting: tuple[str, ...]
    last: ScriptRun | None

    @property
    def repeats(self) -> bool:
        """Whether a script that fails is run at every start: it failed more than once, and is the next one again."""
        return self.last is not None and self.last.times > 1 and self.fails

    @property
    def fails(self) -> bool:
        """Whether the script that ran last failed, and stayed to be run again."""
        last = self.last
        return last is not None and last.exit_code != 0 and last.script.casefold() in map(str.casefold, self.waiting)


def read_first_boot(installation: Installation, hive: Hive) -> FirstBoot | None:
    """The service in the default control set; None where there is none of that kind, or it is disabled.

    Raises HiveError for damage.
    """
    number = installation.select.default
    service = read_service(hive, number, SERVICE)
    if service is None or service.effective_start == _DISABLED:
        return None
    parameters = hive.key(f"{control_set_name(number)}\\Services\\{SERVICE}\\Parameters")
    command = None if parameters is None else parameters.value("CommandLine")
    named = ((service.image_path or ""), ("" if command is None else command.text() or ""))
    if not any(_OWN in each.casefold() for each in named):
        return None
    return FirstBoot(service.key_path, service.image_path or "", _waiting(installation), read_last_run(installation))


def _waiting(installation: Installation) -> tuple[str, ...]:
    try:
        entries = installation.volume.filesystem().listdir(rf"{FOLDER}\scripts")
    except FileSystemError:  # missing, or nothing that cmd.exe would find scripts in
        return ()
    names = sorted(each.name for each in entries if not each.is_directory and each.name.casefold().endswith(".bat"))
    return tuple(map(printable, names[:_MAX_SCRIPTS]))


def read_last_run(installation: Installation) -> ScriptRun | None:
    """The run that the end of the log tells of; None where there is no log, or it cannot be read."""
    filesystem = installation.volume.filesystem()
    try:
        size = filesystem.stat(LOG).size
        data = filesystem.read(LOG, max(size - _MAX_LOG, 0), _MAX_LOG)
    except FileSystemError:  # the service counts all the same
        return None
    return last_run(data.decode("latin-1").splitlines())  # in the guest's code page, of which only ASCII is looked for


def last_run(lines: Iterable[str]) -> ScriptRun | None:
    """The run that the log's end tells of; None where none came to an end in it."""
    script, said = None, deque[str](maxlen=_MAX_LINES)
    found: ScriptRun | None = None
    for line in lines:
        running, ended = _RUNNING.match(line), _ENDED.match(line)
        if running is not None:
            script = printable(running[1])
            said.clear()
        elif ended is not None and script is not None:
            code = int(ended[1])
            again = found is not None and (found.script.casefold(), found.exit_code) == (script.casefold(), code)
            times = 1 + (found.times if again and found is not None else 0)
            found = ScriptRun(script, code, tuple(said), times)
            script = None
        elif line.strip():
            said.append(printable(line.strip()[:_MAX_LINE]))
    return found
