"""The three machines of the finding of ``io_apic``: it is told of the machine, whatever that is set to."""

from tests.checks.case import Case
from tests.core_windows import guest
from tests.kernels import computer, with_files

from bootgraft.checks.controller.io_apic import ID, find
from bootgraft.checks.finding import Finding


def found(target: str, hal: str = "halmacpi.dll", hardware_id: str = "acpiapic_mp") -> tuple[Finding, ...]:
    """What is said of this HAL on a target."""
    return tuple(find(guest(with_files(edits=computer(hardware_id), hal=hal), target)))


CASES = {
    ID: Case(found("virtualbox:ahci"), found("vmware:ide"), found("virtualbox:piix4", "halacpi.dll", "acpipic_up"))
}
