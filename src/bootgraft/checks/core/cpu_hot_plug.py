"""Does Server 2016 take the container of hot-plugged processors for a button?"""

from collections.abc import Iterator

from bootgraft.changes import DeleteValue, RegistryData
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.windows.driver_database import ROOT
from bootgraft.windows.installation import hive_file

ID = "cpu-hot-plug-driver"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows Server 2016 and Windows 10 1607, on KVM",
    cause="Its DriverDatabase binds ACPI0010, the container of processors that a machine of KVM with CPU hot-plug has, "
    "to hidinterrupt.inf ('HID Button over Interrupt'). A processor that is added while Windows runs is then not "
    "counted, or the machine resets.",
    evidence="The key of the DriverDatabase and the INF that it names.",
    fix=f"`--fix {ID}` takes hidinterrupt.inf out of that key: the device then needs no driver, as in later releases. "
    "In Windows: set the device 'HID Button over Interrupt Driver' to the driver of machine.inf.",
    limits="Windows starts. A warning where the description has processors to be hot-plugged (`<vcpu current=…>` of "
    "more, `hotplug: cpu`), else info.",
    references=("https://github.com/autotest/tp-qemu/pull/2594", "https://github.com/autotest/tp-qemu/pull/3242"),
)
_BUILD = "14393"
_DEVICE = rf"{ROOT}\DeviceIds\ACPI\ACPI0010"
_INF = "hidinterrupt.inf"


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where that release binds the container to it."""
    installation, hive = guest.installation, guest.hive
    if installation is None or hive is None or installation.build != _BUILD:
        return
    key = hive.key(_DEVICE)
    value = None if key is None else key.value(_INF)
    if key is None or value is None or guest.controller is None or guest.controller.hypervisor != "kvm":
        return
    file, described = hive_file(installation), guest.described
    spare = "" if described is None else described.spare_processors
    said = (f"{described.path}: {spare}",) if described is not None and spare else ()
    yield Finding(
        ID,
        Severity.WARNING if spare else Severity.INFO,
        "processors that are added while Windows runs are not counted, or reset the machine",
        "This release binds the container of hot-plugged processors to the driver of a button. Leave CPU hot-plug off, "
        f"or --fix {ID}.",
        (f"{file.path}: {key.path}: {value.name}", *said),
        Remedy.OFFERED,
        (DeleteValue(file, key.path, value.name, RegistryData(value.type, value.data)),),
    )


CHECK = Check(Stage.CORE, 45, (DOC,), find)
