"""``docs/schema``, made from the documents: ``python -m bootgraft.report.documents.schemas docs/schema``."""

import json
import sys
from pathlib import Path

import msgspec

from bootgraft.report.documents.base import Document
from bootgraft.report.documents.changing import (
    HistoryDocument,
    ReconnectDocument,
    RepairDocument,
    ResumeDocument,
    UndoDocument,
)
from bootgraft.report.documents.doctor import DoctorDocument
from bootgraft.report.documents.drivers import HarvestDocument, KitDocument, ListDocument, ShowDocument
from bootgraft.report.documents.error import ErrorDocument
from bootgraft.report.documents.event import EventDocument
from bootgraft.report.documents.explanation import ExplainDocument
from bootgraft.report.documents.findings import FindingPagesDocument
from bootgraft.report.documents.machine import InspectDocument
from bootgraft.report.documents.registry import (
    EditDocument,
    ExportDocument,
    QueryDocument,
    QueryValueDocument,
    VerifyDocument,
)
from bootgraft.report.documents.targets import TargetsDocument
from bootgraft.report.documents.verdict import CheckDocument

DOCUMENTS: tuple[type[Document], ...] = (
    InspectDocument,
    CheckDocument,
    RepairDocument,
    ResumeDocument,
    UndoDocument,
    HistoryDocument,
    ReconnectDocument,
    QueryDocument,
    QueryValueDocument,
    ExportDocument,
    EditDocument,
    VerifyDocument,
    ListDocument,
    ShowDocument,
    HarvestDocument,
    KitDocument,
    ExplainDocument,
    FindingPagesDocument,
    TargetsDocument,
    DoctorDocument,
    ErrorDocument,
    EventDocument,
)


def schema_pages() -> dict[str, str]:
    """The JSON Schema (2020-12) of each document, by the name of its file: ``check-1.json``."""
    return {f"{_name(each)}.json": _page(each) for each in DOCUMENTS}


def _name(document: type[Document]) -> str:
    """``check-1`` for ``bootgraft-check/1``."""
    return str(document.__struct_config__.tag).removeprefix("bootgraft-").replace("/", "-")


def _page(document: type[Document]) -> str:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**head, **msgspec.json.schema(document)}, indent=2) + "\n"


def main(folder: Path) -> None:
    """Write all of them; what lies there of a document that is no more is removed."""
    pages = schema_pages()
    for path in folder.glob("*.json"):
        if path.name not in pages:
            path.unlink()
    for name, page in pages.items():
        (folder / name).write_text(page)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
