"""The three machines of each finding of ``pending_transactions``."""

from tests.checks.case import Case
from tests.checks.subjects import HIVE

from bootgraft.checks.machine import pending_transactions
from bootgraft.registry.logs.header import LogFormat
from bootgraft.registry.logs.recovery import Recovery, ReplayedLog

PENDING = Recovery(41, 40, (ReplayedLog("SYSTEM.LOG", LogFormat.OLD, 40, 40, 8192),), 8192, 4096, None)
CASES = {
    pending_transactions.ID: Case(
        pending_transactions.check(str(HIVE), PENDING),
        pending_transactions.check(str(HIVE), None),
        pending_transactions.check(str(HIVE), None),
    ),
}
