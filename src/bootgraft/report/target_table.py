"""What ``check`` says of several targets at once: the answer first, a row for each, then what holds for all of them."""

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bootgraft.checks.diagnosis import Diagnosis, Verdict
from bootgraft.checks.finding import Finding, Prospect
from bootgraft.checks.prospects import Outlook
from bootgraft.report.device import DeviceSpec
from bootgraft.report.document import check_document, finding_documents, fragment_documents
from bootgraft.report.documents.records import RecordsDocument
from bootgraft.report.documents.verdict import CheckDocument, ProspectDocument
from bootgraft.report.finding_text import finding_lines
from bootgraft.report.layout.lines import Printed, PrintedLine, Text, Tone
from bootgraft.report.layout.lines import rows as table_rows
from bootgraft.report.next_steps import NOTHING_ELSE, Given, next_lines, sources_asked_for, unrepairable_lines
from bootgraft.report.programs.remediation import RepairContext
from bootgraft.report.text import (
    firmware_line,
    fragment_lines,
    left_outside_lines,
    records_lines_of,
    suspects_lines_of,
    verdict_line,
)
from bootgraft.text import one_line

if TYPE_CHECKING:  # few ask for them
    from bootgraft.checks.suspects import Suspects
    from bootgraft.targets.recommend import Fragment

_WORDS = {
    Prospect.BOOTS: "boots as it is",
    Prospect.FIXABLE: "boots after a repair",
    Prospect.OPTION: "boots after a repair with an option",
    Prospect.BOOT_CODE: "needs boot code",
    Prospect.DRIVER: "needs a driver",
    Prospect.OUTSIDE: "needs a change of the machine",
    Prospect.UNKNOWN: "unknown",
    Prospect.CANNOT: "cannot boot",
}
_TONES = {Prospect.BOOTS: Tone.GOOD, Prospect.CANNOT: Tone.BAD}
_AFTER = {
    Prospect.FIXABLE: "After a repair, with nothing from outside,",
    Prospect.OPTION: "After a repair with an option",
    Prospect.BOOT_CODE: "With boot code from another machine",
    Prospect.DRIVER: "With a driver",
    Prospect.OUTSIDE: "After a change of the machine's settings",
}
_NAMED = 6
"""Targets that a headline names; of more it gives the number."""
_NO_TARGET = "target-not-given"
_WORST_FIRST = (Verdict.BLOCKED, Verdict.UNKNOWN, Verdict.BOOTS)


def all_document(
    diagnosis: Diagnosis,
    rows: Sequence[Outlook],
    suspects: "Suspects | None",
    images: Sequence[DeviceSpec],
    given: Given = NOTHING_ELSE,
) -> CheckDocument:
    """What ``--json`` prints of all targets; ``diagnosis`` is the one without any."""
    repair = RepairContext((), images, given)
    document = check_document(diagnosis, suspects=suspects, repair=repair)
    return replace(document, targets=tuple(_row_document(each, diagnosis.findings, (), repair) for each in rows))


def several_document(
    rows: Sequence[Outlook],
    fragments: "Sequence[Sequence[Fragment]]",
    images: Sequence[DeviceSpec],
    given: Given = NOTHING_ELSE,
) -> CheckDocument:
    """What ``--json`` prints of the targets that were given; the verdict is the worst of theirs."""
    repair = RepairContext(tuple(each.diagnosis for each in rows), images, given)
    common = _common(rows)
    worst = min((each.diagnosis for each in rows), key=lambda each: _WORST_FIRST.index(each.verdict))
    of_images = [each.diagnosis.image_verdict for each in rows]
    document = check_document(replace(worst, controller=None, findings=common), repair=repair)
    return replace(
        document,
        image_verdict=min(of_images, key=_WORST_FIRST.index),
        stop_code=worst.stop_code,
        targets=tuple(_row_document(each, common, lines, repair) for each, lines in zip(rows, fragments, strict=True)),
    )


