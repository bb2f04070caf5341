"""Services, from hives that hivexregedit made and from real ones."""

import pytest
from msgspec import structs
from tests.windows.hives import hive_of, real_system

from bootgraft.windows.services import Service, driver_file, read_service

HIVE = r"""
[\ControlSet001\Services\symmpi]
"Type"=dword:00000001
"Start"=dword:00000004
"ErrorControl"=dword:00000001
"Group"="SCSI miniport"
"Tag"=dword:00000021
"ImagePath"=hex(2):73,00,79,00,73,00,74,00,65,00,6d,00,33,00,32,00,5c,00,78,00,2e,00,73,00,79,00,73,00,00,00

[\ControlSet001\Services\odd]
"Type"="1"
"Start"=hex:01,02
"ImagePath"=dword:00000001

[\ControlSet002\Services]
"""


def test_every_value() -> None:
    assert read_service(hive_of(HIVE), 1, "SymMPI") == Service(
        name="symmpi",
        key_path="ControlSet001\\Services\\symmpi",
        type=1,
        start=4,
        error_control=1,
        group="SCSI miniport",
        tag=0x21,
        image_path="system32\\x.sys",
    )


def test_values_of_other_types_count_as_missing() -> None:
    service = read_service(hive_of(HIVE), 1, "odd")
    assert service is not None
    assert (service.type, service.start, service.image_path, service.group) == (None, None, None, None)


@pytest.mark.parametrize(
    ("control_set", "name"), [(2, "symmpi"), (3, "symmpi"), (1, "other"), (1, ""), (1, "symmpi\\Parameters")]
)
def test_no_such_service(control_set: int, name: str) -> None:
    assert read_service(hive_of(HIVE), control_set, name) is None


def test_real_services() -> None:
    hive = real_system("xp-sp3-x86-vmware-buslogic-vmscsi")
    vmscsi = read_service(hive, 1, "VMSCSI")
    assert vmscsi is not None
    assert (vmscsi.start, vmscsi.tag, vmscsi.group) == (0, 5, "SCSI miniport")
    assert driver_file(vmscsi, "\\WINDOWS").casefold() == "\\windows\\system32\\drivers\\vmscsi.sys"
    unused = read_service(hive, 1, "sym_hi")
    assert unused is not None
    assert (unused.start, unused.image_path) == (4, None)
    assert driver_file(unused, "\\WINDOWS") == "\\WINDOWS\\system32\\drivers\\sym_hi.sys"


@pytest.mark.parametrize("image_path", [None, "", "  "])
def test_without_image_path_the_file_has_the_name_of_the_service(image_path: str | None) -> None:
    service = Service("vmstor", "", 1, 0, 1, None, None, image_path)
    assert driver_file(service, "\\W2") == "\\W2\\system32\\drivers\\vmstor.sys"
    path = structs.replace(service, image_path="\\??\\E:\\drivers\\x.sys")
    assert driver_file(path, "\\W2", drive_letter="E:") == "\\drivers\\x.sys"
