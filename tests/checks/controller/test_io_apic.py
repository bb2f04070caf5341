"""HALs that need an I/O APIC."""

import pytest
from tests.checks.controller.cases_io_apic import found
from tests.core_windows import core_windows, guest
from tests.machines.windows_hives import WINDOWS_7

from bootgraft.checks.controller.io_apic import find
from bootgraft.checks.finding import Severity


@pytest.mark.parametrize("hal", ["halmacpi.dll", "halaacpi.dll", "halapic.dll", "halmps.dll"])
def test_those_of_the_apic_are_told_of_on_virtualbox(hal: str) -> None:
    assert [each.severity for each in found("virtualbox:piix4", hal)] == [Severity.INFO]
    assert found("kvm:ide", hal) == ()
    assert found("hyperv:gen1", hal) == ()


@pytest.mark.parametrize("hal", ["hal.dll", "halacpi.dll", "custom.dll"])
def test_others_need_none(hal: str) -> None:
    assert found("virtualbox:piix4", hal) == ()


def test_later_windows_are_not_judged() -> None:
    assert tuple(find(guest(core_windows(release=WINDOWS_7), "virtualbox:ahci"))) == ()
