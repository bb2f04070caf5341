"""The part of a document that describes changes, made of the changes; and the differences of those to texts."""

from collections.abc import Sequence

import msgspec

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
from bootgraft.report.documents import changing
from bootgraft.report.documents.changing import DataDocument


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
