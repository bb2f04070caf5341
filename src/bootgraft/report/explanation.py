"""What ``explain-log`` says: the answer first, then the evidence, then what to type next."""

import shlex
from collections.abc import Iterator

from bootgraft.explain.catalogue import GRAMMARS
from bootgraft.explain.explanation import Explanation
from bootgraft.explain.logreport import ConversionOutcome, Evidence, LogReport
from bootgraft.explain.message import Tool
from bootgraft.explain.rules import DiskState, Next, Phase, Rule
from bootgraft.report.documents.explanation import (
    ExplainDocument,
    FailureDocument,
    JobDocument,
    NextDocument,
    UnknownDocument,
)

_SHOWN_UNKNOWN = 5
_LAST_PERCENTS = 95
_SHOWN_BESIDE = 3
_SEE = "To see whether the new machine would start:"


def explain_document(explanation: Explanation) -> ExplainDocument:
    """What ``--json`` prints."""
    log = explanation.report
    job = log.conversion
    primary = log.primary
    advice, command = _next(log)
    return ExplainDocument(
        outcome=log.outcome,
        summary=_summary(log),
        meaning=f"{primary.rule.cause} {primary.rule.meaning}" if primary else None,
        phase=log.phase.name.lower() if log.phase else None,
        disk_state=log.disk.name.lower(),
        job=JobDocument(
            tool=job.tool.name if job.tool else None,
            name=job.name,
            source=job.source,
            destination=job.destination,
            disks=job.disks,
            tasks=job.tasks,
            percent=job.percent,
            step=job.step,
        ),
        cause=primary.rule.id if primary else None,
        failures=tuple(_failure(each.rule, each.count, each.last) for each in log.matches),
        unknown=tuple(
            UnknownDocument(
                count=each.count,
                file=each.last.file,
                line=each.last.number,
                time=each.last.time,
                text=each.last.text,
                before=tuple(each.before),
                after=tuple(each.after),
            )
            for each in log.unknown
        ),
        earlier=log.earlier,
        next=NextDocument(advice=advice, command=command),
        files=log.files,
        notes=explanation.notes,
    )


def _failure(rule: Rule, count: int, last: Evidence) -> FailureDocument:
    return FailureDocument(
        id=rule.id,
        role=rule.kind.name.lower(),
        headline=rule.headline,
        count=count,
        file=last.file,
        line=last.number,
        time=last.time,
        text=last.text,
    )


def explain_text(explanation: Explanation) -> str:
    """What is printed for people."""
    flat = (" ".join(line.split("\n")) for line in _lines(explanation))
    return "\n".join(flat) + "\n"


def _lines(explanation: Explanation) -> Iterator[str]:
    log = explanation.report
    yield _summary(log)
    yield ""
    if log.primary:
        yield log.primary.rule.cause
        yield log.primary.rule.meaning
        yield ""
    yield f"disk: {log.disk.value}"
    yield from _job(log)
    yield ""
    if log.matches:
        yield "What the log says, in its order:"
        for match in log.matches:
            yield f"    {_place(match.last, match.count)}: {match.last.text}  [{match.rule.id}]"
        yield ""
    yield from _unknown(log)
    if log.earlier:
        yield f"Not shown: {_several(log.earlier, 'failure')} of earlier jobs."
    for note in explanation.notes:
        yield f"note: {note}"
    if log.earlier or explanation.notes:
        yield ""
    advice, command = _next(log)
    yield advice
    yield f"    {command}"
    yield from _remarks(log, command)


def _summary(log: LogReport) -> str:
    if log.primary is not None:
        return f"{_beginning(log)}{log.primary.rule.headline}."
    if log.outcome is ConversionOutcome.UNKNOWN:
        text = log.unknown[-1].last.text
        if _tool(log).goes_on:
            errors = _several(len(log.unknown), "error")
            return f"The log shows {errors} not known to bootgraft{_percent(log, ' (at {} %)')}; the last: {text}"
        return f"{log.conversion.tool} failed with an error that bootgraft does not know: {text}"
    if log.outcome is ConversionOutcome.SUCCEEDED:
        return f"The conversion finished: {log.conversion.tool} came to its end, and no failure is in the log."
    end = f" Its last message is of {log.last_time}." if log.last_time else ""
    return (
        f"No failure is in the log, and no end of the conversion either{_percent(log, ' (it was at {} %)')}: "
        f"it went on, or the log is cut off.{end}"
    )


