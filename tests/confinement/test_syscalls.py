"""The numbers of system calls, judged by libseccomp's own tables."""

import ctypes
import sys

import pytest

from bootgraft.confinement import syscalls
from bootgraft.confinement.syscalls import AUDIT, architecture, this_architecture


@pytest.mark.parametrize("machine", AUDIT)
def test_the_numbers_are_libseccomps(machine: str) -> None:
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        pytest.skip("libseccomp is not installed")
    known = architecture(machine)
    assert known is not None
    names = {line.split()[0] for line in syscalls._TABLE.splitlines() if line}
    for name in names:
        number = library.seccomp_syscall_resolve_name_arch(AUDIT[machine], name.encode())
        if number != -1:  # an older library does not know the newest ones
            assert known.numbers.get(name, -1) == max(number, -1), name


def test_of_other_machines_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert architecture("riscv64") is None
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert this_architecture() is None
