"""Limits of processes that read hostile bytes."""

import resource

import pytest

from bootgraft.confinement.limits import limit


@pytest.mark.parametrize(
    ("hard", "wanted", "expected"),
    [(resource.RLIM_INFINITY, 300, 300), (1000, 300, 300), (200, 300, 200), (200, 0, 0)],
)
def test_a_limit_is_never_raised_above_the_administrators(
    monkeypatch: pytest.MonkeyPatch, hard: int, wanted: int, expected: int
) -> None:
    asked: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (100, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: asked.append((kind, limits)))
    limit(resource.RLIMIT_CPU, wanted)
    assert asked == [(resource.RLIMIT_CPU, (expected, expected))]
