"""One case: everything that bootgraft does with a hive, on bytes that may be anything."""

from collections.abc import Callable

from tests.registry.support import Memory

from benchmarks.fuzz.corpus import Seed
from benchmarks.fuzz.strict import agree, agree_after_edits
from bootgraft.errors import HiveError
from bootgraft.registry.hive import Hive
from bootgraft.registry.logs.recovery import recover

KEYS_READ_AT_MOST = 50_000


def attempt(seed: Seed) -> str:
    """Recover, read strictly, read and edit a hive in memory; what it came to. Raises whatever is a bug.

    Any exception but HiveError is one, and so is a write to the hive or a log.
    """
    primary = Memory(seed.hive)
    logs = {f"HIVE.{suffix}": Memory(log) for suffix, log in seed.logs.items()}
    try:
        recovered = recover(primary, logs, name="HIVE")
        hive = Hive.open(recovered.storage, name="HIVE", pending=recovered.pending)
    except HiveError:
        return _untouched(primary, logs, "refused")
    if agree(hive) is not None and recovered.pending is None:
        agree_after_edits(seed.hive)
    kept = sum(map(_holds, (lambda: _read(hive), lambda: _edit(hive))))
    return _untouched(primary, logs, "refused in part" if kept < 2 else "read and edited")


def _holds(work: Callable[[], None]) -> bool:
    try:
        work()
    except HiveError:
        return False
    return True


def _read(hive: Hive) -> None:
    for number, key in enumerate(hive.root.walk()):
        if number > KEYS_READ_AT_MOST:
            raise AssertionError(number)
        sum(len(value.data) for value in key.values())
        key.class_name()


def _edit(hive: Hive) -> None:
    first = next(iter(hive.root.keys()), None)
    hive.create_key("New\\below")
    hive.set_value("New", "large", 3, bytes(20_000))
    if first is not None:
        hive.set_value(first.path, "new", 1, b"x\0\0\0")
        hive.delete_key(first.path)
    hive.delete_key("New")


def _untouched(primary: Memory, logs: dict[str, Memory], result: str) -> str:
    if any(file.writes for file in (primary, *logs.values())):
        raise AssertionError("a write")
    return result
