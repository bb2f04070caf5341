"""``bootgraft drivers harvest``: writes a package that the child took out of a machine to a folder."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from bootgraft.cli.images.destination import tell_of_others_folder
from bootgraft.cli.images.session import Session
from bootgraft.cli.options import Options
from bootgraft.cli.terminal import answer, monitor_for, put_json
from bootgraft.errors import BootgraftError, ImageError, UsageError
from bootgraft.report.documents.drivers import HarvestDocument, HarvestedDocument
from bootgraft.report.layout.lines import lines_of
from bootgraft.worker.ipc.job import Operation

_MAX_BYTES = 256 * 2**20


def run(options: Options) -> int:
    """Write the package; returns the exit status."""
    if options.out is None:
        raise ValueError(options)
    pieces: list[bytes] = []
    with Session(options, writable=False, monitor=monitor_for(options)) as session:
        outcome = session.run(Operation.DRIVERS, pieces.append)
    if not isinstance(outcome.document, HarvestDocument):
        raise TypeError(outcome.document)
    document = replace(outcome.document, out=str(options.out))
    _write(options.out, _files(document.files, b"".join(pieces), options.images[0]))
    if options.json:
        put_json(document)
    else:
        answer((*outcome.text, *lines_of(_closing(document, options))), outcome.status, options)
    return outcome.status


def _files(listed: Sequence[HarvestedDocument], content: bytes, image: str) -> dict[str, bytes]:
    """The files by their names. What the child says is not trusted: it has read the image."""
    files: dict[str, bytes] = {}
    at = 0
    for each in listed:
        name, size = each.name, each.size
        if not name or name in (".", "..") or any(c in "/\\:\0" or ord(c) < 0x20 for c in name) or name in files:
            raise ImageError(f"{name!r} is no name for a file", where=image, advice="Nothing was written")
        files[name] = content[at : at + size]
        at += size
    if at != len(content) or at > _MAX_BYTES:
        raise ImageError("the driver's files are not what was announced", where=image, advice="Nothing was written")
    return files


def _write(folder: Path, files: dict[str, bytes]) -> None:
    try:
        present = next((folder / name for name in files if (folder / name).exists()), None)
        if present is not None:
            raise UsageError(
                "it exists already", where=str(present), advice="Give --out another folder", id="output-exists"
            )
        folder.mkdir(parents=True, exist_ok=True)
        tell_of_others_folder(folder)
        for name, data in files.items():
            with (folder / name).open("xb") as file:
                file.write(data)
    except OSError as error:
        raise BootgraftError(
            f"the package cannot be written ({error.strerror})",
            where=str(folder),
            advice="Give --out another folder",
            id="output-failed",
        ) from error


def _closing(document: HarvestDocument, options: Options) -> str:
    folder = Path(document.out)
    command = f"bootgraft repair IMAGE --target {document.target}"
    reg = next(each.name for each in document.files if each.name.endswith(".reg"))
    drivers = [each.name for each in document.files if each.name.casefold().endswith(".sys")]
    by_hand = " ".join(f"--file {shlex.quote(str(folder / name))}" for name in drivers)
    lines = [f"\nWritten to {options.out}. To repair another machine with it:"]
    if document.has_inf:
        lines.append(f"    {command} --drivers {shlex.quote(str(folder))}")
        lines.append("or")
    lines.append(f"    {command} --reg {shlex.quote(str(folder / reg))} {by_hand}")
    return "\n".join(lines) + "\n"
