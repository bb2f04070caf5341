"""A seeded sample of ``python -m benchmarks.fuzz stores``."""

import random
from collections import Counter
from pathlib import Path

from benchmarks.fuzz.stores import attempt, mutated, seeds

CASES = 12
"""Of each seed."""


def test_mutated_stores_are_followed_told_or_refused(tmp_path: Path) -> None:
    corpus = seeds(tmp_path)
    results: Counter[str] = Counter(attempt(seed) for seed in corpus)
    assert results["followed"] >= 1
    assert results["repaired"] >= 1
    for seed in corpus:
        chance = random.Random(seed.name)
        for _ in range(CASES):
            results[attempt(mutated(seed, chance))] += 1
    assert all(results[result] for result in ("followed", "repaired", "told"))
