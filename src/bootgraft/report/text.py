"""The same reports for people: the answer first, then the evidence, then what to type next."""

import shlex
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from bootgraft.changes import (
    CreateKey,
    DeleteKey,
    DeleteValue,
    EditVmFile,
    FileId,
    FormatVolume,
    Plan,
    SetValue,
    WriteFile,
    WriteSectors,
)
from bootgraft.checks.diagnosis import Diagnosis, Verdict, within
from bootgraft.checks.finding import Finding, Prospect, Remedy, Severity
from bootgraft.report.device import DeviceSpec
from bootgraft.report.document import file_difference, vm_file_difference
from bootgraft.report.documents.machine import (
    DiskDocument,
    InspectDocument,
    PartitionDocument,
    StepDocument,
    WindowsDocument,
)
from bootgraft.report.documents.records import RecordsDocument
from bootgraft.report.drawing import draw
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.text import printable

if TYPE_CHECKING:  # few ask for them
    from bootgraft.checks.prospects import Outlook
    from bootgraft.checks.suspects import Suspects
    from bootgraft.targets.recommend import Fragment

_SHOWN_BYTES = 64
_UNITS = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def size_text(size: int) -> str:
    """Bytes in the unit that people would use."""
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def one_line(text: str) -> str:
    """The text without line ends: a name on a hostile volume must not look like a line of ours."""
    return text.replace("\r", "\N{REPLACEMENT CHARACTER}").replace("\n", "\N{REPLACEMENT CHARACTER}")


def inspect_text(document: InspectDocument) -> str:
    """What ``inspect`` prints."""
    return "\n".join(map(one_line, _inspect_lines(document))) + "\n"


def _inspect_lines(document: InspectDocument) -> Iterator[str]:
    default = next((each for each in document.windows if each.default_boot), None)
    if default is not None:
        yield f"{place_of(default)} is what this machine boots: {default.root}, {_version_text(default)}"
    else:
        yield "No Windows was found that this machine would boot."
    for disk in document.disks:
        yield ""
        yield from _disk_lines(disk)
    yield ""
    yield f"boot chain: {_chain_line(document.boot_chain)}"
    for step in document.boot_chain:
        yield f"  {'ok    ' if step.holds else 'BROKEN'}  {step.what}"
        yield f"          {step.where}: {step.evidence}"
    if document.windows:
        yield ""
        yield "Windows installations (--windows takes the name)"
        for windows in document.windows:
            yield from _windows_lines(windows)
    for problem in document.unreadable:
        yield ""
        yield f"cannot be read: {problem}"
    for records in document.records:
        from bootgraft.report.records import records_lines

        yield ""
        yield from records_lines(records)


def _chain_line(steps: Sequence[StepDocument]) -> str:
    """The links that hold, and the one that does not: ``MBR -> active disk 0 partition 1 -> ntldr -> BROKEN: …``."""
    links = [step.link if step.holds else f"BROKEN: {step.what}" for step in steps]
    return " -> ".join(link for link in links if link)


def _disk_lines(disk: DiskDocument) -> Iterator[str]:
    signature = f", signature {disk.signature}" if disk.signature else ""
    table = "no partition table" if disk.table == "none" else f"{disk.table.upper()}{signature}"
    yield f"disk {disk.index}  {disk.path}  {disk.format}, {size_text(disk.size)}, {table}{_sectors_text(disk)}"
    drawing = draw(disk)
    if drawing is not None:
        yield f"  {drawing}"
    for partition in disk.partitions:
        yield _partition_line(partition, disk.table)
    for problem in disk.problems:
        yield f"  problem: {problem}"


def _sectors_text(disk: DiskDocument) -> str:
    """The sector size that the table counts in and, where it is another, the one that the image says."""
    other = disk.logical_sector_size
    own = "" if disk.table == "none" else f", sectors of {disk.sector_size} bytes"
    return own if other in (None, disk.sector_size) else f"{own} (the image says {other})"


def _partition_line(partition: PartitionDocument, table: TableKind) -> str:
    number = str(partition.slot if table is TableKind.GPT else partition.number or "-")
    label = f'  "{partition.label}"' if partition.label else ""
    active = "  active" if partition.active else ""
    filesystem = partition.filesystem or f"type {partition.type}"
    note = f"  ({partition.note})" if partition.note else ""
    return f"  partition {number:>2}  {size_text(partition.size):>10}  {filesystem}{active}{label}{note}"


