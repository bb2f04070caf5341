"""The cage of a command that only prints lets it do what that takes."""

import pytest
from tests.confinement.test_seccomp import DENIED, MACHINES, UNKNOWN, answer

from bootgraft.confinement.command import command_filter
from bootgraft.confinement.seccomp import ALLOW
from bootgraft.confinement.syscalls import CallNumbers


@pytest.mark.parametrize("machine", MACHINES)
def test_threads_may_be_started_and_no_processes(machine: CallNumbers) -> None:
    numbers, program = machine.numbers, command_filter(machine, 77)
    forked, thread, new_user = 0x1200011, 0x3D0F00, 0x10000000
    for name, argument, expected in (
        ("clone", thread, ALLOW),
        ("clone", thread | new_user, DENIED),
        ("clone", forked, DENIED),
        ("clone3", 0, UNKNOWN),
        ("setitimer", 0, ALLOW),
        ("dup3", 0, ALLOW),
        ("socket", 1, UNKNOWN),
        ("execve", 0, UNKNOWN),
    ):
        if name in numbers:
            assert answer(program, machine.audit, numbers[name], argument) == expected, name
    window_size, type_in = 0x5413, 0x5412
    assert answer(program, machine.audit, numbers["ioctl"], 1, window_size) == ALLOW
    assert answer(program, machine.audit, numbers["ioctl"], 1, type_in) == DENIED
