"""What a plan changes, for people: files, sectors, and the registry as ``.reg`` text."""

from collections.abc import Iterator, Sequence

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
from bootgraft.report.changes import file_difference, vm_file_difference
from bootgraft.report.layout.lines import LineRole, Printed, PrintedLine, Text, Tone
from bootgraft.text import counted, listed, one_line, printable

_SHOWN_BYTES = 64
_DIFFERENCES = {"-": Tone.BAD, "+": Tone.GOOD, "@": Tone.QUIET}


def plan_text(plan: Plan, *, detailed: bool) -> Text:
    """The files that a plan writes and its registry changes: as ``.reg`` text where detailed, else key by key."""
    return tuple(_plan_lines(plan, detailed=detailed))


def _plan_lines(plan: Plan, *, detailed: bool) -> Iterator[Printed]:
    yield from map(_format_line, plan.formats())
    yield from (one_line(f"create  {change.file}\\  (directory)") for change in plan.directories())
    for change in plan.files():
        yield one_line(_file_line(change))
        if detailed:
            yield from difference_lines(file_difference(change) or ())
    yield from map(sector_line, plan.sectors())
    for edit in plan.vm_files():
        yield one_line(_vm_file_line(edit))
        if detailed:
            yield from difference_lines(vm_file_difference(edit))
    if plan.registry():
        yield from _reg_lines(plan) if detailed else _key_lines(plan)
    if plan.notes:
        yield from ("", *(one_line(f"note: {note}") for note in plan.notes))


def difference_lines(lines: Sequence[str]) -> Iterator[PrintedLine]:
    """A unified diff, as it stands below the file that it is of."""
    for line in lines:
        yield PrintedLine(
            f"          {printable(line.expandtabs())}".rstrip(), LineRole.CODE, _DIFFERENCES.get(line[:1], Tone.PLAIN)
        )


def _file_line(change: WriteFile) -> str:
    if change.old is not None:
        verb = "create" if change.before is None else "edit  "
        return f"{verb}  {change.file}  ({len(change.data)} bytes, {change.origin})"
    verb = "create" if change.before is None else "replace"
    return f"{verb}  {change.file}  ({len(change.data)} bytes, from {change.origin})"


def _vm_file_line(change: EditVmFile) -> str:
    return f"edit    {change.path}  ({', '.join(change.cards)}: {'connected' if change.plugged else 'disconnected'})"


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
        yield one_line(f"          {key}  ({counted(values, 'value')})")


def _reg_lines(plan: Plan) -> Iterator[PrintedLine]:
    return (PrintedLine(line, LineRole.CODE) for line in ("", *_reg_text(plan)))


def _reg_text(plan: Plan) -> Iterator[str]:
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
            yield from ("", format_key(path, delete=True))
            continue
        if change.key != key:
            key = change.key
            yield from ("", format_key(path))
        match change:
            case SetValue():
                yield from format_value(change.name, change.value.type, change.value.data).split("\n")
            case DeleteValue():
                yield from format_value(change.name, change.before.type, b"", delete=True).split("\n")
            case CreateKey():
                pass


def summary_line(plan: Plan) -> str:
    """What a plan comes to, in one line."""
    parts = (
        (len(plan.formats()), "new volume", "new volumes"),
        (len(plan.sectors()), "boot sector field", "boot sector fields"),
        (len(plan.directories()), "directory", "directories"),
        (len(plan.files()), "file", "files"),
        (len(plan.registry()), "registry change", "registry changes"),
    )
    changed = [counted(*part) for part in parts if part[0]]
    return listed([*changed, *map(_cards_summary, plan.vm_files())]) or "no change"


def _cards_summary(change: EditVmFile) -> str:
    state = "connected" if change.plugged else "disconnected"
    return f"{counted(len(change.cards), 'network adapter')} {state}"