def _windows_lines(windows: WindowsDocument) -> Iterator[str]:
    mark = "*" if windows.default_boot else " "
    select = windows.select
    sets = ", ".join(f"{number:03d}" for number in windows.control_sets)
    letter = f", drive {windows.drive_letter}" if windows.drive_letter else ""
    yield f"{mark} {windows.id}: {windows.product}, {_version_text(windows)}{letter}"
    yield (
        f"    control sets {sets}; Default={select.default} Current={select.current} "
        f"LastKnownGood={select.last_known_good} Failed={select.failed}"
    )
    for note in windows.notes:
        yield f"    {note}"


def _version_text(windows: WindowsDocument) -> str:
    service_pack = f" {windows.service_pack}" if windows.service_pack else ""
    return f"NT {windows.version} build {windows.build or '?'}{service_pack}, {windows.arch}"


def place_of(windows: WindowsDocument) -> str:
    """``Microsoft Windows Server 2003 on disk 0 partition 2``."""
    return f"{windows.product} on {windows.volume}"


def verdict_line(diagnosis: Diagnosis) -> str:
    """The answer in one sentence."""
    return one_line(_verdict(diagnosis))


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


class Given(Struct, frozen=True):
    """What was said beside the images and has to be said again in the next command: ``options``, as they are typed.

    ``has_target``: the machine's description is among them, and says which controller each disk has.
    """

    options: tuple[str, ...] = ()
    has_target: bool = False


NOTHING_ELSE = Given()


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
) -> str:
    """What ``check`` prints, and ``repair`` where it changed nothing: ``tried``.

    ``fragments`` are what ``--recommend`` asked for, ``suspects`` what ``--symptom`` did, ``records`` what ``--why``.
    """
    lines = [
        verdict_line(diagnosis),
        *firmware_line(diagnosis),
        *suspects_lines_of(suspects, diagnosis),
        *left_outside_lines([diagnosis]),
        *finding_lines(diagnosis.findings, first=suspects.found if suspects else ()),
        *records_lines_of(records),
        *_command_lines(diagnosis, images, given, tried=tried),
        *_alternative_lines(alternatives),
    ]
    return "\n".join(lines) + "\n" + fragments_text(diagnosis, fragments)


def _command_lines(diagnosis: Diagnosis, images: Sequence[DeviceSpec], given: Given, *, tried: bool) -> Iterator[str]:
    """What cannot be repaired comes first: nothing is written before that."""
    unrepairable = tuple(unrepairable_lines([diagnosis], tried=tried))
    repairable = tuple(next_lines([diagnosis], images, given))
    yield from unrepairable
    if unrepairable and repairable and _wants_repair(diagnosis.findings):
        yield from ("", "What else there is can be repaired after that.", *repairable[1:])
    else:
        yield from repairable


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


def fragments_text(diagnosis: Diagnosis, fragments: "Sequence[Fragment]") -> str:
    """The lines of a machine's description for the target, one block for each format."""
    target = "" if diagnosis.controller is None else diagnosis.controller.target
    blocks = []
    for each in fragments:
        lines = (f"    {one_line(line)}".rstrip() for line in each.text.removesuffix("\n").split("\n"))
        head = f"For {target} the machine's description has to say ({each.format}):"
        blocks.append("\n".join(["", head, *lines, ""]))
    return "".join(blocks)


def left_outside_lines(diagnoses: Sequence[Diagnosis]) -> Iterator[str]:
    """What is left to do where no repair of an image reaches, each once."""
    found = dict.fromkeys(finding for each in diagnoses for finding in each.outside)
    skipped = [each.title for each in found if each.remedy is Remedy.SKIPPED]
    left = [each.title for each in found if each.remedy is not Remedy.SKIPPED]
    for head, titles in (("Left to do outside the image:", left), ("Left as it is, as --skip says:", skipped)):
        if titles:
            yield ""
            yield head
            yield from (one_line(f"    {title}") for title in dict.fromkeys(titles))


def firmware_line(diagnosis: Diagnosis) -> Iterator[str]:
    """What the new machine must have, where that is not known from the Windows itself."""
    firmware = diagnosis.chain.firmware
    if firmware is not None:
        yield f"It needs {firmware.value} firmware."


def finding_lines(findings: Sequence[Finding], *, first: Container[str] = ()) -> Iterator[str]:
    """Each finding with its explanation and evidence: those with an id of ``first`` first, then blockers first."""
    order = list(Severity)
    for finding in sorted(findings, key=lambda each: (each.id not in first, order.index(each.severity))):
        yield ""
        yield one_line(f"{finding.severity.value}: {finding.title}  [{finding.id}]")
        yield one_line(f"    {finding.explanation}")
        for evidence in finding.evidence:
            yield one_line(f"    found: {evidence}")


