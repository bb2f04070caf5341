"""The three machines of each finding of ``dynamic_disk_driver``."""

from msgspec.structs import replace
from tests.checks.case import Case
from tests.checks.subjects import installation
from tests.fakes import FakePartition, machine_of, volume_of
from tests.windows.hives import hive_of

from bootgraft.checks.machine import dynamic_disk_driver
from bootgraft.windows.installation import Installation

_DYNAMIC = "\n".join(
    f'[\\ControlSet00{number}\\Services\\{name}]\n"Start"=dword:{{start:08x}}\n'
    for number in (1, 2)
    for name in ("dmio", "dmload")
)


def _on_dynamic_disk() -> Installation:
    (volume,) = machine_of((FakePartition(volume_of(), type=0x42),)).volumes()
    return replace(installation(), volume=volume)


CASES = {
    dynamic_disk_driver.ID: Case(
        dynamic_disk_driver.check(_on_dynamic_disk(), hive_of(_DYNAMIC.format(start=4))),
        dynamic_disk_driver.check(_on_dynamic_disk(), hive_of(_DYNAMIC.format(start=0))),
        dynamic_disk_driver.check(installation(), hive_of(_DYNAMIC.format(start=4))),
    ),
}
