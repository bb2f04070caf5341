"""Trying the cage on: what this host has of it is there."""

import sys

import pytest

from bootgraft.confinement import landlock, trial
from bootgraft.confinement.syscalls import this_architecture


def test_it_is_what_the_kernel_says() -> None:
    found = trial.try_on()
    assert found.no_new_privileges
    assert found.capabilities
    assert found.landlock == landlock.version()
    assert found.seccomp == (this_architecture() is not None)


@pytest.mark.parametrize("program", ["/bin/false", "/nowhere"])
def test_a_process_that_fails_had_nothing(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", program)
    assert trial.try_on() == trial.CageSupport(no_new_privileges=False, landlock=0, seccomp=False, capabilities=False)
