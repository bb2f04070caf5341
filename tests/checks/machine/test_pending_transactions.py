"""Hives whose logs had to be replayed."""

from msgspec.structs import replace
from tests.checks.machine.cases_pending_transactions import PENDING
from tests.checks.subjects import HIVE

from bootgraft.checks.finding import Severity
from bootgraft.checks.machine.pending_transactions import ID, check
from bootgraft.registry.logs.header import LogFormat
from bootgraft.registry.logs.recovery import ReplayedLog


def test_one_transaction() -> None:
    (found,) = check(str(HIVE), PENDING)
    assert (found.id, found.severity, found.fixable) == (ID, Severity.INFO, False)
    assert found.title == "1 transaction is pending in the logs of the SYSTEM hive"
    assert found.evidence == (
        f"{HIVE}: sequence numbers 41 and 40",
        "SYSTEM.LOG: transaction 40, 8192 bytes of pages",
        "the hive grows by 4096 bytes",
    )


def test_two_logs_and_a_damaged_base_block() -> None:
    logs = tuple(
        ReplayedLog(f"SYSTEM.LOG{n}", LogFormat.NEW, first, last, 4096) for n, first, last in [(1, 7, 7), (2, 8, 20)]
    )
    (found,) = check(str(HIVE), replace(PENDING, logs=logs, growth=0, base_block_from="SYSTEM.LOG2"))
    assert found.severity is Severity.WARNING
    assert found.title == "14 transactions are pending in the logs of the SYSTEM hive"
    assert found.evidence == (
        f"{HIVE}: its base block is damaged; the one in SYSTEM.LOG2 takes its place",
        "SYSTEM.LOG1: transaction 7, 4096 bytes of pages",
        "SYSTEM.LOG2: transactions 8 to 20, 4096 bytes of pages",
    )


def test_a_clean_hive() -> None:
    assert check(str(HIVE), None) == ()
