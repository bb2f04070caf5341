"""A program that commits the tests' changes.

``python -m benchmarks.powerloss.committing IMAGE`` has the journal beside it; ``… IMAGE IMAGE DESCRIPTION JOURNAL``.
"""

import sys
from contextlib import ExitStack
from pathlib import Path

from tests.storage.containers import changed, commit_changes
from tests.storage.journal.test_editedfile import NEW, OLD

from bootgraft.storage.images.opening import identify, open_image
from bootgraft.storage.journal.commit import commit
from bootgraft.storage.journal.editedfile import draft_edit
from bootgraft.storage.journal.journalsearch import new_journal_path
from bootgraft.storage.journal.transaction import Transaction


def main(images: list[str], description: str | None = None, journal: str | None = None) -> None:
    """Commit to one image, or to several with their description."""
    with ExitStack() as stack:
        opened = [stack.enter_context(open_image(identify(image), writable=True)) for image in images]
        if description is None or journal is None:
            commit_changes(opened[0])
            return
        edit = draft_edit(description, OLD, NEW)
        transaction = Transaction(tuple(changed(image) for image in opened), "changes", edit)
        commit(transaction, journal=new_journal_path([*images, description], Path(journal)))


if __name__ == "__main__":
    main(sys.argv[1:]) if len(sys.argv) == 2 else main(sys.argv[1:-2], *sys.argv[-2:])
