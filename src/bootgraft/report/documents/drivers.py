"""``drivers`` and ``kit``: what a source holds, what would be chosen of it, and what was written."""

from msgspec import Struct

from bootgraft.report.documents.base import Document, Size
from bootgraft.windows.pe import Architecture


class DeviceDocument(Struct, frozen=True):
    """One device that an INF serves; ``windows`` is the decoration of its models section, empty for none."""

    windows: str
    description: str
    ids: tuple[str, ...]
    service: str | None


class InfDocument(Struct, frozen=True):
    """One INF of a source."""

    path: str
    problem: str | None
    class_name: str = ""
    provider: str = ""
    date: str | None = None
    version: str = ""
    devices: tuple[DeviceDocument, ...] = ()
    targets: tuple[str, ...] = ()


class ListDocument(Document, frozen=True, tag="bootgraft-drivers-list/1"):
    """What ``drivers list`` prints."""

    source: str
    infs: tuple[InfDocument, ...]


class PassedDocument(Struct, frozen=True):
    """One INF that was passed over."""

    inf: str
    standing: str
    reason: str


class ChosenDocument(Struct, frozen=True):
    """The driver that is chosen for one Windows; ``signature`` is empty where that Windows does not look at any."""

    inf: str
    id: str
    match: str
    decoration: str
    install_section: str
    date: str | None
    version: str
    service: str
    files: tuple[str, ...]
    keys: tuple[str, ...]
    device_ids: tuple[str, ...]
    signature: str = ""


class ChoiceDocument(Struct, frozen=True):
    """What is chosen for one Windows; ``chosen`` is null where nothing in the source will do."""

    windows: str
    nt_version: str
    build: int
    arch: Architecture
    chosen: ChosenDocument | None
    notes: tuple[str, ...]
    passed_over: tuple[PassedDocument, ...]


class ShowDocument(Document, frozen=True, tag="bootgraft-drivers-show/1"):
    """What ``drivers show`` prints."""

    source: str
    target: str
    choices: tuple[ChoiceDocument, ...]


class HarvestedDocument(Struct, frozen=True):
    """One file of a harvested package; ``origin`` is where the machine had it."""

    name: str
    origin: str
    size: Size
    sha256: str


class HarvestDocument(Document, frozen=True, tag="bootgraft-drivers-harvest/1"):
    """What ``drivers harvest`` prints; ``has_inf`` says that the folder is a driver package by itself."""

    windows: str
    target: str
    service: str
    files: tuple[HarvestedDocument, ...]
    has_inf: bool
    out: str


class KitFileDocument(Struct, frozen=True):
    """One file of a kit, by its path with ``/``."""

    name: str
    size: Size
    sha256: str


class KitDocument(Document, frozen=True, tag="bootgraft-kit/1"):
    """What ``kit`` prints.

    ``files`` is empty where there is nothing to do; ``out`` is null where nothing was written.
    """

    target: str
    windows: str
    nt_version: str
    arch: Architecture
    service: str
    origin: str
    keys: tuple[str, ...]
    installs: tuple[str, ...]
    package: str | None
    present: tuple[str, ...]
    notes: tuple[str, ...]
    files: tuple[KitFileDocument, ...]
    out: str | None