def _row_document(
    row: Outlook, common: Sequence[Finding], fragments: "Sequence[Fragment]", repair: RepairContext
) -> ProspectDocument:
    installation = row.diagnosis.installation
    home = None if installation is None else installation.volume
    return ProspectDocument(
        target=row.controller.target,
        verdict=row.diagnosis.verdict,
        image_verdict=row.diagnosis.image_verdict,
        stop_code=row.diagnosis.stop_code,
        prospect=row.prospect,
        options=row.options,
        decided_by=None if row.decided_by is None else row.decided_by.id,
        reason=None if row.decided_by is None else row.decided_by.title,
        findings=finding_documents(_own(row, common), replace(repair, diagnoses=(row.diagnosis,)), home),
        fragments=fragment_documents(fragments),
    )


def all_text(
    diagnosis: Diagnosis,
    rows: Sequence[Outlook],
    images: Sequence[DeviceSpec],
    suspects: "Suspects | None",
    records: RecordsDocument | None = None,
    given: Given = NOTHING_ELSE,
) -> Text:
    """What ``check`` prints without a target; ``diagnosis`` is the one without any."""
    common = tuple(each for each in diagnosis.findings if each.id != _NO_TARGET)
    shown = replace(diagnosis, findings=common)
    is_judged = any(each.diagnosis.facts is not None for each in rows)
    return (
        _headline(diagnosis, rows, "targets") if is_judged else verdict_line(diagnosis),
        *firmware_line(diagnosis),
        *(_grouped(rows, common) if is_judged else ()),
        *suspects_lines_of(suspects, diagnosis),
        *left_outside_lines([shown]),
        *finding_lines(common, images, first=suspects.found if suspects else ()),
        *records_lines_of(records, with_target=False),
        *_next(rows, images, given),
    )


def several_text(
    rows: Sequence[Outlook],
    images: Sequence[DeviceSpec],
    fragments: "Sequence[Sequence[Fragment]]",
    records: RecordsDocument | None = None,
    given: Given = NOTHING_ELSE,
) -> Text:
    """What ``check`` prints of the targets that were given."""
    common = _common(rows)
    diagnoses = [each.diagnosis for each in rows]
    lines: list[Printed] = [
        _headline(diagnoses[0], rows, "targets given"),
        *firmware_line(diagnoses[0]),
        "",
        *_table(rows, common),
        *left_outside_lines(diagnoses),
        *finding_lines(common, images),
    ]
    for each in rows:
        own = _own(each, common)
        if own:
            lines += ["", verdict_line(each.diagnosis), *finding_lines(own, images)]
    lines += records_lines_of(records)
    wanting = [each.diagnosis for each in rows if each.prospect not in (Prospect.BOOTS, Prospect.CANNOT)]
    lines += tuple(next_lines(wanting, images, given)) or unrepairable_lines(diagnoses)
    if wanting and all(each.prospect is not Prospect.BOOTS for each in rows):
        lines += ["", "To see on which other targets it would boot, run:", f"    {_command('check', images)}"]
    for diagnosis, found in zip(diagnoses, fragments, strict=True):
        lines += fragment_lines(diagnosis, found)
    return tuple(lines)


def _headline(diagnosis: Diagnosis, rows: Sequence[Outlook], among: str) -> PrintedLine:
    """On which targets it would boot, or else where that takes least."""
    installation = diagnosis.installation
    what = "The machine" if installation is None else f"{installation.product} on {installation.volume.name}"
    by_prospect = {each: [row for row in rows if row.prospect is each] for each in Prospect}
    boots = by_prospect[Prospect.BOOTS]
    if boots:
        return PrintedLine(one_line(f"{what} would boot as it is on {_counted(boots, rows, among)}."), tone=Tone.GOOD)
    best = next(each for each in Prospect if by_prospect[each])
    if best in (Prospect.UNKNOWN, Prospect.CANNOT):
        reason = next((f": {row.decided_by.title}" for row in by_prospect[best] if row.decided_by), "")
        said = "bootgraft cannot tell whether it boots on any" if best is Prospect.UNKNOWN else "will boot on none"
        colon = ":" if best is Prospect.UNKNOWN else ""
        tone = Tone.OPEN if best is Prospect.UNKNOWN else Tone.BAD
        return PrintedLine(one_line(f"{what}{colon} {said} of the {len(rows)} {among}{reason}."), tone=tone)
    head = f"{what} will not boot as it is on any of the {len(rows)} {among}"
    after = f"{_AFTER[best]} it would boot on {_counted(by_prospect[best], rows, 'them')}"
    return PrintedLine(one_line(f"{head}. {after}."), tone=Tone.BAD)


