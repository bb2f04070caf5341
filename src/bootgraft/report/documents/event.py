"""``--events``: what is going on, a line for each event."""

from bootgraft.events import Event, EventKind, Unit
from bootgraft.report.documents.base import Document, Size


class EventDocument(Document, frozen=True, tag="bootgraft-event/1"):
    """One line; ``done`` of ``total`` units, null where nothing is counted, and ``total`` where it is not known."""

    kind: EventKind
    text: str
    done: Size | None
    total: Size | None
    unit: Unit | None


def event_document(event: Event) -> EventDocument:
    """What is printed of an event."""
    if not event.total and event.kind is not EventKind.PROGRESS:
        return EventDocument(event.kind, event.text, None, None, None)
    return EventDocument(event.kind, event.text, event.done, event.total or None, event.unit)
