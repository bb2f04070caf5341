"""The verdict for people: the answer first, then the evidence, then what to type next."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bootgraft.checks.diagnosis import Diagnosis, Verdict
from bootgraft.checks.finding import Prospect, Remedy
from bootgraft.report.device import DeviceSpec
from bootgraft.report.documents.records import RecordsDocument
from bootgraft.report.finding_text import finding_lines
from bootgraft.report.layout.lines import LineRole, Printed, PrintedLine, Text, Tone
from bootgraft.report.next_steps import NOTHING_ELSE, Given, command_lines
from bootgraft.text import one_line

if TYPE_CHECKING:  # few ask for them
    from bootgraft.checks.prospects import Outlook
    from bootgraft.checks.suspects import Suspects
    from bootgraft.targets.recommend import Fragment


TONES = {Verdict.BOOTS: Tone.GOOD, Verdict.BLOCKED: Tone.BAD, Verdict.UNKNOWN: Tone.OPEN}


def verdict_line(diagnosis: Diagnosis, before: str = "") -> PrintedLine:
    """The answer in one sentence, with a few words ``before`` it."""
    return PrintedLine(one_line(before + _verdict(diagnosis)), tone=TONES[diagnosis.verdict])


def _verdict(diagnosis: Diagnosis) -> str:
    installation, controller = diagnosis.installation, diagnosis.controller
    what = "The machine" if installation is None else f"{installation.product} on {installation.volume.name}"
    target = "" if controller is None else f" on {controller.target}"
    reason = f": {diagnosis.blockers[0].title}" if diagnosis.blockers else ""
    match diagnosis.verdict:
        case Verdict.BOOTS:
            return f"{what} would boot{target}."
        case Verdict.BLOCKED if diagnosis.blockers and diagnosis.blockers[0].ends_log_on:
            return f"{what} starts{target}, but every log-on ends at once{reason}."
        case Verdict.BLOCKED if diagnosis.stop_code:
            return f"{what} will stop with 0x{diagnosis.stop_code[2:].upper()}{target}{reason}."
        case Verdict.BLOCKED:
            return f"{what} will not boot{target}{reason}."
        case Verdict.UNKNOWN:
            return f"{what}: bootgraft cannot tell whether it boots{target}."


def check_text(
    diagnosis: Diagnosis,
    images: Sequence[DeviceSpec],
    fragments: "Sequence[Fragment]" = (),
    alternatives: "Sequence[Outlook]" = (),
    suspects: "Suspects | None" = None,
    records: RecordsDocument | None = None,
    *,
    tried: bool = False,
    given: Given = NOTHING_ELSE,
) -> Text:
    """What ``check`` prints, and ``repair`` where it changed nothing: ``tried``.

    ``fragments`` are what ``--recommend`` asked for, ``suspects`` what ``--symptom`` did, ``records`` what ``--why``.
    """
    return (
        verdict_line(diagnosis),
        *firmware_line(diagnosis),
        *suspects_lines_of(suspects, diagnosis),
        *left_outside_lines([diagnosis]),
        *finding_lines(diagnosis.findings, images, first=suspects.found if suspects else ()),
        *records_lines_of(records),
        *command_lines(diagnosis, images, given, tried=tried),
        *_alternative_lines(alternatives),
        *fragment_lines(diagnosis, fragments),
    )


def suspects_lines_of(suspects: "Suspects | None", diagnosis: Diagnosis) -> Iterator[str]:
    """What explains what the screen shows, where somebody asked."""
    if suspects is not None:
        from bootgraft.report.suspects import suspects_lines  # few ask what the screen shows

        yield from suspects_lines(suspects, diagnosis)


def records_lines_of(records: RecordsDocument | None, *, with_target: bool = True) -> Iterator[str]:
    """What Windows recorded of its last starts and which findings may explain it, where somebody asked."""
    if records is not None:
        from bootgraft.report.records import match_lines, records_lines  # few ask why

        yield ""
        yield from map(one_line, (*records_lines(records), *match_lines(records, with_target=with_target)))


def _alternative_lines(alternatives: "Sequence[Outlook]") -> Iterator[str]:
    for is_as_it_is, words in ((True, "It would boot as it is"), (False, "`repair` needs no driver source")):
        targets = [each.controller.target for each in alternatives if (each.prospect is Prospect.BOOTS) is is_as_it_is]
        if targets:
            yield ""
            yield f"{words} on {', '.join(targets)}."


def fragment_lines(diagnosis: Diagnosis, fragments: "Sequence[Fragment]") -> Iterator[Printed]:
    """The lines of a machine's description for the target, one block for each format."""
    target = "" if diagnosis.controller is None else diagnosis.controller.target
    for each in fragments:
        yield ""
        yield f"For {target} the machine's description has to say ({each.format}):"
        for line in each.text.removesuffix("\n").split("\n"):
            yield PrintedLine(f"    {one_line(line)}".rstrip(), LineRole.CODE)


def left_outside_lines(diagnoses: Sequence[Diagnosis]) -> Iterator[Printed]:
    """What is left to do where no repair of an image reaches, each once."""
    found = dict.fromkeys(finding for each in diagnoses for finding in each.outside)
    skipped = [each.title for each in found if each.remedy is Remedy.SKIPPED]
    left = [each.title for each in found if each.remedy is not Remedy.SKIPPED]
    for head, titles in (("Left to do outside the image:", left), ("Left as it is, as --skip says:", skipped)):
        if titles:
            yield ""
            yield head
            yield from (PrintedLine(one_line(f"    {title}")) for title in dict.fromkeys(titles))


def firmware_line(diagnosis: Diagnosis) -> Iterator[str]:
    """What the new machine must have, where that is not known from the Windows itself."""
    firmware = diagnosis.chain.firmware
    if firmware is not None:
        yield f"It needs {firmware.value} firmware."
