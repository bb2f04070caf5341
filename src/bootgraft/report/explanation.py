"""What ``explain-log`` says: the answer first, then the evidence, then what to type next."""

import shlex
from collections.abc import Iterator, Sequence
from typing import TypedDict

from bootgraft.explain.explanation import Explanation
from bootgraft.explain.record import Tool
from bootgraft.explain.rules import DiskState, Next, Phase, Rule
from bootgraft.explain.story import Evidence, Outcome, Story

_SHOWN_UNKNOWN = 5
_LAST_PERCENTS = 95
_LAST_PERCENTS_SOURCE = (
    "https://community.broadcom.com/vmware-cloud-foundation/discussion/standalone-converter-failed-at-98"
)
_SHOWN_BESIDE = 3
_TARGET = {Tool.CONVERTER: "vmware:lsilogic", Tool.V2V: "kvm:virtio-blk", Tool.V2V_IN_PLACE: "kvm:virtio-blk"}
_PLACEHOLDER = {Tool.CONVERTER: "DISK.vmdk", Tool.V2V: "DISK", Tool.V2V_IN_PLACE: "DISK"}
_SEE = "To see whether the new machine would start:"


class JobDocument(TypedDict):
    """The conversion that the log tells of."""

    tool: str | None
    name: str | None
    source: str | None
    destination: str | None
    disks: list[str]
    tasks: list[str]
    percent: int | None
    step: str | None


class FailureDocument(TypedDict):
    """A message that is known."""

    id: str
    role: str
    headline: str
    count: int
    file: str
    line: int
    time: str
    text: str


class UnknownDocument(TypedDict):
    """An error that is not, with the lines around it."""

    count: int
    file: str
    line: int
    time: str
    text: str
    before: list[str]
    after: list[str]


class NextDocument(TypedDict):
    """What to do and to type next."""

    advice: str
    command: str


class ExplainDocument(TypedDict):
    """``explain-log --json``."""

    outcome: str
    summary: str
    meaning: str | None
    phase: str | None
    disk_state: str
    job: JobDocument
    cause: str | None
    failures: list[FailureDocument]
    unknown: list[UnknownDocument]
    earlier: int
    next: NextDocument
    files: int
    notes: list[str]


def explain_document(explanation: Explanation) -> ExplainDocument:
    """What ``--json`` prints."""
    story = explanation.story
    job = story.job
    advice, command = _next(story)
    return {
        "outcome": story.outcome.value,
        "summary": _summary(story),
        "meaning": f"{story.primary.rule.cause} {story.primary.rule.meaning}" if story.primary else None,
        "phase": story.phase.name.lower() if story.phase else None,
        "disk_state": story.disk.name.lower(),
        "job": {
            "tool": job.tool.value if job.tool else None,
            "name": job.name,
            "source": job.source,
            "destination": job.destination,
            "disks": list(job.disks),
            "tasks": list(job.tasks),
            "percent": job.percent,
            "step": job.step,
        },
        "cause": story.primary.rule.id if story.primary else None,
        "failures": [_failure(each.rule, each.count, each.last) for each in story.matches],
        "unknown": [
            {
                "count": each.count,
                "file": each.last.file,
                "line": each.last.number,
                "time": each.last.time,
                "text": each.last.text,
                "before": list(each.before),
                "after": list(each.after),
            }
            for each in story.unknown
        ],
        "earlier": story.earlier,
        "next": {"advice": advice, "command": command},
        "files": story.files,
        "notes": list(explanation.notes),
    }


def _failure(rule: Rule, count: int, last: Evidence) -> FailureDocument:
    return {
        "id": rule.id,
        "role": rule.role.name.lower(),
        "headline": rule.headline,
        "count": count,
        "file": last.file,
        "line": last.number,
        "time": last.time,
        "text": last.text,
    }


def explain_text(explanation: Explanation) -> str:
    """What is printed for people."""
    flat = (" ".join(line.split("\n")) for line in _lines(explanation))
    return "\n".join(flat) + "\n"


def _lines(explanation: Explanation) -> Iterator[str]:
    story = explanation.story
    yield _summary(story)
    yield ""
    if story.primary:
        yield story.primary.rule.cause
        yield story.primary.rule.meaning
        yield ""
    yield f"disk: {story.disk.value}"
    yield from _job(story)
    yield ""
    if story.matches:
        yield "What the log says, in its order:"
        for match in story.matches:
            yield f"    {_place(match.last, match.count)}: {match.last.text}  [{match.rule.id}]"
        yield ""
    yield from _unknown(story)
    if story.earlier:
        yield f"Not shown: {_several(story.earlier, 'failure')} of earlier jobs."
    for note in explanation.notes:
        yield f"note: {note}"
    if story.earlier or explanation.notes:
        yield ""
    advice, command = _next(story)
    yield advice
    yield f"    {command}"
    yield from _remarks(story, command)


