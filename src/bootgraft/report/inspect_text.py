"""What ``inspect`` prints: disks to scale, each Windows, the boot chain step by step."""

from collections.abc import Iterator, Sequence

from bootgraft.report.documents.machine import (
    DiskDocument,
    InspectDocument,
    PartitionDocument,
    StepDocument,
    WindowsDocument,
)
from bootgraft.report.layout.drawing import draw, stretches_of
from bootgraft.report.layout.lines import LineRole, Printed, PrintedLine, Text, Tone
from bootgraft.text import one_line

_UNITS = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def size_text(size: int) -> str:
    """Bytes in the unit that people would use."""
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def inspect_text(document: InspectDocument) -> Text:
    """What ``inspect`` prints."""
    return tuple(one_line(each) if isinstance(each, str) else each for each in _inspect_lines(document))


def _inspect_lines(document: InspectDocument) -> Iterator[Printed]:
    default = next((each for each in document.windows if each.default_boot), None)
    if default is not None:
        what = f"{place_of(default)} is what this machine boots: {default.root}, {_version_text(default)}"
        yield PrintedLine(
            one_line(what), tone=Tone.HEAD if all(step.holds for step in document.boot_chain) else Tone.BAD
        )
    else:
        yield PrintedLine("No Windows was found that this machine would boot.", tone=Tone.BAD)
    for disk in document.disks:
        yield ""
        yield from _disk_lines(disk)
    yield ""
    yield f"boot chain: {_chain_line(document.boot_chain)}"
    for step in document.boot_chain:
        yield _step_line(step)
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


def _step_line(step: StepDocument) -> PrintedLine:
    text = one_line(f"  {'ok    ' if step.holds else 'BROKEN'}  {step.what}")
    return PrintedLine(text, LineRole.ROW, Tone.GOOD if step.holds else Tone.BAD, (2, 10))


def _disk_lines(disk: DiskDocument) -> Iterator[Printed]:
    signature = f", signature {disk.signature}" if disk.signature else ""
    table = "no partition table" if disk.table == "none" else f"{disk.table.upper()}{signature}"
    yield f"disk {disk.index}  {disk.path}  {disk.format}, {size_text(disk.size)}, {table}{_sectors_text(disk)}"
    stretches = stretches_of(disk)
    drawing = draw(stretches)
    if drawing is not None:
        yield PrintedLine(f"  {drawing}", LineRole.BAR, parts=stretches)
    for partition in disk.partitions:
        yield _partition_line(partition)
    for problem in disk.problems:
        yield f"  problem: {problem}"


def _sectors_text(disk: DiskDocument) -> str:
    """The sector size that the table counts in and, where it is another, the one that the image says."""
    other = disk.logical_sector_size
    own = "" if disk.table == "none" else f", sectors of {disk.sector_size} bytes"
    return own if other in (None, disk.sector_size) else f"{own} (the image says {other})"


def _partition_line(partition: PartitionDocument) -> PrintedLine:
    number = str(partition.number or "-")  # an extended partition has none
    label = f'  "{partition.label}"' if partition.label else ""
    active = "  active" if partition.active else ""
    filesystem = partition.filesystem or f"type {partition.type}"
    note = f"  ({partition.note})" if partition.note else ""
    head = f"  partition {number:>2}  {size_text(partition.size):>10}  "
    return PrintedLine(one_line(f"{head}{filesystem}{active}{label}{note}"), LineRole.ROW, columns=(2, len(head)))


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
