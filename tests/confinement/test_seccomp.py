"""Filters, run by an interpreter of the tests' own on both architectures; the kernel runs them in test_escapes."""

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootgraft.confinement import reader, seccomp, server
from bootgraft.confinement.seccomp import ALLOW, Condition, refused
from bootgraft.confinement.syscalls import AUDIT, LAST_REVIEWED, CallNumbers, architecture

MACHINES = [each for name in AUDIT if (each := architecture(name)) is not None]
UNKNOWN, DENIED = refused(errno.ENOSYS), refused(errno.EPERM)
I386, X32 = 0x40000003, 0x40000000


def answer(program: bytes, audit: int, number: int, *arguments: int) -> int:
    """What a filter answers, by the description of the machine in Documentation/networking/filter.rst of Linux."""
    data = struct.pack("<IIQ6Q", number, audit, 0, *arguments, *[0] * (6 - len(arguments)))
    value = at = 0
    while True:
        code, where_so, where_not, operand = struct.unpack_from("<HBBI", program, 8 * at)
        at += 1
        match code:
            case 0x20:
                (value,) = struct.unpack_from("<I", data, operand)
            case 0x54:
                value &= operand
            case 0x05:
                at += operand
            case 0x15:
                at += where_so if value == operand else where_not
            case 0x25:
                at += where_so if value > operand else where_not
            case 0x06:
                return int(operand)
            case _:
                raise AssertionError(code)


@pytest.mark.parametrize("machine", MACHINES)
@given(number=st.integers(0, 600) | st.integers(X32, X32 + 600), argument=st.integers(0, 2**64 - 1))
def test_what_is_not_listed_is_refused(machine: CallNumbers, number: int, argument: int) -> None:
    condition = Condition("openat", 2, (0, 8), 0xF)
    program = seccomp.allowing(machine, ("read", "write", "no such call"), (condition,))
    numbers = machine.numbers
    expected = UNKNOWN
    if number in (numbers["read"], numbers["write"]):
        expected = ALLOW
    elif number == numbers["openat"]:
        expected = ALLOW if argument & 0xF in (0, 8) else DENIED
    assert answer(program, machine.audit, number, 0, 0, argument) == expected
    assert answer(program, I386, number, 0, 0, argument) == UNKNOWN


@pytest.mark.parametrize("machine", MACHINES)
@given(number=st.integers(0, 600) | st.integers(X32, X32 + 600), argument=st.integers(0, 2**64 - 1))
def test_what_is_listed_is_refused_and_what_is_new(machine: CallNumbers, number: int, argument: int) -> None:
    program = seccomp.refusing(machine, ("socket", "mount"), (Condition("kill", 0, (77,)),), LAST_REVIEWED)
    numbers = machine.numbers
    expected = ALLOW
    if number in (numbers["socket"], numbers["mount"]) or number > LAST_REVIEWED:
        expected = UNKNOWN
    elif number == numbers["kill"]:
        expected = ALLOW if argument & 0xFFFFFFFF == 77 else DENIED
    assert answer(program, machine.audit, number, argument) == expected
    assert answer(program, I386, number, argument) == UNKNOWN


@pytest.mark.parametrize("machine", MACHINES)
def test_a_list_may_be_longer_than_a_jump(machine: CallNumbers) -> None:
    names = [f"call {number}" for number in range(900)]
    many = CallNumbers(machine.audit, {name: number for number, name in enumerate(names)})
    program = seccomp.allowing(many, names, ())
    assert {answer(program, many.audit, number) for number in range(900)} == {ALLOW}
    assert answer(program, many.audit, 900) == UNKNOWN


@pytest.mark.parametrize("machine", MACHINES)
def test_the_reader_reads(machine: CallNumbers) -> None:
    numbers = machine.numbers
    program = reader.calls_filter(machine, 77)
    writing = {1, 2, 0o100, 0o1000, 0o101, 0o20200002}  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_TMPFILE | O_RDWR
    for flags in writing:
        assert answer(program, machine.audit, numbers["openat"], 0, 0, flags) == DENIED
    assert answer(program, machine.audit, numbers["openat"], 0, 0, 0o2000000) == ALLOW
    assert answer(program, machine.audit, numbers["tgkill"], 77) == ALLOW
    assert answer(program, machine.audit, numbers["tgkill"], 78) == DENIED
    for name in ("socket", "execve", "ptrace", "clone", "clone3", "openat2", "prctl", "truncate", "io_uring_setup"):
        if name in numbers:
            assert answer(program, machine.audit, numbers[name]) == UNKNOWN


@pytest.mark.parametrize("machine", MACHINES)
def test_a_server_serves(machine: CallNumbers) -> None:
    numbers = machine.numbers
    program = server.calls_filter(machine, 77)
    new_user, thread = 0x10000000, 0x3D0F00
    for name, argument, expected in (
        ("clone", thread, ALLOW),
        ("clone", thread | new_user, DENIED),
        ("clone3", 0, UNKNOWN),
        ("kill", 77, ALLOW),
        ("kill", 78, DENIED),
        ("kill", 2**64 - 1, DENIED),
        ("socket", 1, UNKNOWN),
        ("connect", 0, UNKNOWN),
        ("truncate", 0, UNKNOWN),
        ("io_uring_setup", 0, UNKNOWN),
        ("pwritev", 0, ALLOW),
        ("prlimit64", 0, ALLOW),
        ("prlimit64", 78, DENIED),
    ):
        assert answer(program, machine.audit, numbers[name], argument) == expected, name
