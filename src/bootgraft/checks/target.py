"""Can bootgraft judge this Windows on this controller at all? What it cannot judge it never calls bootable."""

from bootgraft.checks.finding import Finding, FindingDoc, Severity
from bootgraft.targets.controllers import Attachment, Controller
from bootgraft.windows.installation import Architecture, Installation

NOT_JUDGED = "target-not-judged"
NO_TARGET = "target-not-given"
DOCS = (
    FindingDoc(
        id=NOT_JUDGED,
        applies_to="every Windows but 2000, XP and Server 2003, and every controller that is no PCI miniport",
        cause="What this Windows needs on this controller is more than one service and one binding, and bootgraft does "
        "not check the rest yet. Or its version or architecture cannot be read.",
        evidence="The NT version and how the controller is attached, or why the version is unknown.",
        fix="None. Choose a controller that can be judged (`bootgraft targets`).",
        limits="",
        references=(),
    ),
    FindingDoc(
        id=NO_TARGET,
        applies_to="every Windows",
        cause="No target was given, so it is not known which controller the machine will have.",
        evidence="None.",
        fix="Give --target HYPERVISOR:CONTROLLER.",
        limits="",
        references=(),
    ),
)
_FIRST, _LAST, _UNKNOWN = (5, 0), (5, 2), (0, 0)


def is_judged(installation: Installation, controller: Controller) -> bool:
    """Whether the storage checks are the whole truth for this Windows on this controller."""
    known = _FIRST <= installation.version <= _LAST and installation.arch is not Architecture.UNKNOWN
    return known and controller.attachment is Attachment.PCI_MINIPORT


def not_judged(installation: Installation, controller: Controller) -> Finding:
    """Say that the target cannot be judged, and why."""
    reasons = _reasons(installation, controller)
    return Finding(
        NOT_JUDGED,
        Severity.INFO,
        f"bootgraft cannot tell whether {installation.product} starts on {controller.target}",
        "The verdict stays unknown rather than guessed.",
        tuple(f"{installation.volume.name}: {reason}" for reason in reasons),
    )


def _reasons(installation: Installation, controller: Controller) -> tuple[str, ...]:
    major, minor = installation.version
    if (major, minor) == _UNKNOWN or installation.arch is Architecture.UNKNOWN:
        return installation.notes or ("its version or its kernel's architecture is unknown",)
    if _FIRST <= (major, minor) <= _LAST:
        return (f"{controller.title} is attached as {controller.attachment.value}, which needs a chain of drivers",)
    return (f"NT {major}.{minor} binds boot drivers in another way than Windows 2000 to Server 2003 do",)


def no_target() -> Finding:
    """Say that without a target nothing can be promised."""
    return Finding(
        NO_TARGET,
        Severity.INFO,
        "no target was given",
        "Whether Windows starts depends on the disk controller of the new machine: give --target (see `bootgraft "
        "targets`).",
        (),
    )
