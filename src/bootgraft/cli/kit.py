"""``bootgraft kit``: writes what an administrator runs on the physical machine, to a folder or a ZIP."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from bootgraft.cli.images.destination import tell_of_others_folder
from bootgraft.cli.images.session import Session
from bootgraft.cli.options import Options
from bootgraft.cli.terminal import answer, monitor_for, put_json
from bootgraft.errors import BootgraftError, ImageError, UsageError
from bootgraft.report.documents.drivers import KitDocument, KitFileDocument
from bootgraft.report.layout.lines import lines_of
from bootgraft.worker.ipc.job import Operation

_MAX_BYTES = 256 * 2**20
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every file in a ZIP: the oldest that there is, so that the same kit is the same ZIP."""


def run(options: Options) -> int:
    """Write the kit; returns the exit status."""
    out = options.out
    if out is None:
        raise ValueError(options)
    _refuse_present(out)
    pieces: list[bytes] = []
    with Session(options, writable=False, monitor=monitor_for(options)) as session:
        outcome = session.run(Operation.DRIVERS, pieces.append)
    document = outcome.document
    if not isinstance(document, KitDocument):
        raise TypeError(document)
    files = _files(document.files, b"".join(pieces), str(out))
    is_written = bool(files) and not options.dry_run
    if is_written:
        _write(out, files)
        document = replace(document, out=str(out))
    if options.json:
        put_json(document)
    else:
        closing = lines_of(_closing(document, options)) if files else ()
        answer((*outcome.text, *closing), outcome.status, options)
    return outcome.status


def _refuse_present(out: Path) -> None:
    """Raise where something is there that the kit would be mixed with."""
    try:
        is_there = any(out.iterdir()) if out.is_dir() and not _is_zip(out) else out.exists()
    except OSError as error:
        raise _unwritable(out, error) from error
    if is_there:
        raise UsageError(
            "it exists already",
            where=str(out),
            advice="Give --out an empty or a new folder, or a new ZIP",
            id="output-exists",
        )


def _is_zip(out: Path) -> bool:
    return out.suffix.casefold() == ".zip"


def _files(listed: Sequence[KitFileDocument], content: bytes, where: str) -> dict[str, bytes]:
    """The files by their paths. What the child says is not trusted: it has read images and packages."""
    files: dict[str, bytes] = {}
    at = 0
    for each in listed:
        name, size = each.name, each.size
        if name in files or any(not _is_name(part) for part in name.split("/")):
            raise ImageError(f"{name!r} is no name for a file", where=where, advice="Nothing was written")
        files[name] = content[at : at + size]
        at += size
    if at != len(content) or at > _MAX_BYTES:
        raise ImageError("the kit's files are not what was announced", where=where, advice="Nothing was written")
    return files


def _is_name(part: str) -> bool:
    return part not in ("", ".", "..") and not any(c in "\\:\0" or ord(c) < 0x20 for c in part)


def _write(out: Path, files: dict[str, bytes]) -> None:
    try:
        if _is_zip(out):
            tell_of_others_folder(out.parent)
            _write_zip(out, files)
            return
        out.mkdir(parents=True, exist_ok=True)
        tell_of_others_folder(out)
        for name, data in files.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(data)
    except OSError as error:
        raise _unwritable(out, error) from error


def _write_zip(out: Path, files: dict[str, bytes]) -> None:
    from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

    with out.open("xb") as target, ZipFile(target, "w") as archive:
        for name, data in files.items():
            member = ZipInfo(name, _EPOCH)
            member.compress_type = ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, data)


def _unwritable(out: Path, error: OSError) -> BootgraftError:
    return BootgraftError(
        f"the kit cannot be written ({error.strerror})",
        where=str(out),
        advice="Give --out another place",
        id="output-failed",
    )


def _closing(document: KitDocument, options: Options) -> str:
    if options.dry_run:
        return "\nNothing was written: this was a dry run.\n"
    return (
        f"\nWritten to {options.out}. Copy it to the physical machine, run install.cmd there, convert it, then:\n"
        f"    bootgraft check IMAGE --target {shlex.quote(document.target)}\n"
    )