def _counted(found: Sequence[Outlook], rows: Sequence[Outlook], among: str) -> str:
    names = f": {', '.join(each.controller.target for each in found)}" if len(found) <= _NAMED else ""
    every = f"all {len(rows)} {among}" if among != "them" else "each of them"
    some = f"{len(found)} of the {len(rows)} {among}" if among != "them" else f"{len(found)} of them"
    count = every if len(found) == len(rows) else some
    return f"{count}{names}"


def _table(rows: Sequence[Outlook], common: Sequence[Finding]) -> Iterator[PrintedLine]:
    """One row for each target."""
    cells = [(each.controller.target, _words(each), _reason(each, common)) for each in rows]
    return table_rows(cells, indent=2, tones=[_TONES.get(each.prospect, Tone.OPEN) for each in rows])


def _words(row: Outlook) -> str:
    """What it takes there, with the option by its name."""
    return f"boots with {' '.join(row.options)}" if row.prospect is Prospect.OPTION else _WORDS[row.prospect]


def _grouped(rows: Sequence[Outlook], common: Sequence[Finding]) -> Iterator[Printed]:
    """The rows by hypervisor, of each the cheapest first."""
    for lines in _by_hypervisor(rows, tuple(_table(rows, common))):
        yield ""
        yield from lines


def _by_hypervisor(rows: Sequence[Outlook], lines: Sequence[PrintedLine]) -> Iterator[list[PrintedLine]]:
    cost = list(Prospect)
    for hypervisor in dict.fromkeys(each.controller.hypervisor for each in rows):
        group = [each for each in zip(rows, lines, strict=True) if each[0].controller.hypervisor == hypervisor]
        yield [line for _, line in sorted(group, key=lambda each: cost.index(each[0].prospect))]


def _reason(row: Outlook, common: Sequence[Finding]) -> str:
    if row.decided_by is None:
        return ""
    return f"[{row.decided_by.id}], see below" if row.decided_by in common else row.decided_by.title


def _next(rows: Sequence[Outlook], images: Sequence[DeviceSpec], given: Given) -> Iterator[str]:
    """What to type next: for the first target on which it takes least."""
    best = min(rows, key=lambda each: list(Prospect).index(each.prospect))
    yield ""
    if best.diagnosis.facts is None and any(each.fixable for each in best.diagnosis.findings):
        yield "What a target lacks is only seen once this is repaired. To see both on one, writing nothing, run:"
        options = (
            f"--target {best.controller.target}",
            *given.options,
            *sources_asked_for(best.diagnosis.findings),
            "--dry-run",
        )
        yield f"    {_command('repair', images)} {' '.join(options)}"
        return
    if best.diagnosis.facts is not None and best.prospect is not Prospect.CANNOT:
        yield f"Cheapest: {best.controller.target} {_words(best)}."
        yield from list(next_lines([best.diagnosis], images, given))[1:]
    yield "For all that is found on one target and how it is fixed, run:"
    yield f"    {' '.join((_command('check', images), f'--target {best.controller.target}', *given.options))}"


def _command(command: str, images: Sequence[DeviceSpec]) -> str:
    return f"bootgraft {command} {' '.join(quote(each.location) for each in images)}"


def _common(rows: Sequence[Outlook]) -> tuple[Finding, ...]:
    """The findings that every target has."""
    first, *others = (each.diagnosis.findings for each in rows)
    known = [set(each) for each in others]
    return tuple(each for each in first if all(each in found for found in known))


def _own(row: Outlook, common: Sequence[Finding]) -> tuple[Finding, ...]:
    left_out = set(common)
    return tuple(each for each in row.diagnosis.findings if each not in left_out)
