"""Limits of processes that read hostile bytes."""

import resource
import signal
import subprocess
import sys

import pytest

from bootgraft.confinement.limits import limit


@pytest.mark.parametrize(
    ("hard", "wanted", "expected"),
    [
        (resource.RLIM_INFINITY, 300, (300, 305)),
        (1000, 300, (300, 305)),
        (302, 300, (300, 302)),
        (200, 300, (200, 200)),
        (200, 0, (0, 5)),
    ],
)
def test_a_limit_is_never_raised_above_the_administrators(
    monkeypatch: pytest.MonkeyPatch, hard: int, wanted: int, expected: tuple[int, int]
) -> None:
    asked: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (100, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: asked.append((kind, limits)))
    limit(resource.RLIMIT_CPU, wanted, grace=5)
    assert asked == [(resource.RLIMIT_CPU, expected)]


def test_what_never_ends_is_ended_by_a_signal_that_says_so() -> None:
    looping = (
        "import resource, signal; from bootgraft.confinement.limits import limit; "
        "limit(resource.RLIMIT_CORE, 0); limit(resource.RLIMIT_CPU, 1, grace=5)\nwhile True: pass"
    )
    done = subprocess.run([sys.executable, "-c", looping], timeout=300)
    assert done.returncode == -signal.SIGXCPU


def test_a_program_that_is_large_itself_leaves_its_child_as_much_room() -> None:
    large = (
        "import mmap; from bootgraft.confinement.limits import limit_memory\n"
        "held = mmap.mmap(-1, 5 * 2**30)\nlimit_memory()\nlen(bytes(2**24))\n"
        "try:\n    mmap.mmap(-1, 3 * 2**30)\nexcept (OSError, MemoryError):\n    raise SystemExit(7)"
    )
    done = subprocess.run([sys.executable, "-c", large], timeout=300)
    assert done.returncode == 7
