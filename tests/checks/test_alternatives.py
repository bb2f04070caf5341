"""Which other controllers need no driver from outside, where one is lacking."""

from pathlib import Path

import pytest
from tests.checks.guests import guest_of
from tests.checks.subjects import chain
from tests.checks.test_verdicts import diagnosis, guest, machine

from bootgraft.checks.alternatives import Alternative, find_alternatives
from bootgraft.checks.diagnosis import diagnose
from bootgraft.targets.controllers import find_controller


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("XP", "vmware:lsilogic", [Alternative("vmware:ide", as_it_is=True)]),
        ("XP", "kvm:virtio-blk", [Alternative("kvm:ide", as_it_is=False)]),
        ("7", "vmware:pvscsi", [
            Alternative("vmware:lsilogic", as_it_is=True), Alternative("vmware:lsisas1068", as_it_is=True),
            Alternative("vmware:ide", as_it_is=True), Alternative("vmware:ahci", as_it_is=False),
        ]),
        ("10", "xen:pv", [Alternative("xen:ide", as_it_is=False)]),
        ("10", "vmware:ahci", []),  # it lacks no driver
        ("7", "vmware:ide", []),  # it boots
    ],
)  # fmt: skip
def test_what_to_choose_instead(name: str, target: str, expected: list[Alternative], machine_cache: Path) -> None:
    windows = machine(name, machine_cache)
    here = guest(windows, find_controller(target))
    found = find_alternatives(diagnose(here), here)
    assert list(found) == expected


def test_without_a_windows_there_is_nothing_to_choose(machine_cache: Path) -> None:
    windows = machine("XP", machine_cache)
    lacking = diagnosis(windows, find_controller("vmware:lsilogic"))
    assert find_alternatives(lacking, guest_of(chain())) == ()
