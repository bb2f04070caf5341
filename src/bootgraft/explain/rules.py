"""What the messages of converters mean: one rule for each, with the source that documents it.

A rule's pattern is searched in the text of a message whose white space is collapsed. ``docs/logs.md`` is made from
what is written here.
"""

import re
from enum import StrEnum

from msgspec import Struct


class Phase(StrEnum):
    """How far the conversion was."""

    PREPARING = "before anything was copied"
    CONNECTING = "when the target disk was opened, to copy to it or, later, to make Windows bootable"
    COPYING = "while the disks were copied"
    RECONFIGURING = "after the copy, while Windows was made bootable"
    INSPECTING = "while virt-v2v looked for the operating system"
    CONVERTING = "while virt-v2v changed the guest"
    FIRST_BOOT = "after the conversion, when Windows started for the first time"


class Fault(StrEnum):
    """Whose fault it is: where to look, and what to leave alone."""

    GUEST = "the guest, by what is on its disks"
    HOST = "the machine that converts, not the guest"
    CONNECTION = "the source, the target or the network between them, not the guest"
    UNKNOWN = "the message does not tell"


class DiskState(StrEnum):
    """What the target disk holds now."""

    NOTHING = "nothing was copied to the target disk"
    INCOMPLETE = "the target disk is incomplete: nothing on it is worth repairing"
    COPIED = "the target disk is a complete copy; Windows on it still has the drivers and boot settings of the source"
    UNCHANGED = "the disk was not converted: Windows on it is as it was on the source"
    CONVERTED = "the disk was converted, but without the drivers of the new machine's controller"
    READY = "the disk was converted, and the driver of the new machine's controller was put in"
    STARTED = "Windows has started from this disk since it was converted"
    UNKNOWN = "the log does not tell how much of it is written"


class MessageKind(StrEnum):
    """What a message says of a conversion."""

    CAUSE = "a failure that names its cause"
    SYMPTOM = "says that something failed, not why"
    HINT = "explains another failure, but is none by itself"
    CAVEAT = "the conversion goes on, with limitations"


class Next(StrEnum):
    """What to type next; ``{disks}`` and ``{target}`` are filled in from the log."""

    CHECK = "bootgraft check {disks} --target {target}"
    INSPECT = "bootgraft inspect {disks}"
    VERIFY = "bootgraft reg verify {disks}"
    RESET = "bootgraft repair {disks} --target {target} --reset-journal --dry-run"
    DISCARD = "bootgraft repair {disks} --target {target} --discard-hibernation --dry-run"
    FIRST_BOOT_OFF = (
        "bootgraft reg set {disks} 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\firstboot'"
        " --value Start --type REG_DWORD --data 4 --dry-run"
    )
    DRIVERS = "bootgraft repair {disks} --target {target} --drivers virtio-win.iso --dry-run"


class Rule(Struct, frozen=True):
    """One message. ``pattern`` is a regular expression; ``quoted`` an example as ``sources`` have it.

    ``headline`` ends a sentence like "The conversion failed: …". ``next_step`` is what to do, in words; ``next`` the
    command that follows. ``explains`` has the ids of the failures that follow from this one: where both are in a log,
    the answer leads with this. A hint that ``answers_alone`` is the answer where a log shows nothing else.
    """

    id: str
    pattern: re.Pattern[str]
    quoted: str
    phase: Phase
    fault: Fault
    headline: str
    cause: str
    meaning: str
    disk: DiskState
    next_step: str
    next: Next
    sources: tuple[str, ...]
    kind: MessageKind = MessageKind.CAUSE
    explains: tuple[str, ...] = ()
    answers_alone: bool = False
