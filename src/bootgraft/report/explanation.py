"""What ``explain-log`` says: the answer first, then the evidence, then what to type next."""

import shlex
from collections.abc import Iterator

from bootgraft.explain.converters.catalogue import GRAMMARS
from bootgraft.explain.evidence import Evidence, Match, Unknown
from bootgraft.explain.explanation import Explanation
from bootgraft.explain.logreport import ConversionOutcome, LogReport
from bootgraft.explain.message import Level, Tool
from bootgraft.explain.rules import DiskState, Fault, Next, Phase
from bootgraft.report.documents.explanation import (
    ExplainDocument,
    FailureDocument,
    JobDocument,
    NextDocument,
    SaidDocument,
    UnknownDocument,
)
from bootgraft.text import counted

_SHOWN_UNKNOWN = 5
_LAST_PERCENTS = 95
_SHOWN_BESIDE = 3
_SHOWN_SAID = 12
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
        fault=primary.rule.fault.name.lower() if primary else None,
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
            firmware=job.firmware,
        ),
        cause=primary.rule.id if primary else None,
        failures=tuple(_failure(each) for each in log.matches),
        unknown=tuple(
            UnknownDocument(
                count=each.count,
                file=each.first.file,
                line=each.first.number,
                time=each.first.time,
                text=each.first.text,
                before=each.before,
                after=each.after,
            )
            for each in log.unknown
        ),
        also_said=tuple(_said(each) for each in log.said),
        earlier=log.earlier,
        other_conversions=log.others,
        next=NextDocument(advice=advice, command=command),
        files=log.files,
        notes=explanation.notes,
    )


def _failure(match: Match) -> FailureDocument:
    return FailureDocument(
        id=match.rule.id,
        role=match.rule.kind.name.lower(),
        headline=match.rule.headline,
        count=match.count,
        file=match.first.file,
        line=match.first.number,
        time=match.first.time,
        text=match.first.text,
    )