def sources_asked_for(findings: Iterable[Finding]) -> list[str]:
    """The options without which a repair lacks something that these findings want, drivers and consent aside."""
    remedies = {finding.remedy for finding in findings}
    given = ["--boot-code IMAGE"] if Remedy.BOOT_CODE in remedies else []
    return given + (["--add-system-partition"] if Remedy.ADD_PARTITION in remedies else [])


def next_lines(
    diagnoses: Sequence[Diagnosis], images: Sequence[DeviceSpec], given: Given = NOTHING_ELSE
) -> Iterator[str]:
    """The one command that repairs the machine for the targets of these diagnoses; nothing where there is none."""
    findings = tuple(dict.fromkeys(finding for each in diagnoses for finding in each.findings))
    targets = dict.fromkeys(f"--target {each.controller.target}" for each in diagnoses if each.controller is not None)
    remedies = {finding.remedy for finding in findings} - {Remedy.NONE, Remedy.SKIPPED}
    if not targets or not remedies:
        return
    paths = " ".join(shlex.quote(image.location) for image in images)
    options = dict.fromkeys(finding.consent for finding in findings if finding.consent)
    offers = tuple(each for each in findings if each.remedy is Remedy.OFFERED)
    offered = dict.fromkeys(f"--fix {each.id}" for each in offers)
    advised = dict.fromkeys(f"--fix {each.id}" for each in offers if each.severity is not Severity.INFO)
    sources = sources_asked_for(findings)
    words = (*(() if given.has_target else targets), *given.options, *options, *advised, *sources)
    command = " ".join((f"bootgraft repair {paths}", *dict.fromkeys(words)))
    yield ""
    if options:
        yield f"Written only with your consent to what is lost: {' '.join(options)} (see above)."
    if offered:
        yield f"Only offered, as it is not known to be right everywhere: {', '.join(offered)}."
        yield "To read what that does, run:"
        yield from (f"    bootgraft explain {each}" for each in dict.fromkeys(each.id for each in offers))
    if not _wants_repair(findings):
        return
    if Remedy.OWN_DRIVER in remedies and Remedy.DRIVER not in remedies:
        yield "Mend it with the driver that this Windows has itself:"
        yield f"    {command}"
    elif Remedy.DRIVER in remedies:
        yield "Mend it with a driver package (INF, folder, ISO, CAB, ZIP, floppy) or the disk of a machine that has it:"
        yield f"    {command} --drivers SOURCE"
        yield "or with files exported from one:"
        yield f"    {command} --reg DRIVER.reg --file DRIVER.sys"
    else:
        yield "Mend it with:"
        yield f"    {command}"


def _wants_repair(findings: Iterable[Finding]) -> bool:
    """Whether a repair does more than what is only offered and nothing needs."""
    return any(each.fixable and not (each.offered and each.severity is Severity.INFO) for each in findings)


def unrepairable_lines(diagnoses: Sequence[Diagnosis], *, tried: bool = False) -> Iterator[str]:
    """Where to read on, where no repair puts right what stops the start or leaves it open: the gravest finding's page.

    What lies outside the image is left out: that is listed as what to do there. As long as the chain arrives at no
    Windows, a repair of what can be repaired comes first, unless that was ``tried``: it shows what is behind.
    """
    known = [each for each in diagnoses if tried or each.chain.default or not _wants_repair(each.findings)]
    left = [finding for each in known for finding in within(each.findings) if not finding.fixable]
    stops = [each.id for each in left if each.severity is Severity.BLOCKER]
    leaves_open = [each.id for each in left if each.leaves_open]
    if stops:
        yield ""
        yield f"bootgraft cannot repair {stops[0]}, and writes nothing until that is repaired by other means."
        yield "To read what is known of it, run:"
        yield f"    bootgraft explain {stops[0]}"
    elif leaves_open and not any(_wants_repair(each.findings) for each in diagnoses):
        yield from ("", "To read what would settle it, run:")
        yield f"    bootgraft explain {leaves_open[0]}"