def _beginning(log: LogReport) -> str:
    if log.outcome is ConversionOutcome.CAVEAT:
        return "The guest was converted, but with a lack: "
    match log.phase:
        case Phase.CONNECTING:
            return f"The conversion failed{_percent(log, ' (at {} %)')}: "
        case Phase.RECONFIGURING:
            return f"The conversion copied the disks{_percent(log, ' ({} %)')} and failed to make Windows bootable: "
        case Phase.COPYING:
            return f"The conversion failed while it copied the disks{_percent(log, ' ({} %)')}: "
        case Phase.PREPARING:
            return "The conversion failed before anything was copied: "
        case _:
            return f"{log.conversion.tool} stopped before it changed the guest: "


def _percent(log: LogReport, form: str) -> str:
    return "" if log.conversion.percent is None else form.format(log.conversion.percent)


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count > 1)}"


def _job(log: LogReport) -> Iterator[str]:
    job = log.conversion
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


def _unknown(log: LogReport) -> Iterator[str]:
    """Errors as they were found: all there is to say where no cause is known, else a few beside it."""
    if not log.unknown:
        return
    if log.primary is None and (log.conversion.percent or 0) >= _LAST_PERCENTS:
        yield from _tool(log).near_the_end
    shown = log.unknown[-(_SHOWN_BESIDE if log.primary else _SHOWN_UNKNOWN) :]
    more = len(log.unknown) - len(shown)
    yield "Errors that bootgraft does not know, as they are in the log" + (f" ({more} more before):" if more else ":")
    for each in shown:
        yield f"    {_place(each.last, each.count)}: {each.last.text}"
        if log.primary is None:
            yield from (f"        before: {line}" for line in each.before)
            yield from (f"        after:  {line}" for line in each.after)
    yield ""


def _next(log: LogReport) -> tuple[str, str]:
    """What to do, and the command for it."""
    if log.primary:
        return log.primary.rule.next_step, _command(log, log.primary.rule.next)
    if log.outcome is ConversionOutcome.UNKNOWN:
        return "Whatever it was: what is on the disk, and whether it would start, is seen with", _command(
            log, Next.CHECK
        )
    return _SEE, _command(log, Next.CHECK)


def _command(log: LogReport, form: Next) -> str:
    tool = _tool(log)
    return form.value.format(disks=_disks(log) or tool.disk, target=tool.target)


def _tool(log: LogReport) -> Tool:
    return log.conversion.tool or GRAMMARS[0].tools[0]


def _disks(log: LogReport) -> str:
    """The disks to type; empty where the log does not name them.

    Where the converter copies, the log names its source only, which is not the disk that it wrote.
    """
    if _tool(log).copies and log.disk is not DiskState.UNCHANGED:
        return ""
    return " ".join(_typed(each) for each in log.conversion.disk_files) or _description(log)


def _description(log: LogReport) -> str:
    """The description that virt-v2v read, where it is a file: bootgraft finds the disks in it too."""
    kind, _, path = (log.conversion.source or "").partition(" /")
    return f"--vm {_typed(f'/{path}')}" if path and kind in ("-i vmx", "-i libvirtxml") else ""


def _typed(name: str) -> str:
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


def _remarks(log: LogReport, command: str) -> Iterator[str]:
    disks, description = log.conversion.disk_files, _tool(log).description
    if "--target" in command:
        yield "--target is the controller of the new machine (`bootgraft targets` lists them)" + (
            f"; its description knows it: bootgraft check --vm {description}" if description else "."
        )
    if not _disks(log):
        yield "The log does not name the disk: put yours in its place."
    elif _tool(log).copies and "repair" in command:
        yield "That is the source's own disk: repair a copy of it."
    elif len(disks) > 1:
        yield "The disks are in the order of the log; bootgraft wants them in BIOS order."
    if len(disks) < len(log.conversion.disks):
        yield "Disks in other folders than the last one that the log names were left out: add those of this machine."
