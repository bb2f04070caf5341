"""The three machines of each finding of ``vm_firmware``."""

from tests.checks.case import Case
from tests.checks.subjects import chain

from bootgraft.checks.chain import vm_firmware
from bootgraft.checks.finding import Finding
from bootgraft.checks.guest import DescribedVm
from bootgraft.machine import Firmware


def _described(firmware: Firmware) -> tuple[Finding, ...]:
    return vm_firmware.check(chain(), DescribedVm("server1.vmx", firmware))


CASES = {
    vm_firmware.WRONG: Case(_described(Firmware.UEFI), _described(Firmware.BIOS), vm_firmware.check(chain(), None)),
}
