"""What is said of a volume that the boot chain needs and that is no ordinary one, whatever the reason."""

from collections.abc import Mapping

from bootgraft.boot.unsupported_volume import UnsupportedKind, UnsupportedVolume
from bootgraft.checks.finding import Finding, Severity

UNREAD = "bootgraft cannot look inside, so it cannot tell whether it starts."


def findings_of(
    cause: UnsupportedVolume | None, ids: Mapping[UnsupportedKind, str], explanation: str
) -> tuple[Finding, ...]:
    """One finding where the cause is among those of a check; what to do is the cause's own advice."""
    if cause is None or cause.kind not in ids:
        return ()
    return (
        Finding(
            ids[cause.kind],
            Severity.WARNING,
            f"the volume {cause.volume.name} is {cause.what}",
            f"{explanation} {cause.advice}.",
            (f"{cause.volume.name}: {cause.evidence}",),
            leaves_open=True,
        ),
    )
