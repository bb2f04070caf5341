"""The documents of ``inspect``, ``check`` and ``repair``, made of what was found."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import UNSET, UnsetType

from bootgraft.boot.steps import Step
from bootgraft.boot.unsupported_volume import explain
from bootgraft.changes import (
    Change,
    CreateDirectory,
    CreateKey,
    DeleteKey,
    DeleteValue,
    EditVmFile,
    FormatVolume,
    RegistryChange,
    RegistryData,
    SetValue,
    WriteFile,
    WriteSectors,
)
from bootgraft.checks.diagnosis import Diagnosis
from bootgraft.checks.finding import Finding, Prospect
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.machine import Disk, Firmware, Machine, Volume
from bootgraft.report.device import DeviceSpec
from bootgraft.report.documents import changing
from bootgraft.report.documents.changing import DataDocument
from bootgraft.report.documents.machine import (
    DiskDocument,
    InspectDocument,
    PartitionDocument,
    SelectDocument,
    StepDocument,
    WindowsDocument,
)
from bootgraft.report.documents.records import RecordsDocument
from bootgraft.report.documents.verdict import (
    AlternativeDocument,
    CheckDocument,
    FindingDocument,
    FragmentDocument,
    SuspectsDocument,
)
from bootgraft.storage.disks.ldm import is_dynamic
from bootgraft.windows.installation import Installation

if TYPE_CHECKING:  # few ask for them
    from bootgraft.checks.prospects import Outlook
    from bootgraft.checks.suspects import Suspects
    from bootgraft.targets.recommend import Fragment


def inspect_document(
    machine: Machine,
    images: Sequence[DeviceSpec],
    windows: Sequence[Installation],
    steps: Sequence[Step],
    unreadable: Sequence[str],
    records: Sequence[RecordsDocument] = (),
) -> InspectDocument:
    """Build the document of ``inspect``; ``unreadable`` says what is wrong with installations that cannot be read.

    The parent fills in ``vm``: see :mod:`.description`.
    """
    return InspectDocument(
        disks=tuple(_disk(machine, disk, image) for disk, image in zip(machine.disks, images, strict=True)),
        windows=tuple(map(windows_document, windows)),
        boot_chain=msgspec.convert(steps, tuple[StepDocument, ...], from_attributes=True),
        unreadable=tuple(unreadable),
        records=tuple(records),
        vm=None,
    )


def _disk(machine: Machine, disk: Disk, image: DeviceSpec) -> DiskDocument:
    table = disk.table
    return DiskDocument(
        index=disk.index,
        path=image.location,
        format=image.format,
        size=disk.device.size,
        sector_size=table.sector_size,
        table=table.kind,
        signature=None if table.signature is None else f"{table.signature:08x}",
        problems=tuple(table.problems),
        partitions=tuple(_partition(machine, volume) for volume in disk.volumes),
        logical_sector_size=image.sector_size,
    )


def _partition(machine: Machine, volume: Volume) -> PartitionDocument:
    partition = volume.partition
    return PartitionDocument(
        number=volume.number,
        slot=partition.slot,
        start=partition.start,
        size=partition.size,
        type=partition.type,
        active=partition.active,
        filesystem=volume.kind,
        label=_label(volume),
        note=_note(machine, volume),
    )


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
    return WindowsDocument(
        id=installation.id,
        disk=installation.volume.disk,
        partition=installation.volume.number,
        volume=installation.volume.name,
        root=installation.directory,
        product=installation.product,
        version=".".join(map(str, installation.version)),
        build=installation.build,
        arch=installation.arch,
        service_pack=installation.service_pack,
        control_sets=tuple(installation.control_sets),
        select=msgspec.convert(installation.select, SelectDocument, from_attributes=True),
        drive_letter=installation.drive_letter,
        default_boot=installation.default_boot,
        notes=tuple(installation.notes),
    )


def check_document(
    diagnosis: Diagnosis,
    fragments: "Sequence[Fragment]" = (),
    alternatives: "Sequence[Outlook]" = (),
    suspects: "Suspects | None" = None,
) -> CheckDocument:
    """Build the document of ``check``; ``fragments`` are what ``--recommend`` asked for, ``suspects`` ``--symptom``."""
    installation, findings = diagnosis.installation, diagnosis.findings
    symptom: SuspectsDocument | UnsetType = UNSET
    if suspects is not None:
        from bootgraft.report.suspects import suspects_document

        symptom, findings = suspects_document(suspects), suspects.first(findings)
    return CheckDocument(
        verdict=diagnosis.verdict,
        image_verdict=diagnosis.image_verdict,
        stop_code=diagnosis.stop_code,
        target=None if diagnosis.controller is None else diagnosis.controller.target,
        firmware=_firmware(diagnosis),
        windows=None if installation is None else windows_document(installation),
        findings=finding_documents(findings),
        alternatives=tuple(
            AlternativeDocument(each.controller.target, each.prospect is Prospect.BOOTS) for each in alternatives
        ),
        fragments=fragment_documents(fragments),
        symptom=symptom,
    )


def fragment_documents(fragments: "Sequence[Fragment]") -> tuple[FragmentDocument, ...]:
    """Build the part of a document that has lines of a machine's description."""
    return msgspec.convert(fragments, tuple[FragmentDocument, ...], from_attributes=True)


