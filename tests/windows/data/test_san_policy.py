"""The policy for disks that are met for the first time."""

import pytest
from tests.real_windows import clean_bytes
from tests.windows.hives import MemoryFile, hive_of, real_system

from bootgraft.registry.hive import Hive
from bootgraft.windows.data.san_policy import read_policy, sharing_signs


@pytest.mark.parametrize(
    "machine",
    [
        "win7-sp1-x86-vmware-lsisas",
        "win81-x64-virtualbox-ahci-dirty-nolog",
        "win10-1709-x64-physical-iastorav-dirty-withlogs",
        "win10-21h2-x64-vmware-nvme-clean",
    ],
)
def test_real_clients_bring_all_disks_online_and_share_none(machine: str) -> None:
    hive = Hive.open(MemoryFile(clean_bytes(machine)), name="SYSTEM")
    assert read_policy(hive, 1) == 1
    assert list(sharing_signs(hive, 1)) == []


def test_before_vista_there_is_no_policy() -> None:
    assert read_policy(real_system("xp-sp3-x86-vmware-buslogic-vmscsi"), 1) is None


def test_a_policy_that_is_no_number_is_none() -> None:
    hive = hive_of('[\\ControlSet001\\Services\\partmgr\\Parameters]\n"SanPolicy"="2"\n')
    assert read_policy(hive, 1) is None
