"""Can bootgraft judge this Windows on this controller at all? What it cannot judge it never calls bootable."""

from bootgraft.checks.finding import Finding, FindingDoc, Severity
from bootgraft.targets.controllers import Attachment, Controller
from bootgraft.windows.installation import Installation

NOT_JUDGED = "target-not-judged"
NO_TARGET = "target-not-given"
DOCS = (
    FindingDoc(
        id=NOT_JUDGED,
        applies_to="every Windows but 2000, XP and Server 2003, and every controller that is no PCI miniport",
        cause="What this Windows needs on this controller is more than one service and one binding, and bootgraft does "
        "not check the rest yet.",
        evidence="The NT version and how the controller is attached.",
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
_FIRST, _LAST = (5, 0), (5, 2)


def is_judged(version: tuple[int, int], controller: Controller) -> bool:
    """Whether the storage checks are the whole truth for this NT version on this controller."""
    return _FIRST <= version <= _LAST and controller.attachment is Attachment.PCI_MINIPORT


def not_judged(installation: Installation, controller: Controller) -> Finding:
    """Say that the target cannot be judged, and why."""
    major, minor = installation.version
    reason = (
        f"{controller.title} is attached as {controller.attachment.value}, which needs a chain of drivers"
        if _FIRST <= installation.version <= _LAST
        else f"NT {major}.{minor} binds boot drivers in another way than Windows 2000 to Server 2003 do"
    )
    return Finding(
        NOT_JUDGED,
        Severity.INFO,
        f"bootgraft cannot tell whether {installation.product} starts on {controller.target}",
        "The verdict stays unknown rather than guessed.",
        (f"{installation.volume.name}: {reason}",),
    )


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
