"""``targets``: which controllers there are."""

from msgspec import Struct

from bootgraft.report.documents.base import Document
from bootgraft.targets.controllers import Attachment


class InboxDocument(Struct, frozen=True):
    """One in-box driver, with the first and last NT version that ships it."""

    service: str
    first: str
    last: str


class TargetDocument(Struct, frozen=True):
    """One target."""

    target: str
    aliases: tuple[str, ...]
    title: str
    attachment: Attachment
    device_ids: tuple[str, ...]
    inbox: tuple[InboxDocument, ...]


class TargetsDocument(Document, frozen=True, tag="bootgraft-targets/1"):
    """What ``targets`` prints."""

    targets: tuple[TargetDocument, ...]