def _firmware(diagnosis: Diagnosis) -> Literal["bios", "uefi"] | None:
    match diagnosis.chain.firmware:
        case None:
            return None
        case Firmware.BIOS:
            return "bios"
        case Firmware.UEFI:
            return "uefi"


def finding_documents(findings: Sequence[Finding]) -> tuple[FindingDocument, ...]:
    """Build the part of a document that describes findings."""
    return msgspec.convert(findings, tuple[FindingDocument, ...], from_attributes=True)


def change_documents(changes: Sequence[Change]) -> changing.Changes:
    """Build the part of a document that describes changes."""
    return tuple(map(change_document, changes))


def change_document(change: Change) -> changing.AnyChange:
    """Build the part of a document that describes one change."""
    match change:
        case CreateDirectory(file=file):
            return changing.CreateDirectoryDocument(volume=file.volume, path=file.path)
        case WriteFile(file=file):
            return changing.WriteFileDocument(
                volume=file.volume,
                path=file.path,
                size=len(change.data),
                sha256=change.after,
                before_sha256=change.before,
                origin=change.origin,
                diff=file_difference(change),
            )
        case WriteSectors():
            return msgspec.convert(change, changing.WriteSectorsDocument, from_attributes=True)
        case FormatVolume():
            return msgspec.convert(change, changing.FormatVolumeDocument, from_attributes=True)
        case EditVmFile():
            return changing.EditVmFileDocument(
                path=change.path, cards=change.cards, plugged=change.plugged, diff=vm_file_difference(change)
            )
        case _:
            return _registry_change(change)


def _registry_change(change: RegistryChange) -> changing.AnyChange:
    hive, key = str(change.hive), change.key
    match change:
        case CreateKey():
            return changing.CreateKeyDocument(hive=hive, key=key)
        case DeleteKey():
            return changing.DeleteKeyDocument(hive=hive, key=key)
        case SetValue(name=name, value=value, before=before):
            old = None if before is None else _data(before)
            return changing.SetValueDocument(hive=hive, key=key, name=name, value=_data(value), before=old)
        case DeleteValue(name=name, before=before):
            return changing.DeleteValueDocument(hive=hive, key=key, name=name, before=_data(before))


def file_difference(change: WriteFile) -> tuple[str, ...] | None:
    """The lines of a unified diff, for an edit of a text in the OEM code page; None for any other file."""
    if change.old is None:
        return None
    import re
    from difflib import unified_diff

    old, new = (re.split(r"\r\n|\r|\n", data.decode("cp437")) for data in (change.old, change.data))
    return tuple(unified_diff(old, new, str(change.file), str(change.file), n=1, lineterm=""))


def vm_file_difference(change: EditVmFile) -> tuple[str, ...]:
    """The lines of a unified diff of the machine's description."""
    from difflib import unified_diff

    encoding = "utf-16" if change.before.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    old, new = (data.decode(encoding, "replace").splitlines() for data in (change.before, change.data))
    return tuple(unified_diff(old, new, change.path, change.path, n=1, lineterm=""))


def _data(value: RegistryData) -> DataDocument:
    return DataDocument(type=int(value.type), data=value.data)
