"""What is found wrong between the firmware and the kernel of Windows Vista and later, whoever finds it."""

from dataclasses import dataclass
from enum import StrEnum

from bootgraft.changes import Change


class LoaderFaultKind(StrEnum):
    """What is wrong."""

    DEVICE = "device"  # of the default entry
    MANAGER_DEVICE = "manager-device"
    RESUME_DEVICE = "resume-device"
    RECOVERY_DEVICE = "recovery-device"
    OTHER_DEVICE = "other-device"
    DEFAULT_ENTRY = "default-entry"
    DISPLAY_ORDER = "display-order"
    RECOVERY_IMAGE = "recovery-image"
    RESUME_LOADER = "resume-loader"
    FALLBACK = "fallback"
    OTHER_FALLBACK = "other-fallback"
    OLDER_FALLBACK = "older-fallback"


@dataclass(frozen=True, slots=True)
class LoaderFault:
    """One fault: ``what`` in one line, the reasons, and the changes that mend it; none where it cannot be proven.

    ``stops`` says that the default entry cannot be started while it lasts.
    """

    kind: LoaderFaultKind
    what: str
    evidence: tuple[str, ...]
    changes: tuple[Change, ...]
    stops: bool = False
