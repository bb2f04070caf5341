"""What a kit holds, for people."""

from bootgraft.report.documents.drivers import KitDocument
from bootgraft.report.layout.lines import Text
from bootgraft.text import one_line


def kit_text(document: KitDocument) -> Text:
    """What ``kit`` prints but for where the kit was written to."""
    windows = f"{document.windows} ({document.arch})"
    if not document.files:
        lines = [f"Nothing to do: this {windows} has all that {document.target} needs. No kit was written."]
    else:
        lines = [f"A kit that makes {windows} start from {document.target} with {document.service}.", ""]
        lines += (f"  file  {path}" for path in document.installs)
        lines += (f"  key   {path}" for path in document.keys)
        if document.package:
            lines.append(f"  driver store  {document.package}")
    if document.present:
        lines += ["", "Left out, because the machine has it already:"]
        lines += (f"  {each}" for each in document.present)
    if document.notes:
        lines += ["", *(f"note: {note}" for note in document.notes)]
    return tuple(map(one_line, lines))
