"""Where a command is to write, and what it says of what it wrote."""

import os
import stat
from pathlib import Path

from msgspec import Struct

from bootgraft.cli.options import Options
from bootgraft.errors import UsageError
from bootgraft.report.documents.base import Document
from bootgraft.worker.ipc.job import AnyOutcome


class Written(Struct, frozen=True):
    """What came of a job, and where it was written: the journal's path, or the overlays'; both empty for nothing."""

    outcome: AnyOutcome
    journal: Path | None = None
    overlays: tuple[Path, ...] = ()

    @property
    def committed(self) -> bool:
        """Whether anything was written."""
        return self.journal is not None or bool(self.overlays)

    def document(self) -> Document:
        """The outcome's document, with what was written."""
        from msgspec.structs import replace

        from bootgraft.report.documents.changing import RepairDocument
        from bootgraft.report.documents.registry import EditDocument

        document = self.outcome.document
        if not isinstance(document, RepairDocument | EditDocument):
            raise TypeError(document)
        journal = None if self.journal is None else str(self.journal)
        return replace(document, committed=self.committed, journal=journal, overlays=tuple(map(str, self.overlays)))

    def places(self, options: Options) -> str:
        """Where it was written, for people."""
        images = options.images if options.vm_edit is None else options.covered
        return ", ".join(map(str, self.overlays) if self.overlays else images)

    def closing(self, options: Options) -> str:
        """How to revert it, or that there is nothing to revert; empty where nothing was to be written."""
        if self.overlays:
            return f"\nThe image itself is untouched. Boot from {self.places(options)}; to undo, delete it.\n"
        if self.journal is None:
            if options.overlay is None or options.dry_run or self.outcome.status:
                return ""  # the text itself says that nothing was written
            return f"\n{options.overlay} was not made, as nothing is to be changed: use {self.places(options)}.\n"
        undo = f"\nUndo journal: {_shown(self.journal)}\nTo revert this change, run:\n    {undo_command(options)}\n"
        if options.vm_edit is None:
            return undo
        from bootgraft.cli.images.vm import first_start

        return first_start(options) + undo


def is_in_place(options: Options) -> bool:
    """Whether the command would write to the images themselves."""
    return not (options.dry_run or options.overlay)


def check_destination(options: Options) -> None:
    """Raise UsageError where it cannot be written to what the options say."""
    if options.overlay and os.path.lexists(options.overlay):
        raise UsageError(
            "it exists already",
            where=str(options.overlay),
            advice="Give --overlay a new file's name",
            id="output-exists",
        )
    if options.overlay and options.journal:
        raise UsageError(
            "an overlay needs no journal: the image is not written",
            where="--journal",
            advice="Leave one of the two out; to undo, delete the overlay",
        )


def tell_of_others_folder(folder: Path) -> None:
    """Say where others can exchange what is written to a folder: drivers and scripts, which are used later."""
    from bootgraft.cli.terminal import tell
    from bootgraft.storage.ownership import is_trusted_owner, user_name

    status = folder.stat()
    if not is_trusted_owner(status.st_uid, ()):
        who = user_name(status.st_uid)
    elif status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        who = "everybody"
    else:
        return
    tell(f"bootgraft: {folder}: {who} can exchange files in this folder; look at them before you use them\n")


def undo_command(options: Options) -> str:
    """The command that undoes what these options did."""
    import shlex

    words = ["bootgraft", "undo", *options.images]
    if options.vm_edit is not None:
        words += ["--vm", options.vm_edit.path]
    if options.journal is not None:
        words += ["--journal", str(options.journal)]
    if options.format is not None:
        words += ["--format", options.format]
    for folder in options.allow_path:
        words += ["--allow-path", str(folder)]
    return shlex.join(words)


def _shown(path: Path) -> str:
    """The path as one would type it from here."""
    try:
        here = Path.cwd()
    except OSError:  # the folder was deleted meanwhile
        return str(path)
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
