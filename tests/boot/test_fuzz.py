"""A seeded sample of ``python -m benchmarks.fuzz machines``."""

import random
from collections import Counter

import pytest
from benchmarks.fuzz.machines import MachineSeed, attempt, mutated, seeds
from tests.storage.sample_disks import MemoryDisk

from bootgraft.storage.devices.overlay import Overlay

CASES = 20
"""Of each seed."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[MachineSeed]:
    return seeds(tmp_path_factory.mktemp("corpus"))


def test_every_seed_itself_is_followed(corpus: list[MachineSeed]) -> None:
    for seed in corpus:
        ends = attempt(Overlay(MemoryDisk(bytearray(seed.data))))
        assert ends.startswith("0/"), seed.name
        assert "refused" not in ends, seed.name


def test_mutated_machines_neither_crash_nor_write(corpus: list[MachineSeed]) -> None:
    results: Counter[str] = Counter()
    for seed in corpus:
        chance = random.Random(seed.name)
        for _ in range(CASES):
            results[attempt(mutated(seed, chance))] += 1
    assert len(results) > 1
    assert results.total() == CASES * len(corpus)
