"""What root may do beyond other users (capabilities(7)), given up for good."""

import struct
from itertools import count

from bootgraft.confinement.kernel import (
    PR_CAP_AMBIENT,
    PR_CAPBSET_DROP,
    control,
    read_capabilities,
    write_capabilities,
)

DAC_OVERRIDE, DAC_READ_SEARCH = 1 << 1, 1 << 2
_CLEAR_ALL = 4
_SETS = struct.Struct("=IIIIII")
"""Effective, permitted, inheritable: the lower halves of all three, then the upper ones."""


def permitted() -> int:
    """A bit for each capability that this thread may use."""
    _, low, _, _, high, _ = _SETS.unpack(read_capabilities())
    return int(low | high << 32)


def suspend() -> None:
    """Use none of them until ``resume``."""
    write_capabilities(_pack(0, permitted()))


def resume() -> None:
    """Use all of them again."""
    mine = permitted()
    write_capabilities(_pack(mine, mine))


def give_up(kept: int) -> None:
    """Keep of them those of ``kept``, and give the others up in every set, for this thread and all that comes of it."""
    mine = permitted()
    if mine:
        _bound(kept)
    left = mine & kept
    write_capabilities(_pack(left, left))


def _bound(kept: int) -> None:
    try:
        control(PR_CAP_AMBIENT, _CLEAR_ALL)
        for number in count():
            if not kept >> number & 1:
                control(PR_CAPBSET_DROP, number)
    except OSError:  # past the last one that this kernel knows; or without the right to, and then no_new_privs does it
        return


def _pack(effective: int, permitted_ones: int) -> bytes:
    low = 0xFFFFFFFF
    return _SETS.pack(effective & low, permitted_ones & low, 0, effective >> 32, permitted_ones >> 32, 0)
