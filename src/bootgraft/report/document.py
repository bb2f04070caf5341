"""The documents of ``inspect``, ``check`` and ``repair``, made of what was found."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import UNSET, UnsetType

from bootgraft.boot.steps import Step
from bootgraft.boot.unsupported_volume import explain
from bootgraft.checks.diagnosis import Diagnosis
from bootgraft.checks.finding import Finding, Prospect
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.machine import Disk, Firmware, Machine, Volume
from bootgraft.report.device import DeviceSpec
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
from bootgraft.report.programs.places import control_sets_of, volume_of
from bootgraft.report.programs.remediation import RepairContext
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
        number=volume.listed_number,
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
    return "a simple volume of a dynamic disk" if volume.partition.is_dynamic else None


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
        partition=installation.volume.listed_number,
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
    *,
    repair: RepairContext,
) -> CheckDocument:
    """Build the document of ``check``; ``fragments`` are what ``--recommend`` asked for, ``suspects`` ``--symptom``.

    ``repair`` has what the commands are made of that fix the findings.
    """
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
        findings=finding_documents(findings, repair, None if installation is None else installation.volume),
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


def finding_documents(
    findings: Sequence[Finding], repair: RepairContext, home: Volume | None
) -> tuple[FindingDocument, ...]:
    """Build the part of a document that describes findings; ``home`` is the volume of the Windows."""
    return tuple(_finding(each, repair, home) for each in findings)


def _finding(finding: Finding, repair: RepairContext, home: Volume | None) -> FindingDocument:
    return FindingDocument(
        id=finding.id,
        severity=finding.severity,
        title=finding.title,
        explanation=finding.explanation,
        evidence=finding.evidence,
        fixable=finding.fixable,
        fault_in=finding.fault_in,
        offered=finding.offered,
        skipped=finding.skipped,
        link=f"docs/findings.md#{finding.id}",
        volume=volume_of(finding, home),
        control_sets=control_sets_of(finding),
        remediation=repair.remediation(finding),
    )
