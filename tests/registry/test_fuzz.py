"""A seeded sample of ``python -m benchmarks.fuzz hives``, which runs a hundred thousand cases."""

import random
from collections import Counter

import pytest
from benchmarks.fuzz.attempt import attempt
from benchmarks.fuzz.corpus import Seed, seeds
from benchmarks.fuzz.mutate import mutated

CASES = 15
"""Of each seed."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[Seed]:
    return seeds(tmp_path_factory.mktemp("corpus"))


def test_every_seed_itself_is_understood(corpus: list[Seed]) -> None:
    damaged = {"hives-other/yarp/BadListHive", "hives-other/plaso/corrupt_sub_key_list.hiv"}
    results = {seed.name: attempt(seed) for seed in corpus}
    assert {name for name, result in results.items() if result != "read and edited"} <= damaged


@pytest.mark.usefixtures("shared_testdata")  # the hives made here are too small for every result
def test_mutations_neither_crash_nor_write(corpus: list[Seed]) -> None:
    results: Counter[str] = Counter()
    for seed in corpus:
        chance = random.Random(seed.name)
        for _ in range(CASES):
            results[attempt(mutated(seed, chance))] += 1
    assert all(results[result] > CASES for result in ("refused", "refused in part", "read and edited"))
