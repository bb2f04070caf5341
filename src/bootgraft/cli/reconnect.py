"""``bootgraft reconnect``: connect the network adapters again that an isolating repair disconnected."""

import shlex
from pathlib import Path

from bootgraft.changes import EditVmFile, Plan
from bootgraft.cli.images.vm import disconnected_between, read_again, refuse_locked
from bootgraft.cli.options import Options
from bootgraft.cli.terminal import answer, monitor_for, put_json, tell
from bootgraft.errors import UsageError
from bootgraft.report.documents.changing import ReconnectDocument
from bootgraft.report.layout.lines import plain
from bootgraft.report.plan_text import plan_text
from bootgraft.storage.confine import resolve
from bootgraft.storage.journal.commit import commit
from bootgraft.storage.journal.editedfile import draft_edit
from bootgraft.storage.journal.journalsearch import find_journals, new_journal_path, require_no_unfinished
from bootgraft.storage.journal.transaction import Transaction
from bootgraft.storage.usage import locks
from bootgraft.targets.descriptions.vmdescription import VmDescription
from bootgraft.targets.descriptions.vmfile import parse_description, plug, read_bytes
from bootgraft.text import counted


def run(options: Options) -> int:
    """Connect what bootgraft disconnected; without a journal, every adapter."""
    path = options.vm
    assert path is not None  # the parser requires it
    require_no_unfinished(options.covered, options.journal)
    data = read_bytes(path)
    description = parse_description(data, path)
    refuse_locked(description)
    names, left = _cards(options, description)
    if not names:
        return _print(options, (), left, None, "Nothing to do: bootgraft has disconnected no network adapter.\n")
    edit = EditVmFile(str(path), names, True, data, plug(data, description, names, plugged=True))  # noqa: FBT003
    text = plain(plan_text(Plan((edit,)), detailed=options.dry_run or options.verbose))
    if options.dry_run:
        return _print(options, names, left, None, f"Dry run: nothing was written.\n\n{text}")
    for note in locks.refuse_vmware_locks([resolve(path)]):
        tell(f"bootgraft: {path}: {note}\n")
    journal = _commit(options, edit)
    words = ["bootgraft", "undo", "--vm", str(path)]
    if options.journal is not None:
        words += ["--journal", str(options.journal)]
    closing = f"{read_again(description)}\n\nTo disconnect them again, run:\n    {shlex.join(words)}\n"
    return _print(options, names, left, journal, f"Connected: {', '.join(names)} in {path}.\n\n{text}\n{closing}")


def _cards(options: Options, description: VmDescription) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The adapters to connect, and those that stay disconnected because somebody else disconnected them."""
    disconnected = [card.name for card in description.cards if not card.plugged]
    ours: set[str] = set()
    is_recorded = False
    for journal in find_journals(options.covered, options.journal):
        if journal.head.edited is not None and journal.head.edited.path.name == resolve(description.path).name:
            is_recorded = True
            ours |= {name for name, was in disconnected_between(description.path, journal.head.edited).items() if was}
    chosen = [name for name in disconnected if name in ours or not is_recorded]
    return tuple(chosen), tuple(name for name in disconnected if name not in chosen)


def _commit(options: Options, edit: EditVmFile) -> Path:
    if options.vm is None:
        raise UsageError("there is no description", where="--vm", advice="Give --vm FILE")
    summary = f"{counted(len(edit.cards), 'network adapter')} reconnected"
    transaction = Transaction((), summary, draft_edit(edit.path, edit.before, edit.data))
    journal = new_journal_path(options.covered, options.journal)
    return commit(transaction, journal=journal, monitor=monitor_for(options))


def _print(options: Options, names: tuple[str, ...], left: tuple[str, ...], journal: Path | None, text: str) -> int:
    if options.json:
        written = None if journal is None else str(journal)
        put_json(ReconnectDocument(plugged=names, left=left, committed=journal is not None, journal=written))
        return 0
    more = f"\nLeft disconnected, because bootgraft did not disconnect them: {', '.join(left)}.\n" if left else ""
    answer(text + more, 0, options)
    return 0
