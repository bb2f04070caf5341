"""Filters of system calls (seccomp(2)), as programs of classic BPF.

They are put together here rather than by libseccomp: that is one more library that may be missing, and putting a
hundred rules together takes it longer than all else of a cage (the tests have it check the numbers). A filter of this
kind is the same few instructions again and again: is it this call? then allow it, or look at 32 bits of an argument.

A call that a filter does not know ends with ENOSYS, as on a kernel that does not have it: programs and libraries know
how to go on without. One whose arguments are not the permitted ones ends with EPERM.
"""

import errno
import struct
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from bootgraft.confinement.kernel import Memory, call
from bootgraft.confinement.syscalls import CallNumbers

_LOAD, _AND, _JUMP, _IF_EQUAL, _IF_GREATER, _RETURN = 0x20, 0x54, 0x05, 0x15, 0x25, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16  # in struct seccomp_data
ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_SET_MODE_FILTER: Final = 1
_SPEC_ALLOW: Final = 4
"""Without it, kernels before 5.16 slow the process down against attacks on its own memory, where it has no secrets."""
_REACH: Final = 200  # jumps go 255 instructions far

_Step = tuple[int, int, int, int]
"""Code, how far to jump where a comparison holds and where not, and the operand."""


class Condition(Struct, frozen=True):
    """A call that is allowed where ``argument`` (counted from 0), of which ``mask`` counts, is one of ``values``.

    Only the lower 32 bits are looked at: for arguments that are no longer.
    """

    name: str
    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF


def allowing(architecture: CallNumbers, names: Iterable[str], conditions: Sequence[Condition]) -> bytes:
    """A filter that allows these calls and no others."""
    return _program(architecture, names, ALLOW, conditions, refused(errno.ENOSYS))


def refusing(architecture: CallNumbers, names: Iterable[str], conditions: Sequence[Condition], last: int) -> bytes:
    """A filter that refuses these calls, and all with a number above ``last``, and allows the others."""
    return _program(architecture, names, refused(errno.ENOSYS), conditions, ALLOW, last)


def refused(number: int) -> int:
    """What a filter answers so that a call ends with this errno."""
    return _ERRNO | number


def install(program: bytes) -> None:
    """Put this thread and all that comes of it under the filter, for good. ``no_new_privs`` must be set.

    Raises:
        OSError: this kernel has no such filters, or does not let this process have one.
    """
    from bootgraft.confinement.syscalls import this_architecture

    architecture = this_architecture()
    if architecture is None:
        raise OSError(errno.ENOSYS, "no filter was written for this architecture")
    with Memory(program) as code, Memory(struct.pack("@HxxxxxxQ", len(program) // 8, code.address)) as head:
        call(architecture.numbers["seccomp"], _SET_MODE_FILTER, _SPEC_ALLOW, head.address)


def _program(
    architecture: CallNumbers,
    names: Iterable[str],
    answer: int,
    conditions: Sequence[Condition],
    otherwise: int,
    last: int | None = None,
) -> bytes:
    numbers = architecture.numbers
    unknown = refused(errno.ENOSYS)
    steps: list[_Step] = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_IF_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, unknown),  # 32-bit calls on a 64-bit kernel
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    if last is not None:  # x32 is above it too
        steps += [(_IF_GREATER, 0, 1, last), (_RETURN, 0, 0, unknown)]
    listed = [numbers[name] for name in names if name in numbers]
    for start in range(0, len(listed), _REACH):
        part = listed[start : start + _REACH]
        steps += [(_IF_EQUAL, len(part) - place, 0, number) for place, number in enumerate(part)]
        steps += [(_JUMP, 0, 0, 1), (_RETURN, 0, 0, answer)]
    for condition in conditions:
        if condition.name in numbers:
            block = list(_judge(condition))
            steps += [(_IF_EQUAL, 0, len(block), numbers[condition.name]), *block]
    steps.append((_RETURN, 0, 0, otherwise))
    return b"".join(struct.pack("<HBBI", *step) for step in steps)


def _judge(condition: Condition) -> Iterable[_Step]:
    yield _LOAD, 0, 0, _ARGUMENTS_AT + 8 * condition.argument
    yield _AND, 0, 0, condition.mask
    for place, value in enumerate(condition.values):
        yield _IF_EQUAL, len(condition.values) - place, 0, value
    yield _RETURN, 0, 0, refused(errno.EPERM)
    yield _RETURN, 0, 0, ALLOW
