"""What any command prints that fails."""

from msgspec import Struct

from bootgraft.errors import ErrorId
from bootgraft.report.documents.base import Document


class ErrorFields(Struct, frozen=True):
    """What is wrong, where, and what to do; ``exit_status`` is 2 or 3. ``docs/errors.md`` has every ``id``."""

    id: ErrorId
    what: str
    where: str
    advice: str
    exit_status: int


class ErrorDocument(Document, frozen=True, tag="bootgraft-error/1"):
    """What any command prints that fails."""

    error: ErrorFields
