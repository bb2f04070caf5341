"""``doctor``: what bootgraft needs from the system."""

from msgspec import Struct

from bootgraft.report.documents.base import Document


class Part(Struct, frozen=True):
    """One thing that bootgraft needs from the system.

    ``fault`` is null where it is there and can be used, ``warning`` where nothing is to be said of it all the same;
    ``update`` is the command to type then.
    """

    name: str
    needed_for: str
    package: str
    version: str
    fault: str | None
    warning: str | None = None
    update: str | None = None


class CagePart(Struct, frozen=True):
    """A part of the cage in which volumes are read; work goes on without it, and less safely.

    ``version`` is that of the kernel's interface, where it has versions; ``fault`` is null where it works.
    """

    name: str
    version: int | None
    fault: str | None


class DoctorDocument(Document, frozen=True, tag="bootgraft-doctor/1"):
    """What ``doctor`` prints."""

    parts: tuple[Part, ...]
    cage: tuple[CagePart, ...]
