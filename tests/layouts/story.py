"""What is told of a layout: boot chain, verdict, what a repair changes, and how other programs see the result."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bootgraft.errors import BootgraftError
from bootgraft.storage.devices.overlay import MAX_RUN, Overlay
from bootgraft.worker.ipc.job import Operation
from tests.layouts.layout import Layout
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.spec import FileSystem
from tests.machines.tools import run
from tests.report.contract import printed
from tests.storage.sample_disks import SparseDisk
from tests.worker.in_process import do


def prepare(layout: Layout, built: BuiltMachine) -> list[Path]:
    """Change the built disks as the layout says; the disks that bootgraft is given, in their order."""
    for patch in layout.patches:
        SparseDisk(built.disks[patch.disk]).write(patch.offset, patch.data)
    if layout.cut is not None:
        with built.disks[0].open("r+b") as image:
            image.truncate(layout.cut)
    return [built.disks[index] for index in layout.given or range(len(built.disks))]


def tell(layout: Layout, built: BuiltMachine) -> str:
    """The whole story of a layout as text. The disks in ``built`` end as the repair leaves them."""
    images = prepare(layout, built)
    overlays = [Overlay(SparseDisk(image)) for image in images]
    lines = [layout.what, "", *_inspected(overlays), *_checked(layout, overlays)]
    changes, committed = _repair(layout, overlays)
    lines += changes
    if committed:
        write_back(overlays, images)
        lines += ["", "afterwards", *_inspected(overlays), *_checked(layout, overlays), *_judged(built, images)]
    return "\n".join(lines) + "\n"


def write_back(overlays: Sequence[Overlay], images: Sequence[Path]) -> None:
    """Write what the overlays hold into the images under them."""
    for overlay, image in zip(overlays, images, strict=True):
        device = SparseDisk(image)
        for changed in overlay.runs():
            for at in range(changed.offset, changed.offset + changed.length, MAX_RUN):
                length = min(MAX_RUN, changed.offset + changed.length - at)
                device.write(at, overlay.read(at, length))


def _inspected(overlays: Sequence[Overlay]) -> Iterator[str]:
    try:
        document = printed(do(Operation.INSPECT, overlays, targets=()).document)
    except BootgraftError as error:
        yield f"inspect: {error}"
        return
    links = (step["link"] if step["holds"] else f"BROKEN: {step['what']}" for step in document["boot_chain"])
    yield " -> ".join(filter(None, links))
    for step in document["boot_chain"]:
        yield f"{'ok    ' if step['holds'] else 'BROKEN'} {step['what']}"
        yield f"       {step['where']}: {step['evidence']}"
    for windows in document["windows"]:
        yield f"Windows {windows['id']}{' boots' if windows['default_boot'] else ''}"
    for problem in document["unreadable"]:
        yield f"cannot be read: {problem}"


def _checked(layout: Layout, overlays: Sequence[Overlay]) -> Iterator[str]:
    try:
        document = printed(do(Operation.CHECK, overlays, targets=(layout.target,)).document)
    except BootgraftError as error:
        yield f"check: {error}"
        return
    yield f"verdict on {layout.target}: {document['verdict']} {document['stop_code'] or ''}".rstrip()
    for finding in document["findings"]:
        fixable = ", can be repaired" if finding["fixable"] else ""
        yield f"  {finding['severity']} {finding['id']}{fixable}: {finding['title']}"


def _repair(layout: Layout, overlays: Sequence[Overlay]) -> tuple[list[str], bool]:
    try:
        outcome = do(Operation.REPAIR, overlays, targets=(layout.target,))
    except BootgraftError as error:
        return [f"repair: {error}"], False
    changes = printed(outcome.document)["changes"]
    if not changes:
        return ["repair: nothing to change" if outcome.status == 0 else "repair: nothing that would help"], False
    proven = "proven" if outcome.proven else "not proven, so not written"
    return [f"repair: {proven}", *(f"  {line}" for each in changes for line in _change(each))], outcome.proven


def _change(change: dict[str, Any]) -> Iterator[str]:
    match change["kind"]:
        case "write-file":
            yield f"{change['volume']}: {change['path']} gets {change['size']} bytes"
            yield from (f"  {line}" for line in (change["diff"] or ())[3:])
        case "write-sectors":
            yield f"disk {change['disk']}, byte {change['offset']}: {change['what']}"
        case "set-value":
            yield f"{change['hive']}: {change['key']}, {change['name'] or '(default)'}"
        case kind:
            yield f"{kind} {change.get('hive', '')}{change.get('volume', '')}: {change.get('key', change.get('path'))}"


def _judged(built: BuiltMachine, images: Sequence[Path]) -> Iterator[str]:
    """What other programs say of the repaired disks."""
    for number, disk in enumerate(built.spec.disks):
        image = built.disks[number]
        if image not in images:
            continue
        for line in run("sfdisk", "--dump", image).decode().splitlines():
            if line.startswith("label-id") or "bootable" in line:
                yield "sfdisk: " + " ".join(line.replace(str(image), "").split())
        for index, partition in enumerate(disk.partitions):
            if partition.volume is not None:
                yield from _judged_volume(built, image, index, number)


def _judged_volume(built: BuiltMachine, image: Path, index: int, disk: int) -> Iterator[str]:
    span = built.span(index, disk)
    volume = built.spec.disks[disk].partitions[index].volume
    assert volume is not None
    if volume.filesystem is FileSystem.NTFS:
        oracles.ntfs_is_consistent(image, span)
    else:
        oracles.fat_is_consistent(image, span)
    for path in ("\\boot.ini", "\\freeldr.ini"):
        if any(name.lower() == path for name in oracles.paths(image, span)):
            text = oracles.read_file(image, span, path).decode("cp437")
            yield from (f"sleuthkit: {path}: {line}" for line in text.splitlines())
