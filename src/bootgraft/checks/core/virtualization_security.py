"""Does Windows want to start a hypervisor of its own, where the new machine may let it have none?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bootgraft.changes import Change, FileId, RegistryData, SetValue
from bootgraft.checks.check import Check
from bootgraft.checks.core.facts import CoreFacts
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.hive_edit import set_number
from bootgraft.checks.symptom import Symptom
from bootgraft.registry.values import ValueType
from bootgraft.windows.hives import hive_path
from bootgraft.windows.installation import open_hive
from bootgraft.windows.versions import WINDOWS_10

if TYPE_CHECKING:  # most are of an earlier release
    from bootgraft.windows.startup.virtualization_security import SecuritySetting

ID = "virtualization-based-security"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows 11 and Server 2025, on KVM (Proxmox, OpenStack, oVirt and the like)",
    cause="Virtualisation-based security (Credential Guard, memory integrity) is on: the loader starts Microsoft's "
    "hypervisor below Windows. Where KVM gives the machine no nested virtualisation, Windows does without up to Server "
    "2022; machines of Server 2025 and Windows 11 are reported to stop with a blue screen or to restart for ever.",
    evidence="Each value that turns it on, and hypervisorlaunchtype of the entry that starts, where it has one.",
    fix="The machine gets nested virtualisation (the host's processor: `cpu: host`, `host-passthrough`, and nested=1 "
    f"of kvm_intel or kvm_amd), or turn it off: `--fix {ID}` sets these values to 0 in every control set, and "
    "hypervisorlaunchtype to off where the entry has it. Turn it on again when the machine runs.",
    limits="Info where the description gives the host's processor: nested=1 is what kernels have since 4.20, unless "
    "they are told otherwise. Only what the registry turns on explicitly; what an edition turns on by default is not "
    "seen. A group policy turns it on again. With a UEFI lock it cannot be turned off offline: the lock lies in the "
    "firmware's variables.",
    symptoms=(Symptom.RESTART_LOOP,),
    references=(
        "https://github.com/virtio-win/kvm-guest-drivers-windows/issues/1280",
        "https://github.com/virtio-win/kvm-guest-drivers-windows/issues/1426",
        "https://learn.microsoft.com/windows/security/identity-protection/credential-guard/configure",
        "https://learn.microsoft.com/windows/security/hardware-security/enable-virtualization-based-protection-of-code-integrity",
    ),
)
_WINDOWS_11 = 22000
"""The build; that of Server 2022 is before it, of Server 2025 (26100) after it."""
_NESTED = ("vmx", "svm")
_OFF = 0


def find(guest: Guest) -> Iterator[Finding]:
    """One finding with everything that turns it on in the control set that starts."""
    core = guest.core
    if core is None or not _is_reported(core):
        return
    from bootgraft.windows.startup.virtualization_security import enabled_settings

    settings = tuple(enabled_settings(core.installation, core.hive, core.installation.select.default))
    if not settings or _launch_type(guest) == _OFF:
        return
    if guest.controller is not None and guest.controller.hypervisor == "kvm" and not _is_nested(guest):
        yield _finding(guest, core, settings)


def _is_reported(core: CoreFacts) -> bool:
    build = core.installation.build
    return core.version == WINDOWS_10 and build.isdecimal() and int(build) >= _WINDOWS_11


def _launch_type(guest: Guest) -> int | None:
    """The hypervisorlaunchtype of the entry that starts; None where it has none."""
    from bootgraft.boot.bootmgr.bcd import ElementType  # NT 5 has no store

    store = guest.chain.store
    entry = None if store is None else store.default_entry
    return None if store is None or entry is None else store.store.number(entry, ElementType.HYPERVISOR_LAUNCH)


def _is_nested(guest: Guest) -> bool:
    """Whether the machine's description gives the processor what a hypervisor needs."""
    processor = None if guest.described is None else guest.described.processor
    return processor is not None and any(each in processor.added for each in _NESTED)


def _is_of_the_host(guest: Guest) -> bool:
    """Whether the description gives the host's own processor: nested where the host's kernel allows that."""
    processor = None if guest.described is None else guest.described.processor
    return processor is not None and not processor.model and not any(each in processor.removed for each in _NESTED)


def _finding(guest: Guest, core: CoreFacts, settings: "tuple[SecuritySetting, ...]") -> Finding:
    is_locked = any(each.is_locked for each in settings)
    changes = () if is_locked else tuple(_changes(guest, core))
    launch = _launch_type(guest)
    way = (
        "It is set with a UEFI lock, which lies in the firmware's variables: it cannot be turned off offline."
        if is_locked
        else f"Or turn it off: --fix {ID}."
    )
    return Finding(
        ID,
        Severity.INFO if _is_of_the_host(guest) else Severity.WARNING,
        f"virtualisation-based security is on, and {core.installation.product} may not start without nested "
        "virtualisation",
        "The loader starts Microsoft's hypervisor. Without nested virtualisation of the host (`cpu: host`, nested=1) "
        f"such machines are reported to stop or to restart for ever: give the machine that. {way}",
        (
            *(_shown(core, each) for each in settings),
            *((f"BCD, the entry that starts: hypervisorlaunchtype={launch}",) if launch is not None else ()),
        ),
        Remedy.OFFERED if changes else Remedy.NONE,
        changes,
    )


def _shown(core: CoreFacts, setting: "SecuritySetting") -> str:
    lock = ", with UEFI lock" if setting.is_locked else ""
    return f"{_file(core, setting)}: {setting.key_path}: {setting.name}={setting.number}{lock}"


def _changes(guest: Guest, core: CoreFacts) -> Iterator[Change]:
    from bootgraft.windows.startup.virtualization_security import enabled_settings

    installation = core.installation
    found = (each for number in installation.control_sets for each in enabled_settings(installation, core.hive, number))
    for setting in dict.fromkeys(found):
        hive = core.hive if setting.hive == "SYSTEM" else open_hive(installation, setting.hive)
        key = hive.key(setting.key_path)
        change = None if key is None else set_number(_file(core, setting), key, setting.name, _OFF)
        if change is not None:
            yield change
    yield from _launch_off(guest)


def _launch_off(guest: Guest) -> Iterator[SetValue]:
    from bootgraft.boot.bootmgr.bcd import ElementType

    store = guest.chain.store
    entry = None if store is None else store.default_entry
    element = None if entry is None else entry.element(ElementType.HYPERVISOR_LAUNCH)
    if store is not None and entry is not None and element is not None:
        key = f"Objects\\{{{entry.guid}}}\\Elements\\{ElementType.HYPERVISOR_LAUNCH:08x}"
        off = RegistryData(ValueType.REG_BINARY, _OFF.to_bytes(8, "little"))
        yield SetValue(store.hive, key, "Element", off, RegistryData(element.kind, element.data))


def _file(core: CoreFacts, setting: "SecuritySetting") -> FileId:
    return core.installation.volume.file(hive_path(core.installation.directory, setting.hive))


CHECK = Check(Stage.CORE, 40, (DOC,), find)
