"""The order of boot drivers, in hives that hivexregedit made and in real ones."""

import pytest
from tests.windows.hives import hive_of, real_system

from bootgraft.windows.bootdrivers import boot_drivers
from bootgraft.windows.installation import read_select

HIVE = r"""
[\ControlSet001\Control\ServiceGroupOrder]
"List"=hex(7):46,00,69,00,72,00,73,00,74,00,00,00,53,00,65,00,63,00,6f,00,6e,00,64,00,00,00,00,00

[\ControlSet001\Control\GroupOrderList]
"Second"=hex:02,00,00,00,07,00,00,00,05,00,00,00,09,00,00,00
"First"=hex:01,00

[\ControlSet001\Services\a-second-tag5]
"Start"=dword:00000000
"Group"="SECOND"
"Tag"=dword:00000005

[\ControlSet001\Services\b-second-tag9]
"Start"=dword:00000000
"Group"="Second"
"Tag"=dword:00000009

[\ControlSet001\Services\c-second-tag7]
"Start"=dword:00000000
"Group"="Second"
"Tag"=dword:00000007

[\ControlSet001\Services\d-first]
"Start"=dword:00000000
"Group"="First"

[\ControlSet001\Services\e-no-group]
"Start"=dword:00000000

[\ControlSet001\Services\f-on-demand]
"Start"=dword:00000003
"Group"="First"

[\ControlSet001\Services\g-demoted]
"Start"=dword:00000000
"Group"="First"

[\ControlSet001\Services\g-demoted\StartOverride]
"0"=dword:00000003

[\ControlSet001\Services\h-not-demoted]
"Start"=dword:00000000
"Group"="First"

[\HardwareConfig]
"LastId"=dword:00000000

[\ControlSet001\Services\g-demoted-elsewhere]
"Start"=dword:00000000

[\ControlSet001\Services\g-demoted-elsewhere\StartOverride]
"0"=dword:00000000
"1"=dword:00000003

[\ControlSet001\Services\h-not-demoted\StartOverride]
"0"=dword:00000000

[\ControlSet001\Services\i-no-start]
"""


def names(found: tuple[object, ...]) -> list[str]:
    return [str(getattr(each, "name", "")) for each in found]


def test_groups_first_then_tags_then_the_rest() -> None:
    assert names(boot_drivers(hive_of(HIVE), 1)) == [
        "d-first",
        "h-not-demoted",
        "c-second-tag7",
        "a-second-tag5",
        "b-second-tag9",
        "e-no-group",
        "g-demoted-elsewhere",
    ]


def test_no_such_control_set() -> None:
    assert boot_drivers(hive_of(HIVE), 2) == ()


NT4 = "atapi BusLogic Disk"
XP = """
ACPI PCI isapnp Compbatt IntelIde MountMgr Ftdisk dmload dmio PartMgr vmci VolSnap atapi vmscsi Disk FltMgr sr KSecDD
NDIS agp440 Mup
"""
WINDOWS_7 = """
Wdf01000 ACPI msisadrv pci vdrvroot partmgr Compbatt intelide volmgr volmgrx mountmgr vmbus atapi LSI_SCSI amdxata
LSI_SAS FltMgr FileInfo mfehidk CLFS KSecDD CNG pcw Fs_Rec NDIS KSecPkg Tcpip mfewfpk storflt Disk hwpolicy spldr
volsnap rdyboost fvevol Mup
"""


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ("nt4-sp3-server-dc-vmware-buslogic", NT4),
        ("xp-sp3-x86-vmware-buslogic-vmscsi", XP),
        ("win7-sp1-x86-vmware-lsisas", WINDOWS_7),
    ],
)
def test_real_machines(machine: str, expected: str) -> None:
    hive = real_system(machine)
    assert names(boot_drivers(hive, read_select(hive).default)) == expected.split()


def test_a_demoted_driver_of_a_real_windows_10_is_none() -> None:
    hive = real_system("win10-21h2-x64-vmware-nvme-clean")
    found = names(boot_drivers(hive, 1))
    assert {"storahci", "stornvme", "intelide", "atapi"} <= set(found)
    assert not {"LSI_SAS", "storvsc", "vmbus", "pciide"} & set(found)