def plan_text(plan: Plan, *, detailed: bool) -> str:
    """The files that a plan writes and its registry changes: as ``.reg`` text where detailed, else key by key."""
    lines = [*map(_format_line, plan.formats())]
    lines += [one_line(f"create  {change.file}\\  (directory)") for change in plan.directories()]
    for change in plan.files():
        lines.append(one_line(_file_line(change)))
        if detailed:
            lines += (f"          {printable(line.expandtabs())}".rstrip() for line in file_difference(change) or ())
    lines += map(sector_line, plan.sectors())
    for edit in plan.vm_files():
        lines.append(one_line(_vm_file_line(edit)))
        if detailed:
            lines += (f"          {printable(line.expandtabs())}".rstrip() for line in vm_file_difference(edit))
    if plan.registry():
        lines += ["", *_reg_lines(plan)] if detailed else _key_lines(plan)
    if plan.notes:
        lines += ["", *(one_line(f"note: {note}") for note in plan.notes)]
    return "\n".join(lines) + "\n"


def _file_line(change: WriteFile) -> str:
    if change.old is not None:
        verb = "create" if change.before is None else "edit  "
        return f"{verb}  {change.file}  ({len(change.data)} bytes, {change.origin})"
    verb = "create" if change.before is None else "replace"
    return f"{verb}  {change.file}  ({len(change.data)} bytes, from {change.origin})"


def _vm_file_line(change: EditVmFile) -> str:
    return f"edit    {change.path}  ({', '.join(change.cards)}: {'plugged in' if change.plugged else 'unplugged'})"


def _format_line(change: FormatVolume) -> str:
    size = f"{change.size >> 20} MiB"
    return one_line(f"format  disk {change.disk}, byte {change.offset}: {size} as FAT32 '{change.label}'")


def sector_line(change: WriteSectors) -> str:
    """One change of bytes outside the files that a plan writes: few are shown, of a page only that it is cleared."""
    place = f"disk {change.disk}, byte {change.offset}"
    if len(change.data) > _SHOWN_BYTES and not any(change.data):
        return one_line(f"clear   {place}: {change.what}  ({len(change.data)} bytes)")
    if len(change.data) > _SHOWN_BYTES:
        return one_line(f"patch   {place}: {change.what}  ({len(change.data)} bytes)")
    return one_line(f"patch   {place}: {change.what}  ({change.before.hex(' ')} becomes {change.data.hex(' ')})")


def _key_lines(plan: Plan) -> Iterator[str]:
    counts: dict[tuple[FileId, str], int] = {}
    for change in plan.registry():
        place = (change.hive, change.key)
        counts[place] = counts.get(place, 0) + (not isinstance(change, CreateKey))
    shown: FileId | None = None
    for (hive, key), values in counts.items():
        if hive != shown:
            shown = hive
            yield f"edit    {hive}"
        yield one_line(f"          {key}  ({values} value{'' if values == 1 else 's'})")


def _reg_lines(plan: Plan) -> Iterator[str]:
    from bootgraft.registry.regfile import format_key, format_value

    yield "Windows Registry Editor Version 5.00"
    hive, key = None, None
    for change in plan.registry():
        if change.hive != hive:
            hive, key = change.hive, None
            yield f"; {hive}"
        # The name under which a running Windows mounts the hive: what `reg import` and people expect.
        path = f"HKEY_LOCAL_MACHINE\\{change.hive.path.rpartition(chr(92))[2].upper()}\\{change.key}"
        if isinstance(change, DeleteKey):
            key = None
            yield f"\n{format_key(path, delete=True)}"
            continue
        if change.key != key:
            key = change.key
            yield f"\n{format_key(path)}"
        match change:
            case SetValue():
                yield format_value(change.name, change.value.type, change.value.data)
            case DeleteValue():
                yield format_value(change.name, change.before.type, b"", delete=True)
            case CreateKey():
                pass


def summary_line(plan: Plan) -> str:
    """What a plan comes to, in one line."""
    files, registry, sectors = len(plan.files()), len(plan.registry()), len(plan.sectors())
    directories = len(plan.directories())
    volumes = len(plan.formats())
    head = f"{volumes} new volume{'' if volumes == 1 else 's'}, " if volumes else ""
    head += f"{sectors} boot sector field{'' if sectors == 1 else 's'}, " if sectors else ""
    head += f"{directories} director{'y' if directories == 1 else 'ies'}, " if directories else ""
    head += f"{files} file{'' if files == 1 else 's'} and {registry} registry change{'' if registry == 1 else 's'}"
    return head + "".join(map(_cards_summary, plan.vm_files()))


def _cards_summary(change: EditVmFile) -> str:
    state = "plugged in" if change.plugged else "unplugged"
    return f", {len(change.cards)} network card{'' if len(change.cards) == 1 else 's'} {state}"
