"""What a check finds, and what it says about itself in the documentation."""

from enum import StrEnum

from msgspec import Struct

from bootgraft.changes import Change
from bootgraft.checks.symptom import Symptom

INACCESSIBLE_BOOT_DEVICE = "0x7b"
"""The STOP code of a boot volume that never appeared (Microsoft, "Bug Check 0x7B")."""


class Stage(StrEnum):
    """Which question a check belongs to, in the order in which a start meets them; each is a wing of checks."""

    CHAIN = "chain"
    MACHINE = "machine"
    CORE = "core"
    CONTROLLER = "controller"
    SESSION = "session"
    IDENTITY = "identity"  # last: a wrong letter is only met at the log-on


class Need(StrEnum):
    """What a check must have to look at, beside the disks; without it, that nothing was found says nothing."""

    NOTHING = "nothing"
    WINDOWS = "windows"  # that the boot chain arrives at one
    TARGET = "target"  # the new machine's controller, too
    DESCRIPTION = "description"  # the new machine's description


class Severity(StrEnum):
    """How much a finding matters: a blocker stops the boot, a warning may later, an info only tells."""

    BLOCKER = "blocker"
    WARNING = "warning"
    INFO = "info"


class FaultPlace(StrEnum):
    """Where a fault lies, and so where it is fixed: nothing that is written to an image repairs what is outside."""

    IMAGE = "image"  # the machine's disks
    OUTSIDE = "outside"  # the new machine: its firmware and boot order, its processor


class Verdict(StrEnum):
    """Whether the machine would boot; UNKNOWN is never better than a guess, so it counts as no."""

    BOOTS = "boots"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class Prospect(StrEnum):
    """What it takes, from least to most."""

    BOOTS = "boots"  # nothing
    FIXABLE = "fixable"  # a repair, with nothing from outside
    OPTION = "fixable-with-option"  # a repair that is asked for by an option of its own
    BOOT_CODE = "needs-boot-code"  # a repair, with sound boot code
    DRIVER = "needs-driver"  # a repair, with a driver
    OUTSIDE = "needs-change-outside"  # what is left lies in the new machine, where no repair reaches
    UNKNOWN = "unknown"  # nobody can tell from the disks
    CANNOT = "cannot"  # nothing that bootgraft can do


class Remedy(StrEnum):
    """What it takes to repair a finding."""

    NONE = "none"  # bootgraft cannot
    CHANGES = "changes"  # the finding carries all that is needed
    DRIVER = "driver"  # a driver source must be given
    OWN_DRIVER = "own-driver"  # the driver that is needed lies in a cache of this Windows
    OFFERED = "offered"  # the finding carries the changes; they are not known to be safe, so they want --fix ID
    SKIPPED = "skipped"  # left out by --skip ID
    CONSENT = "consent"  # the finding carries the changes; they lose something, so the user must ask for them
    ADD_PARTITION = "add-partition"  # the finding carries the changes; they add a partition, so the user must ask
    BOOT_CODE = "boot-code"  # an installation with sound boot code must be given


DRIVER_REMEDIES = (Remedy.DRIVER, Remedy.OWN_DRIVER)
"""It takes a driver, from wherever."""


class Finding(Struct, frozen=True):
    """One thing that is not as it should be.

    ``title`` is the answer in one line, ``explanation`` what it leads to, ``evidence`` the files, keys and values that
    show it. ``stop_code`` is the STOP that Windows shows, where it is a STOP. ``leaves_open`` says that nobody can tell
    from the disk whether it stops the start: the verdict is then no better than unknown. ``consent`` is the option
    without which nothing is written while this is so. ``device`` is the main id of the device that lacks its driver.
    ``explains`` says that this is why the boot chain arrives at no Windows. ``fault_in`` is where the fault lies: one
    outside the image does not keep the rest from being repaired. ``ends_log_on`` says that Windows starts, and every
    log-on ends at once. ``command`` has the words of a command of bootgraft's that says more of it or sets it by hand;
    IMAGE stands for the disks, which are the last word where it is not among them.
    """

    id: str
    severity: Severity
    title: str
    explanation: str
    evidence: tuple[str, ...]
    remedy: Remedy = Remedy.NONE
    changes: tuple[Change, ...] = ()
    stop_code: str | None = None
    leaves_open: bool = False
    consent: str | None = None
    device: str | None = None
    explains: bool = False
    fault_in: FaultPlace = FaultPlace.IMAGE
    ends_log_on: bool = False
    command: tuple[str, ...] = ()

    @property
    def fixable(self) -> bool:
        """Whether ``repair`` can fix it, given what :attr:`remedy` says it takes."""
        return self.remedy not in (Remedy.NONE, Remedy.SKIPPED)

    @property
    def option(self) -> str | None:
        """The option of ``repair`` without which it is left as it is; None where it takes none, or a source."""
        if self.remedy is Remedy.OFFERED:
            return f"--fix {self.id}"
        return "--add-system-partition" if self.remedy is Remedy.ADD_PARTITION else self.consent

    @property
    def offered(self) -> bool:
        """Whether ``repair`` fixes it only where ``--fix`` asks for it."""
        return self.remedy is Remedy.OFFERED

    @property
    def skipped(self) -> bool:
        """Whether it is left as it is, because ``--skip`` asks for that."""
        return self.remedy is Remedy.SKIPPED


class FindingDoc(Struct, frozen=True):
    """The documentation of one finding id; ``docs/findings.md`` is made from all of them.

    ``fault_in`` is that of all its findings. ``symptoms`` is what the screen may show where it stops or spoils a start.
    """

    id: str
    applies_to: str
    cause: str
    evidence: str
    fix: str
    limits: str
    references: tuple[str, ...]
    fault_in: FaultPlace = FaultPlace.IMAGE
    symptoms: tuple[Symptom, ...] = ()
