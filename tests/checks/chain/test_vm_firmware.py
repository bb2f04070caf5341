"""The firmware in the description against the one that the disk needs."""

import pytest
from msgspec.structs import replace
from tests.checks.subjects import chain

from bootgraft.checks.chain.vm_firmware import check
from bootgraft.checks.finding import Severity
from bootgraft.checks.guest import DescribedVm
from bootgraft.machine import Firmware

BIOS, UEFI = (DescribedVm("server1.vmx", each) for each in (Firmware.BIOS, Firmware.UEFI))


@pytest.mark.parametrize(
    ("needed", "described", "wrong"),
    [
        (Firmware.UEFI, BIOS, True),
        (Firmware.UEFI, UEFI, False),
        (Firmware.BIOS, UEFI, True),
        (Firmware.BIOS, BIOS, False),
        (Firmware.UEFI, None, False),
        (None, UEFI, True),  # ntldr
        (None, BIOS, False),
    ],
)
def test_all_pairs(needed: Firmware | None, described: DescribedVm | None, wrong: bool) -> None:
    found = check(replace(chain(), firmware=needed), described)
    assert [each.severity for each in found] == ([Severity.BLOCKER] if wrong else [])
    if found:
        assert found[0].evidence[0].startswith("server1.vmx: its firmware is ")


def test_a_chain_that_leads_nowhere_needs_nothing() -> None:
    assert check(replace(chain(holds=False), default=None, firmware=None), UEFI) == ()
