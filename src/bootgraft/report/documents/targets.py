"""``targets``: which controllers there are."""

from msgspec import Struct

from bootgraft.report.documents.base import Document
from bootgraft.targets.controllers import Attachment


class InboxDocument(Struct, frozen=True):
    """One in-box driver, with the first and last NT version that ships it."""

    service: str
    first: str
    last: str


class TargetDocument(Document, frozen=True, tag="bootgraft-target/1"):
    """One row of what ``targets`` prints, which is a list of such documents."""

    target: str
    aliases: tuple[str, ...]
    title: str
    attachment: Attachment
    device_ids: tuple[str, ...]
    inbox: tuple[InboxDocument, ...]
