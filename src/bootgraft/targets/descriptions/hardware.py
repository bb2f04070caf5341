"""What a machine's description says of its boot order and its processor, as far as that decides whether it starts."""

from msgspec import Struct

_SHOWN = 100
"""Characters of a line of a description that are shown."""


def quoted(text: str) -> str:
    """What a description has, cut to what a line of evidence may hold."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class BootOrder(Struct, frozen=True):
    """From which of the machine's disks its firmware tries to start.

    ``tried`` are the places of disks, in order. ``exclusive``: a disk that is not among them is not tried.
    ``first_only``: of the disks, a BIOS tries the first and then no other. ``said`` is what the description has, in
    ``line`` (from 1; None where it has no line for it). ``remedy`` is what to write so that the disk at ``{place}`` is
    tried.

    qemu with ``-boot strict=on``, which Proxmox and libvirt give it: exclusive, as soon as any device is named, and
    SeaBIOS tries one disk (tried with qemu 7.2 and SeaBIOS 1.16: a second disk was not started after an empty first).
    """

    tried: tuple[str, ...]
    exclusive: bool
    first_only: bool
    said: str
    line: int | None
    remedy: str


class Processor(Struct, frozen=True):
    """The processor that the machine is given: the hypervisor's name of a model, and features that were set besides.

    ``model`` is empty where it is the host's own. ``said`` and ``line`` are as a :class:`BootOrder` has them;
    ``remedy`` is what to write instead. Features are called as qemu and libvirt call them (``sse4.2``, ``nx``).
    """

    model: str
    said: str
    line: int | None
    remedy: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