def _said(message: Unknown) -> SaidDocument:
    first = message.first
    return SaidDocument(
        level=first.level,
        count=message.count,
        file=first.file,
        line=first.number,
        time=first.time,
        text=first.text,
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
    if log.primary and log.primary.rule.fault is not Fault.UNKNOWN:
        yield f"at fault: {log.primary.rule.fault.value}"
    yield f"disk: {log.disk.value}"
    yield from _job(log)
    yield ""
    if log.matches:
        yield "What the log says, in its order:"
        for match in log.matches:
            yield f"    {_place(match.first, match.count)}: {match.first.text}  [{match.rule.id}]"
        yield ""
    yield from _unknown(log)
    yield from _also_said(log)
    left_out = [*_left_out(log), *(f"note: {note}" for note in explanation.notes)]
    yield from left_out
    if left_out:
        yield ""
    advice, command = _next(log)
    yield advice
    yield f"    {command}"
    yield from _remarks(log, command)


def _summary(log: LogReport) -> str:
    if log.primary is not None:
        return f"{_beginning(log)}{log.primary.rule.headline}."
    if log.outcome is ConversionOutcome.UNKNOWN:
        text = log.unknown[0].first.text
        if _tool(log).goes_on:
            errors = counted(len(log.unknown), "error")
            first = "; the first" if len(log.unknown) > 1 else ""
            return f"The log shows {errors} not known to bootgraft{_percent(log, ' (at {} %)')}{first}: {text}"
        return f"{log.conversion.tool} failed with an error that bootgraft does not know: {text}"
    if log.outcome is ConversionOutcome.SUCCEEDED:
        survived = any(each.first.level is Level.ERROR for each in log.said)
        failures = "no error in the log stopped the conversion" if survived else "no failure is in the log"
        return f"The conversion finished: {log.conversion.tool} came to its end, and {failures}."
    end = f" Its last message is of {log.last_time}." if log.last_time else ""
    return (
        f"No failure is in the log, and no end of the conversion either{_percent(log, ' (it was at {} %)')}: "
        f"it went on, or the log is cut off.{end}"
    )


def _beginning(log: LogReport) -> str:
    if log.outcome is ConversionOutcome.CAVEAT:
        return "The guest was converted, with limitations: "
    match log.phase:
        case Phase.CONNECTING:
            return f"The conversion failed{_percent(log, ' (at {} %)')}: "
        case Phase.RECONFIGURING:
            return f"The conversion copied the disks{_percent(log, ' ({} %)')} and failed to make Windows bootable: "
        case Phase.COPYING:
            return f"The conversion failed while it copied the disks{_percent(log, ' ({} %)')}: "
        case Phase.PREPARING:
            return "The conversion failed before anything was copied: "
        case Phase.CONVERTING:
            return f"{log.conversion.tool} failed while it changed the guest: "
        case Phase.FIRST_BOOT:
            return "The guest was converted, but its first start goes wrong: "
        case _:
            return f"{log.conversion.tool} stopped before it changed the guest: "


def _percent(log: LogReport, form: str) -> str:
    return "" if log.conversion.percent is None else form.format(log.conversion.percent)


def _job(log: LogReport) -> Iterator[str]:
    job = log.conversion
    for name, value in (
        ("machine", job.name),
        ("source", job.source),
        ("destination", job.destination),
        ("disks", ", ".join(job.disks)),
        ("task", ", ".join(job.tasks)),
        ("last step", job.step),
        ("firmware", "UEFI: the new machine must have it, too" if job.firmware == "uefi" else None),
    ):
        if value:
            yield f"{name}: {value}"


def _place(first: Evidence, count: int) -> str:
    time = f" {first.time}" if first.time else ""
    again = f" (and {counted(count - 1, 'more time')})" if count > 1 else ""
    return f"{first.file}:{first.number}{time}{again}"


def _unknown(log: LogReport) -> Iterator[str]:
    """Errors as they were found: all there is to say where no cause is known, else a few beside it."""
    if not log.unknown:
        return
    if log.primary is None and (log.conversion.percent or 0) >= _LAST_PERCENTS:
        yield from _tool(log).near_the_end
    shown = log.unknown[: _SHOWN_BESIDE if log.primary else _SHOWN_UNKNOWN]
    more = len(log.unknown) - len(shown)
    known = "Other errors in the log" if log.primary else "Errors that bootgraft does not know, as they are in the log"
    follows = "; what comes after the first failure often follows from it" if log.primary or len(shown) > 1 else ""
    yield known + follows + (f" ({more} more after these):" if more else ":")
    for each in shown:
        yield f"    {_place(each.first, each.count)}: {each.first.text}"
        if log.primary is None:
            yield from (f"        before: {line}" for line in each.before)
            yield from (f"        after:  {line}" for line in each.after)
    yield ""


def _also_said(log: LogReport) -> Iterator[str]:
    """Warnings, and errors that ended nothing: whether they matter, the reader may know."""
    if not log.said:
        return
    more = len(log.said) - _SHOWN_SAID + log.unsaid
    yield "Other messages, whose effect bootgraft does not know" + (
        f" ({more} more; --json has more of them):" if more > 0 else ":"
    )
    for each in log.said[:_SHOWN_SAID]:
        yield f"    {_place(each.first, each.count)}: {each.first.level}: {each.first.text}"
    yield ""


def _left_out(log: LogReport) -> Iterator[str]:
    if log.earlier:
        yield f"Not shown: {counted(log.earlier, 'failure')} of earlier jobs."
    if log.others:
        failed = f", {log.others_failed} of which failed" if log.others_failed else ""
        yield f"Not shown: {counted(log.others, 'other conversion')} in the same logs{failed}. Give the log of one."


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
    disks = _disks(log)
    if disks == _description(log) and form.value.startswith("bootgraft reg "):  # which reads no description
        disks = ""
    return form.value.format(disks=disks or tool.disk, target=tool.target)


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
        yield "--target is the controller of the new machine (`bootgraft targets` lists them)."
        if description:
            yield from ("Its description knows it, and the disks:", f"    bootgraft check --vm {description}")
    if _tool(log).disk in command.split():
        yield "The log does not name the disk: put yours in its place."
    elif _tool(log).copies and "repair" in command:
        yield "That is the source's own disk: repair a copy of it."
    elif len(disks) > 1:
        yield "The disks are in the order of the log; bootgraft wants them in BIOS order."
    if len(disks) < len(log.conversion.disks):
        yield "Disks in other folders than the last one that the log names were left out: add those of this machine."
