"""Which conversion a log tells of: its source, its destination, its disks, and how far it came."""

import re
from dataclasses import dataclass, field, replace

from bootgraft.explain.record import Level, Record, Tool

_MAX_DISKS = 16
_MAX_NAME = 300
_PERCENT = re.compile(
    r"percentage: ?(\d{1,3})\b|^(\d{1,3}) ?% FAILED|^%(\d{1,3}) FAILED|\((\d{1,3})\.\d\d/100%\)|^(\d{1,3})/100$"
)
_HOST = re.compile(r"Reusing existing VIM connection to (\S{1,253})")
_DATASTORE_DISK = re.compile(r"filebacking (\[[^\]\[]{1,80}\] [^\"'<>|*?]{1,250}?\.vmdk)\b", re.I)
_QUOTED_DISK = re.compile(r"[\"']((?:\[[^\]\[]{1,80}\] |[A-Za-z]:\\|\\\\|/)[^\"'<>|*?]{1,250}?\.vmdk)[\"']", re.I)
_TASK = re.compile(r"\[(task-\d{1,9})\]")
_OBJECT = re.compile(r"\(converter\.([A-Za-z.]{1,80})\) \{")
_MEMBER = re.compile(r'(name|hostname) = "([^"]{1,200})"')
_V2V_SOURCE = re.compile(r"(?:Setting up the source:?|Opening the source) (-i .{1,400})")
_V2V_DISK = re.compile(r"-i disk (.{1,300})")


@dataclass(frozen=True, slots=True)
class Job:
    """What is known of the conversion; None and empty where the log does not say. ``step`` is virt-v2v's last step."""

    tool: Tool | None = None
    source: str | None = None
    destination: str | None = None
    name: str | None = None
    disks: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    percent: int | None = None
    step: str | None = None

    @property
    def disk_files(self) -> tuple[str, ...]:
        """The disks as one would name them here: a path of this system as it is, of another one the file's name.

        A service logs all its jobs, so only those count that lie in the folder of the one named last.
        """
        ours = (each for each in self.disks if _folder(each) == _folder(self.disks[-1]))
        return tuple(dict.fromkeys(each if each.startswith("/") else _file_name(each) for each in ours))


def _folder(path: str) -> str:
    return re.sub(r"[^/\\]*$", "", path).partition("] ")[2] or re.sub(r"[^/\\]*$", "", path)


def _file_name(path: str) -> str:
    return re.split(r"[/\\]|\] ", path)[-1]


def is_start(record: Record) -> bool:
    """Does a new run of virt-v2v begin with this message?"""
    return record.tool is not Tool.CONVERTER and _V2V_SOURCE.match(record.text) is not None


@dataclass(slots=True)
class JobReader:
    """Takes the records of all files in turn and keeps what they say of the job."""

    job: Job = field(default_factory=Job)
    _object: str = ""

    def take(self, record: Record) -> None:
        """Look at one record."""
        if record.tool is Tool.CONVERTER:
            self._take_converter(record)
        else:
            self._take_v2v(record)
        percent = _PERCENT.search(record.text)
        if percent:
            value = int(next(each for each in percent.groups() if each is not None))
            if value <= 100 and value != self.job.percent:
                self.job = replace(self.job, percent=value)

    def _take_v2v(self, record: Record) -> None:
        start = _V2V_SOURCE.match(record.text)
        if start:
            disk = _V2V_DISK.match(start[1])
            self.job = Job(record.tool, source=start[1], disks=(disk[1].strip(),) if disk else ())
        if self.job.tool is not record.tool:
            self.job = replace(self.job, tool=record.tool)
        if record.time and record.level is Level.INFO:
            self.job = replace(self.job, step=record.text[:_MAX_NAME])

    def _take_converter(self, record: Record) -> None:
        text = record.text
        job = self.job if self.job.tool is Tool.CONVERTER else replace(self.job, tool=Tool.CONVERTER)
        host = _HOST.search(text)
        if host:
            job = replace(job, destination=host[1])
        disk = (_DATASTORE_DISK.search(text) or _QUOTED_DISK.search(text)) if ".vmdk" in text.lower() else None
        if disk and disk[1] not in job.disks:
            job = replace(job, disks=(*job.disks, disk[1])[-_MAX_DISKS:])
        task = record.part if record.part.startswith("task-") else ""
        if not task and "[task-" in text:
            found = _TASK.search(text)
            task = found[1] if found else ""
        if task and task not in job.tasks:
            job = replace(job, tasks=(*job.tasks, task[:40])[-_MAX_DISKS:])
        self.job = self._with_object(job, record)

    def _with_object(self, job: Job, record: Record) -> Job:
        """Members of a logged object: the SDK's TargetVmSpec has the ``name``, a live ComputerSpec the ``hostname``."""
        if record.time:
            self._object = ""
        opened = _OBJECT.search(record.text)
        if opened:
            self._object = opened[1]
        member = _MEMBER.search(record.text) if self._object and not record.time else None
        if member and member[1] == "name" and self._object.startswith("TargetVmSpec"):
            return replace(job, name=member[2])
        if member and member[1] == "hostname" and self._object.startswith("ComputerSpec.Live"):
            return replace(job, source=member[2])
        return job
