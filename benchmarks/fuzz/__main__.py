"""``python -m benchmarks.fuzz KIND --cases 200000``: mutate what bootgraft reads, and use it.

A case is known by its number: ``--first NUMBER --cases 1`` runs it again. With ``--log FILE`` what is done is written
down, and the same command goes on where it was broken off.
"""

import argparse
import importlib
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec

from benchmarks.fuzz.forked import Plan, Tally, run_batch

MEMORY = 2**30
"""Bytes of address space of a process that runs cases, beside what the corpus takes."""
_BATCH, _BATCH_OF_COMMANDS = 250, 25
"""Cases that one process runs."""
KINDS = {
    "hives": ("corpus", "mutate", "attempt"),
    "stores": ("stores", "stores", "stores"),
    "machines": ("machines", "machines", "machines"),
    "ntfs": ("ntfs", "ntfs", "ntfs"),
    "archives": ("archives", "archives", "archives"),
    "commands": ("commands", "commands", "commands"),
}
"""What can be mutated: the modules with its seeds, the mutation, and what is done with the result."""

_plans: list[Plan] = []
"""The one that is run; the processes that run it are forked."""


class Written(msgspec.Struct, frozen=True):
    """A line of the log: cases that were done, and what came of them."""

    kind: str
    first: int
    tally: Tally


def main() -> int:
    """Run the cases; 1 where any failed."""
    options = _arguments()
    began, total = time.monotonic(), Tally()
    spans = list(_spans(options))
    known = {each.first: each.tally for each in _written(options.log, options.kind)}
    for span in spans:
        if span.start in known and known[span.start].cases == len(span):
            total.add(known[span.start])
    left = [span for span in spans if span.start not in known or known[span.start].cases != len(span)]
    _plans.append(_plan(options.kind))
    with ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("fork")) as pool:
        for span, done in zip(left, pool.map(_run, left), strict=True):
            total.add(done)
            _write_down(options.log, Written(options.kind, span.start, done))
    _print(total, time.monotonic() - began)
    return int(bool(total.failures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the first case's number, to run one again")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--log", type=Path, help="where to write down what is done, and to go on")
    return parser.parse_args()


def _run(span: range) -> Tally:
    return run_batch(_plans[0], span)


def _spans(options: argparse.Namespace) -> Iterator[range]:
    last = options.first + options.cases
    batch = _BATCH_OF_COMMANDS if options.kind == "commands" else _BATCH
    for at in range(options.first, last, batch):
        yield range(at, min(at + batch, last))


def _plan(kind: str) -> Plan:
    seeds, change, attempt = (importlib.import_module(f"benchmarks.fuzz.{name}") for name in KINDS[kind])
    with tempfile.TemporaryDirectory() as folder:
        corpus = seeds.seeds(Path(folder))
    return Plan(corpus, change.mutated, attempt.attempt, MEMORY)


def _written(log: Path | None, kind: str) -> Iterator[Written]:
    if log is not None and log.exists():
        for line in log.read_bytes().splitlines():
            if (one := msgspec.json.decode(line, type=Written)).kind == kind:
                yield one


def _write_down(log: Path | None, done: Written) -> None:
    if log is not None:
        with log.open("ab") as file:
            file.write(msgspec.json.encode(done) + b"\n")


def _print(total: Tally, seconds: float) -> None:
    print(f"{total.cases} cases, {seconds:.0f} s in this run: {_most_first(total.ends)}")
    print(f"ended in C, told as one error by whoever waits: {_most_first(total.crashes)}")
    print("\n".join(total.crashed[:10]))
    print(f"slowest case {total.slowest:.2f} s, largest process {total.peak / 2**20:.0f} MiB")
    print(f"{len(total.failures)} failures")
    print("\n".join(total.failures[:20]))


def _most_first(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


if __name__ == "__main__":
    raise SystemExit(main())
