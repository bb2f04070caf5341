"""Was the SYSTEM hive written to the end, or does a part of it still lie in its transaction logs?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage

if TYPE_CHECKING:  # most hives lie clean
    from bootgraft.registry.logs.recovery import Recovery

ID = "hive-transactions-pending"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows",
    cause="The machine was cloned while it ran, or stopped without a shutdown: changes of the SYSTEM hive lie in "
    "SYSTEM.LOG, LOG1 or LOG2 and not in the hive yet. After hot cloning this is the normal case.",
    evidence="The hive's sequence numbers, and from each log the transactions that Windows would replay.",
    fix="None is needed: Windows replays them at its next start. Everything is judged as after that, and `repair` "
    "writes them into the hive together with its own changes.",
    limits="Where no log can be replayed, every command ends with exit status 3 and says what each log holds. What TxR "
    "keeps in .blf and .regtrans-ms files is not looked at.",
    references=("https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md",),
)


def check(hive: str, pending: "Recovery | None") -> tuple[Finding, ...]:
    """One finding where something had to be replayed over the hive of that name."""
    if pending is None:
        return ()
    severity = Severity.INFO if pending.base_block_from is None else Severity.WARNING
    count = "1 transaction is" if pending.transactions == 1 else f"{pending.transactions} transactions are"
    return (
        Finding(
            ID,
            severity,
            f"{count} pending in the logs of the SYSTEM hive",
            "The hive was judged as Windows will have it after replaying them.",
            tuple(_evidence(hive, pending)),
        ),
    )


def _evidence(hive: str, pending: "Recovery") -> Iterator[str]:
    if pending.base_block_from is None:
        yield f"{hive}: sequence numbers {pending.primary} and {pending.secondary}"
    else:
        yield f"{hive}: its base block is damaged; the one in {pending.base_block_from} takes its place"
    for log in pending.logs:
        which = f"transaction {log.first}" if log.first == log.last else f"transactions {log.first} to {log.last}"
        yield f"{log.name}: {which}, {log.size} bytes of pages"
    if pending.growth > 0:
        yield f"the hive grows by {pending.growth} bytes"


CHECK = Check(Stage.MACHINE, 90, (DOC,), lambda guest: check(guest.hive.name, guest.hive.pending) if guest.hive else ())