def _summary(story: Story) -> str:
    if story.primary is not None:
        return f"{_beginning(story)}{story.primary.rule.headline}."
    if story.outcome is Outcome.UNKNOWN:
        text = story.unknown[-1].last.text
        if story.job.tool is Tool.CONVERTER:
            errors = _several(len(story.unknown), "error")
            return f"The log shows {errors} not known to bootgraft{_percent(story, ' (at {} %)')}; the last: {text}"
        return f"{story.job.tool} failed with an error that bootgraft does not know: {text}"
    if story.outcome is Outcome.SUCCEEDED:
        return f"The conversion finished: {story.job.tool} came to its end, and no failure is in the log."
    end = f" Its last message is of {story.last_time}." if story.last_time else ""
    return (
        f"No failure is in the log, and no end of the conversion either{_percent(story, ' (it was at {} %)')}: "
        f"it went on, or the log is cut off.{end}"
    )


def _beginning(story: Story) -> str:
    if story.outcome is Outcome.CAVEAT:
        return "The guest was converted, but with a lack: "
    match story.phase:
        case Phase.CONNECTING:
            return f"The conversion failed{_percent(story, ' (at {} %)')}: "
        case Phase.RECONFIGURING:
            return f"The conversion copied the disks{_percent(story, ' ({} %)')} and failed to make Windows bootable: "
        case Phase.COPYING:
            return f"The conversion failed while it copied the disks{_percent(story, ' ({} %)')}: "
        case Phase.PREPARING:
            return "The conversion failed before anything was copied: "
        case _:
            return f"{story.job.tool} stopped before it changed the guest: "


def _percent(story: Story, form: str) -> str:
    return "" if story.job.percent is None else form.format(story.job.percent)


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count > 1)}"


def _job(story: Story) -> Iterator[str]:
    job = story.job
    for name, value in (
        ("machine", job.name),
        ("source", job.source),
        ("destination", job.destination),
        ("disks", ", ".join(job.disks)),
        ("task", ", ".join(job.tasks)),
        ("last step", job.step),
    ):
        if value:
            yield f"{name}: {value}"


def _place(last: Evidence, count: int) -> str:
    time = f" {last.time}" if last.time else ""
    return f"{last.file}:{last.number}{time}" + (f" (and {count - 1} times before)" if count > 1 else "")


def _unknown(story: Story) -> Iterator[str]:
    """Errors as they were found: all there is to say where no cause is known, else a few beside it."""
    if not story.unknown:
        return
    if story.primary is None and story.job.tool is Tool.CONVERTER and (story.job.percent or 0) >= _LAST_PERCENTS:
        yield "What failed beyond 95 % in documented cases was the reconfiguration of Windows, after the copy:"
        yield f"    {_LAST_PERCENTS_SOURCE}"
    shown = story.unknown[-(_SHOWN_BESIDE if story.primary else _SHOWN_UNKNOWN) :]
    more = len(story.unknown) - len(shown)
    yield "Errors that bootgraft does not know, as they are in the log" + (f" ({more} more before):" if more else ":")
    for each in shown:
        yield f"    {_place(each.last, each.count)}: {each.last.text}"
        if story.primary is None:
            yield from (f"        before: {line}" for line in each.before)
            yield from (f"        after:  {line}" for line in each.after)
    yield ""


def _next(story: Story) -> tuple[str, str]:
    """What to do, and the command for it."""
    if story.primary:
        return story.primary.rule.next_step, _command(story, story.primary.rule.next)
    if story.outcome is Outcome.UNKNOWN:
        return "Whatever it was: what is on the disk, and whether it would start, is seen with", _command(
            story, Next.CHECK
        )
    return _SEE, _command(story, Next.CHECK)


def _command(story: Story, form: Next) -> str:
    tool = story.job.tool or Tool.CONVERTER
    return form.value.format(disks=_disks(story) or _PLACEHOLDER[tool], target=_TARGET[tool])


def _disks(story: Story) -> str:
    """The disks to type; empty where the log does not name them.

    virt-v2v's log names its source only, which is not the disk that it wrote.
    """
    if story.job.tool is Tool.V2V and story.disk is not DiskState.UNCHANGED:
        return ""
    return " ".join(_typed(each) for each in story.job.disk_files) or _description(story)


def _description(story: Story) -> str:
    """The description that virt-v2v read, where it is a file: bootgraft finds the disks in it too."""
    kind, _, path = (story.job.source or "").partition(" /")
    return f"--vm {_typed(f'/{path}')}" if path and kind in ("-i vmx", "-i libvirtxml") else ""


def _typed(name: str) -> str:
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


def _remarks(story: Story, command: str) -> Iterator[str]:
    disks: Sequence[str] = story.job.disk_files
    if "--target" in command:
        yield "--target is the controller of the new machine (`bootgraft targets` lists them)" + (
            "; its description knows it: bootgraft check --vm FILE.vmx" if story.job.tool is Tool.CONVERTER else "."
        )
    if not _disks(story):
        yield "The log does not name the disk: put yours in its place."
    elif story.job.tool is Tool.V2V and "repair" in command:
        yield "That is the source's own disk: repair a copy of it."
    elif len(disks) > 1:
        yield "The disks are in the order of the log; bootgraft wants them in BIOS order."
    if len(disks) < len(story.job.disks):
        yield "Disks in other folders than the last one that the log names were left out: add those of this machine."
