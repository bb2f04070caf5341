"""``python -m benchmarks.fuzz hives --cases 100000``: mutate hives, BCD stores or machines.

The number of a case that fails is printed; ``--first NUMBER --cases 1`` runs it again.
"""

import argparse
import random
import resource
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.fuzz import attempt, corpus, machines, mutate, stores

SECONDS = 20
"""Of one case; the slowest sound one takes a tenth of one."""
MEMORY = 2**30
"""Bytes of address space of a process that runs cases."""
_BATCH = 100
_KINDS: dict[str, tuple[Callable[[Path], list[Any]], Callable[[Any, random.Random], Any], Callable[[Any], str]]] = {
    "hives": (corpus.seeds, mutate.mutated, attempt.attempt),
    "stores": (stores.seeds, stores.mutated, stores.attempt),
    "machines": (machines.seeds, machines.mutated, machines.attempt),
}
"""What can be mutated: its seeds, the mutation, and what is done with the result."""
_corpus: list[Any] = []


class HangError(Exception):
    """A case took longer than SECONDS."""


def main() -> int:
    """Run the cases; 1 where any failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("kind", choices=_KINDS)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the first case's number, to run one again")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    began = time.monotonic()
    results: Counter[str] = Counter()
    failures: list[str] = []
    slowest, peak = 0.0, 0
    batches = range(options.first, options.first + options.cases, _BATCH)
    with ProcessPoolExecutor(options.jobs, initializer=_prepare, initargs=(options.kind,)) as pool:
        last = options.first + options.cases
        for done in pool.map(_batch, [(options.kind, at, min(at + _BATCH, last)) for at in batches]):
            results.update(done[0])
            failures += done[1]
            slowest, peak = max(slowest, done[2]), max(peak, done[3])
    print(f"{options.cases} cases in {time.monotonic() - began:.0f} s: {dict(results)}")
    print(f"slowest case {slowest:.2f} s, largest process {peak / 2**20:.0f} MiB, {len(failures)} failures")
    print("\n".join(failures[:20]))
    return int(bool(failures))


def _prepare(kind: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _hang)
    with tempfile.TemporaryDirectory() as folder:
        _corpus.extend(_KINDS[kind][0](Path(folder)))


def _hang(_number: int, _frame: FrameType | None) -> None:
    raise HangError


def _batch(cases: tuple[str, int, int]) -> tuple[Counter[str], list[str], float, int]:
    """Run the cases of a kind from the first up to the second number: each is the same for the same corpus."""
    kind, *span = cases
    _, change, do = _KINDS[kind]
    results: Counter[str] = Counter()
    failures = []
    slowest = 0.0
    for number in range(*span):
        seed = _corpus[number % len(_corpus)]
        began = time.monotonic()
        signal.alarm(SECONDS)
        try:
            results[do(change(seed, random.Random(number)))] += 1
        except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
            where = traceback.extract_tb(error.__traceback__)[-1]
            failures.append(f"case {number} ({seed.name}): {error!r} in {where.filename}:{where.lineno}")
            results["failed"] += 1
        finally:
            signal.alarm(0)
        slowest = max(slowest, time.monotonic() - began)
    return results, failures, slowest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    raise SystemExit(main())
