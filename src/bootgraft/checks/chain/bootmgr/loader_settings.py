"""Gate 2: settings of the default entry that were meant for one start and stayed: safe mode, recovery at a failure."""

from collections.abc import Iterator

from bootgraft.boot.bootmgr.bcd import BcdObject, ElementType
from bootgraft.boot.bootmgr.bcd_menu import Menu
from bootgraft.boot.steps import BootTarget
from bootgraft.changes import DeleteKey, RegistryData
from bootgraft.checks.chain.bootmgr.bcd_edit import set_element
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import FileSystemError
from bootgraft.registry.values import ValueType

SAFE_MODE = "safe-mode"
FAILED = "last-start-failed"
_BCDEDIT = "https://learn.microsoft.com/windows-hardware/drivers/devtest/bcdedit--set"
DOCS = (
    FindingDoc(
        id=SAFE_MODE,
        applies_to="Windows Vista and later",
        cause="The default entry of the BCD store has `safeboot`: somebody started safe mode with msconfig or bcdedit, "
        "often to remove the tools of the old hypervisor, and it stayed. Every start is then one in safe mode: without "
        "most services and drivers, and without a network unless it is the kind with one.",
        evidence="The entry, the element and its kind.",
        fix=f"`--fix {SAFE_MODE}` takes the elements safeboot and safebootalternateshell out of the entry.",
        limits="An element that the entry inherits from another object is named, not taken out.",
        symptoms=(Symptom.SAFE_MODE,),
        references=(
            _BCDEDIT,
            "https://learn.microsoft.com/previous-versions/windows/desktop/bcd/bcdlibrary-safeboot",
        ),
    ),
    FindingDoc(
        id=FAILED,
        applies_to="Windows Vista and later",
        cause="The loader remembers that the last start did not succeed. Unless the entry tells it otherwise, it then "
        "starts Windows' recovery (Startup Repair) in place of Windows; on a new controller that has no driver for it, "
        "recovery finds no disk, restarts, and so on.",
        evidence=r"The flags in \Windows\bootstat.dat, and the entry's bootstatuspolicy and recoveryenabled.",
        fix="One good start clears it: choose to start Windows normally. For machines without a console "
        f"`--fix {FAILED}` sets bootstatuspolicy to IgnoreAllFailures and recoveryenabled to no.",
        limits="Info only. The file does not say which start failed: it may have been one on the new machine.",
        symptoms=(Symptom.AUTOMATIC_REPAIR, Symptom.RESTART_LOOP),
        references=(_BCDEDIT, "https://github.com/reactos/reactos/blob/master/sdk/lib/rtl/bootdata.c"),
    ),
)
_KINDS = {0: "minimal", 1: "with network", 2: "Directory Services Restore Mode"}
_IGNORE_ALL = 1
_IGNORING_BOOT = (1, 3)
"""Values of bootstatuspolicy under which a start that failed is passed over (BcdBootStatusPolicy)."""


def find(guest: Guest) -> Iterator[Finding]:
    """What is found in the entry that starts."""
    menu, target = guest.chain.store, guest.chain.default
    entry = None if menu is None else menu.default_entry
    if menu is None or entry is None or target is None:
        return
    yield from _safe_mode(menu, entry)
    yield from _failed(menu, entry, target)


def _safe_mode(menu: Menu, entry: BcdObject) -> Iterator[Finding]:
    kind = menu.store.number(entry, ElementType.SAFE_BOOT)
    if kind is None:
        return
    elements = (ElementType.SAFE_BOOT, ElementType.SAFE_BOOT_SHELL)
    own = tuple(each for each in elements if entry.element(each) is not None)
    changes = tuple(DeleteKey(menu.hive, f"Objects\\{{{entry.guid}}}\\Elements\\{each:08x}") for each in own)
    is_own = ElementType.SAFE_BOOT in own
    shell = menu.store.number(entry, ElementType.SAFE_BOOT_SHELL)
    how = _KINDS.get(kind, f"kind {kind}")
    yield Finding(
        SAFE_MODE,
        Severity.WARNING,
        f"the default entry of the BCD store starts safe mode ({how}), every time",
        "Windows starts, without most services and drivers. "
        + (f"--fix {SAFE_MODE} takes the setting out." if is_own else "The entry inherits it from another object."),
        (
            f"{menu.place(entry, ElementType.SAFE_BOOT)}: safeboot={kind} ({how})",
            *((f"{menu.place(entry, ElementType.SAFE_BOOT_SHELL)}: with a command prompt only",) if shell else ()),
        ),
        Remedy.OFFERED if is_own else Remedy.NONE,
        changes if is_own else (),
    )


def _failed(menu: Menu, entry: BcdObject, target: BootTarget) -> Iterator[Finding]:
    policy = menu.store.number(entry, ElementType.BOOT_STATUS_POLICY)
    recovery = menu.store.number(entry, ElementType.AUTO_RECOVERY)
    if policy in _IGNORING_BOOT or recovery == 0:
        return
    from bootgraft.windows.leftovers.bootstat import NAME, read_boot_status

    try:
        status = read_boot_status(target.volume.filesystem(), target.directory)
    except FileSystemError:  # the volume is another check's matter
        return
    if status is None or status.succeeded:
        return
    number = RegistryData(ValueType.REG_BINARY, _IGNORE_ALL.to_bytes(8, "little"))
    no = RegistryData(ValueType.REG_BINARY, b"\0")
    changes = (
        *set_element(menu, entry, ElementType.BOOT_STATUS_POLICY, number),
        *set_element(menu, entry, ElementType.AUTO_RECOVERY, no),
    )
    shown = ", ".join(
        f"{name}={'not set' if value is None else value}"
        for name, value in (("bootstatuspolicy", policy), ("recoveryenabled", recovery))
    )
    yield Finding(
        FAILED,
        Severity.INFO,
        "the last start of this Windows did not succeed: its loader may start recovery instead",
        "Choose to start Windows normally; one good start clears it. If the machine keeps ending in recovery, "
        f"--fix {FAILED} has the loader pass failures over.",
        (
            f"{target.volume.name}: {target.directory}\\{NAME}: the last start did not succeed",
            f"{menu.title(entry)}: {shown}",
        ),
        Remedy.OFFERED,
        changes,
    )


CHECK = Check(Stage.CHAIN, 65, DOCS, find)
