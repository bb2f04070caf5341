"""A HAL of NT 4 to Server 2003 that uses the APIC, on a hypervisor whose machines may be without: VirtualBox.

VMware, qemu with KVM, Xen and Hyper-V give every machine one. In VirtualBox it is a setting, off for some types of
guests; its manual says that ACPI and I/O APIC must never be turned off for an installed Windows, and that turning them
on does no harm ("Windows guests", "Windows bluescreens after changing VM configuration").
"""

from collections.abc import Iterator

from bootgraft.checks.check import Check
from bootgraft.checks.core.kernel_hal import named_files, system_file
from bootgraft.checks.finding import FaultPlace, Finding, FindingDoc, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.windows.versions import VISTA

ID = "hal-needs-io-apic"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows NT 4 to Server 2003 on VirtualBox",
    cause="hal.dll is one that uses the APIC (ACPI Uniprocessor or Multiprocessor, MPS). A machine of VirtualBox "
    "has an I/O APIC only where that is switched on; without it such a Windows does not start.",
    evidence="The original name of hal.dll.",
    fix="None in the image: `VBoxManage modifyvm NAME --ioapic on`, as `--recommend` prints it.",
    limits="Only reported: how the machine is set up is not known.",
    references=("https://www.virtualbox.org/manual/topics/Troubleshooting.html",),
    fault_in=FaultPlace.OUTSIDE,
    symptoms=(Symptom.BLACK_SCREEN,),
)
_WITH_APIC = ("acpi apic", "mps")


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where the HAL needs what the machine may lack."""
    core, controller = guest.core, guest.controller
    if core is None or controller is None or controller.hypervisor != "virtualbox" or core.version >= VISTA:
        return
    hal = system_file(core, named_files(guest).get("hal", "hal.dll"))
    if hal is None or hal.hal is None or hal.hal.family not in _WITH_APIC:
        return
    yield Finding(
        ID,
        Severity.INFO,
        f"this Windows needs an I/O APIC ({hal.hal.title})",
        "Without it Windows does not start: `VBoxManage modifyvm NAME --ioapic on`.",
        (str(hal),),
        fault_in=FaultPlace.OUTSIDE,
    )


CHECK = Check(Stage.CONTROLLER, 95, (DOC,), find)
