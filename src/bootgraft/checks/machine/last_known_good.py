"""Did Windows already give up on its default control set?"""

from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage
from bootgraft.windows.installation import Installation

ID = "control-set-failed"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows",
    cause="A start with the default control set failed and Windows switched to Last Known Good: Select\\Failed names "
    "the set that failed.",
    evidence="The values of the Select key.",
    fix="None: the edits go to every control set, so either start finds them.",
    limits="",
    references=(
        "https://learn.microsoft.com/windows-hardware/drivers/install/hklm-system-currentcontrolset-control-registry-tree",
    ),
)


def check(installation: Installation) -> tuple[Finding, ...]:
    """One finding where Select\\Failed is set."""
    select = installation.select
    if select.failed == 0:
        return ()
    evidence = (
        f"Select: Current={select.current}, Default={select.default}, Failed={select.failed}, "
        f"LastKnownGood={select.last_known_good}"
    )
    return (
        Finding(
            ID,
            Severity.WARNING,
            f"Windows gave up on ControlSet{select.failed:03d} at an earlier start",
            "It may have been started on the new machine before the repair.",
            (evidence,),
        ),
    )


CHECK = Check(Stage.MACHINE, 70, (DOC,), lambda guest: check(guest.installation) if guest.installation else ())
