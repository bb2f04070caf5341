"""The JSON documents of the command-line contract (``docs/json.md``), built in one place from what was found."""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from bootgraft.boot.chain import Step
from bootgraft.boot.unusable import explain
from bootgraft.changes import (
    Change,
    CreateDirectory,
    CreateKey,
    DeleteKey,
    DeleteValue,
    EditVmFile,
    RegistryData,
    SetValue,
    WriteFile,
    WriteSectors,
)
from bootgraft.checks.diagnosis import Diagnosis
from bootgraft.checks.finding import Finding
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.machine import Disk, Machine, Volume
from bootgraft.report.device import DeviceSpec
from bootgraft.storage.ldm import is_dynamic
from bootgraft.windows.installation import Installation

if TYPE_CHECKING:  # few ask for them
    from bootgraft.checks.alternatives import Alternative
    from bootgraft.targets.recommend import Fragment


class PartitionDocument(TypedDict):
    """One partition; start and size in bytes."""

    number: int | None
    slot: int
    start: int
    size: int
    type: str
    active: bool
    filesystem: str | None
    label: str | None
    note: str | None


class DiskDocument(TypedDict):
    """One disk; size and sector size in bytes."""

    index: int
    path: str
    format: str
    size: int
    sector_size: int
    table: str
    signature: str | None
    problems: list[str]
    partitions: list[PartitionDocument]


class SelectDocument(TypedDict):
    """The values of the Select key."""

    current: int
    default: int
    failed: int
    last_known_good: int


class WindowsDocument(TypedDict):
    """One installation."""

    id: str
    disk: int
    partition: int | None
    root: str
    product: str
    version: str
    build: str
    arch: str
    service_pack: str
    control_sets: list[int]
    select: SelectDocument
    drive_letter: str | None
    default_boot: bool
    notes: list[str]


class StepDocument(TypedDict):
    """One step of the boot chain."""

    link: str
    what: str
    where: str
    evidence: str
    holds: bool


class InspectDocument(TypedDict):
    """What ``inspect --json`` prints."""

    disks: list[DiskDocument]
    windows: list[WindowsDocument]
    boot_chain: list[StepDocument]
    unreadable: list[str]
    vm: None  # the parent fills it in: see ``description``


class FindingDocument(TypedDict):
    """One finding."""

    id: str
    severity: str
    title: str
    explanation: str
    evidence: list[str]
    fixable: bool


class FragmentDocument(TypedDict):
    """Lines of a machine's description."""

    format: str
    text: str


class AlternativeDocument(TypedDict):
    """A target that needs no driver from outside."""

    target: str
    as_it_is: bool


class CheckDocument(TypedDict):
    """What ``check --json`` prints."""

    verdict: str
    stop_code: str | None
    target: str | None
    firmware: str | None
    windows: WindowsDocument | None
    findings: list[FindingDocument]
    alternatives: list[AlternativeDocument]
    fragments: list[FragmentDocument]


class ValueDocument(TypedDict):
    """A registry value: type number and bytes in base64."""

    type: int
    data: str


class ChangeDocument(TypedDict, total=False):
    """One change; which members there are depends on ``kind`` (see docs/json.md)."""

    kind: str
    volume: str
    path: str
    size: int
    sha256: str
    before_sha256: str | None
    origin: str
    diff: list[str] | None
    hive: str
    key: str
    name: str
    value: ValueDocument
    before: ValueDocument | str | None
    disk: int
    offset: int
    data: str
    what: str
    cards: list[str]
    plugged: bool


class RepairDocument(TypedDict):
    """What ``repair --json`` prints. ``committed`` and ``journal`` are filled in once that is known."""

    before: list[CheckDocument]
    changes: list[ChangeDocument]
    notes: list[str]
    after: list[CheckDocument]
    committed: bool
    journal: str | None


def inspect_document(
    machine: Machine,
    images: Sequence[DeviceSpec],
    windows: Sequence[Installation],
    steps: Sequence[Step],
    unreadable: Sequence[str],
) -> InspectDocument:
    """Build the document of ``inspect``; ``unreadable`` says what is wrong with installations that cannot be read."""
    return {
        "disks": [_disk(machine, disk, image) for disk, image in zip(machine.disks, images, strict=True)],
        "windows": [windows_document(each) for each in windows],
        "boot_chain": [_step(step) for step in steps],
        "unreadable": list(unreadable),
        "vm": None,
    }


def _step(step: Step) -> StepDocument:
    return {
        "link": step.link,
        "what": step.what,
        "where": step.where,
        "evidence": step.evidence,
        "holds": step.holds,
    }


def _disk(machine: Machine, disk: Disk, image: DeviceSpec) -> DiskDocument:
    table = disk.table
    return {
        "index": disk.index,
        "path": image.location,
        "format": image.format,
        "size": disk.device.size,
        "sector_size": table.sector_size,
        "table": table.kind.value,
        "signature": None if table.signature is None else f"{table.signature:08x}",
        "problems": list(table.problems),
        "partitions": [_partition(machine, volume) for volume in disk.volumes],
    }


def _partition(machine: Machine, volume: Volume) -> PartitionDocument:
    partition = volume.partition
    return {
        "number": volume.number,
        "slot": partition.slot,
        "start": partition.start,
        "size": partition.size,
        "type": partition.type,
        "active": partition.active,
        "filesystem": None if volume.kind is None else volume.kind.value,
        "label": _label(volume),
        "note": _note(machine, volume),
    }


def _note(machine: Machine, volume: Volume) -> str | None:
    """What the volume is where it is no ordinary partition, or one of a dynamic disk."""
    cause = explain(machine, volume)
    if cause is not None:
        return cause.what
    return "a simple volume of a dynamic disk" if is_dynamic(volume.partition) else None


def _label(volume: Volume) -> str | None:
    """The volume's label; None too where the volume cannot be read, which the boot chain says where it matters."""
    try:
        return volume.filesystem().label or None
    except (FileSystemError, PartitionTableError):
        return None


def windows_document(installation: Installation) -> WindowsDocument:
    """Build the part of a document that describes one installation."""
    select = installation.select
    return {
        "id": installation.id,
        "disk": installation.volume.disk,
        "partition": installation.volume.number,
        "root": installation.directory,
        "product": installation.product,
        "version": ".".join(map(str, installation.version)),
        "build": installation.build,
        "arch": installation.arch.value,
        "service_pack": installation.service_pack,
        "control_sets": list(installation.control_sets),
        "select": {
            "current": select.current,
            "default": select.default,
            "failed": select.failed,
            "last_known_good": select.last_known_good,
        },
        "drive_letter": installation.drive_letter,
        "default_boot": installation.default_boot,
        "notes": list(installation.notes),
    }


def check_document(
    diagnosis: Diagnosis, fragments: "Sequence[Fragment]" = (), alternatives: "Sequence[Alternative]" = ()
) -> CheckDocument:
    """Build the document of ``check``; ``fragments`` are what ``--recommend`` asked for."""
    installation = diagnosis.installation
    return {
        "verdict": diagnosis.verdict.value,
        "stop_code": diagnosis.stop_code,
        "target": None if diagnosis.controller is None else diagnosis.controller.target,
        "firmware": None if diagnosis.chain.firmware is None else diagnosis.chain.firmware.value.lower(),
        "windows": None if installation is None else windows_document(installation),
        "findings": [finding_document(finding) for finding in diagnosis.findings],
        "alternatives": [{"target": each.target, "as_it_is": each.as_it_is} for each in alternatives],
        "fragments": [{"format": each.format, "text": each.text} for each in fragments],
    }


def finding_document(finding: Finding) -> FindingDocument:
    """Build the part of a document that describes one finding."""
    return {
        "id": finding.id,
        "severity": finding.severity.value,
        "title": finding.title,
        "explanation": finding.explanation,
        "evidence": list(finding.evidence),
        "fixable": finding.fixable,
    }


def change_document(change: Change) -> ChangeDocument:
    """Build the part of a document that describes one change."""
    match change:
        case CreateDirectory(file=file):
            return {"kind": "create-directory", "volume": file.volume, "path": file.path}
        case WriteFile(file=file):
            return {
                "kind": "write-file",
                "volume": file.volume,
                "path": file.path,
                "size": len(change.data),
                "sha256": change.after,
                "before_sha256": change.before,
                "origin": change.origin,
                "diff": file_difference(change),
            }
        case WriteSectors():
            return {
                "kind": "write-sectors",
                "disk": change.disk,
                "offset": change.offset,
                "data": base64.b64encode(change.data).decode("ascii"),
                "before": base64.b64encode(change.before).decode("ascii"),
                "what": change.what,
            }
        case EditVmFile():
            return {
                "kind": "edit-vm-file",
                "path": change.path,
                "cards": list(change.cards),
                "plugged": change.plugged,
                "diff": vm_file_difference(change),
            }
        case CreateKey():
            return {"kind": "create-key", "hive": str(change.hive), "key": change.key}
        case DeleteKey():
            return {"kind": "delete-key", "hive": str(change.hive), "key": change.key}
        case SetValue():
            return {
                "kind": "set-value",
                "hive": str(change.hive),
                "key": change.key,
                "name": change.name,
                "value": _value(change.value),
                "before": None if change.before is None else _value(change.before),
            }
        case DeleteValue():
            return {
                "kind": "delete-value",
                "hive": str(change.hive),
                "key": change.key,
                "name": change.name,
                "before": _value(change.before),
            }


def file_difference(change: WriteFile) -> list[str] | None:
    """The lines of a unified diff, for an edit of a text in the OEM code page; None for any other file."""
    if change.old is None:
        return None
    import re
    from difflib import unified_diff

    old, new = (re.split(r"\r\n|\r|\n", data.decode("cp437")) for data in (change.old, change.data))
    return list(unified_diff(old, new, str(change.file), str(change.file), n=1, lineterm=""))


def vm_file_difference(change: EditVmFile) -> list[str]:
    """The lines of a unified diff of the machine's description."""
    from difflib import unified_diff

    encoding = "utf-16" if change.before.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    old, new = (data.decode(encoding, "replace").splitlines() for data in (change.before, change.data))
    return list(unified_diff(old, new, change.path, change.path, n=1, lineterm=""))


def _value(value: RegistryData) -> ValueDocument:
    return {"type": int(value.type), "data": base64.b64encode(value.data).decode("ascii")}
