"""Page files, programs and other data on disks that stay offline, or were not given."""

import pytest
from msgspec.structs import replace
from tests.data_machines import (
    CDROM,
    DATA,
    DOMAIN_CONTROLLER,
    LETTERS,
    OWN,
    PAGE_FILE,
    PARTMGR,
    SHARED,
    guest_on,
    letter,
    repaired,
    server,
    volume_name,
)
from tests.machines.registry_text import Multi, RegistryValue

from bootgraft.changes import SetValue
from bootgraft.checks.diagnosis import diagnose
from bootgraft.checks.finding import FaultPlace, Remedy, Severity
from bootgraft.checks.fix_choice import FixChoice
from bootgraft.checks.guest import Guest
from bootgraft.checks.session.data_disks import NOT_GIVEN, OFFLINE, find
from bootgraft.checks.session.data_disks import PAGE_FILE as GONE
from bootgraft.machine import Machine, MbrPartition

ONLINE: dict[str, dict[str, RegistryValue]] = {PARTMGR: {"SanPolicy": 1}}


def found(guest: Guest) -> list[tuple[str, str, str]]:
    return [(each.id, each.severity.value, each.remedy.value) for each in find(guest)]


def test_a_page_file_on_a_disk_that_stays_offline_is_a_warning() -> None:
    guest = guest_on(server(SHARED, PAGE_FILE))
    assert found(guest) == [(OFFLINE, "warning", "offered")]
    (finding,) = find(guest)
    assert r"a page file: D:\pagefile.sys" in finding.evidence[1]
    assert "It holds a page file" in finding.explanation


def test_any_other_data_disk_is_only_told() -> None:
    assert found(guest_on(server(SHARED))) == [(OFFLINE, "info", "offered")]


def test_machines_without_such_a_disk_are_clear() -> None:
    assert found(guest_on(server(ONLINE, PAGE_FILE))) == []
    assert found(guest_on(server(SHARED, with_data_disk=False, letters=letter("C", volume_name(OWN))))) == []
    assert found(guest_on(server(SHARED, PAGE_FILE), "vmware:ahci")) == []
    assert found(guest_on(server(SHARED), None)) == []


def test_where_a_domain_controller_has_the_policy_changed_nothing_more_is_said() -> None:
    assert found(guest_on(server(SHARED, PAGE_FILE, DOMAIN_CONTROLLER))) == []
    cluster: dict[str, dict[str, RegistryValue]] = {r"Services\ClusSvc": {"Start": 2, "Type": 16}}
    assert found(guest_on(server(SHARED, PAGE_FILE, DOMAIN_CONTROLLER, cluster))) == [(OFFLINE, "warning", "offered")]


def test_a_client_brings_its_disks_online() -> None:
    client: dict[str, dict[str, RegistryValue]] = {r"Control\ProductOptions": {"ProductType": "WinNT"}}
    assert found(guest_on(server(PAGE_FILE, client))) == []


def test_where_it_is_not_sure_it_is_only_told() -> None:
    assert found(guest_on(server(SHARED, PAGE_FILE), "kvm:nvme")) == [(OFFLINE, "info", "offered")]


def test_the_letter_that_a_cdrom_drive_takes_is_named() -> None:
    (finding,) = find(guest_on(server(SHARED)))
    assert "its letter D: is free, and a CD-ROM drive" in finding.explanation
    taken = letter("C", volume_name(OWN)) + letter("D", CDROM) + letter("E", volume_name(DATA))
    (finding,) = find(guest_on(server(SHARED, letters=taken)))
    assert "CD-ROM" not in finding.explanation


def test_the_policy_is_changed_only_where_it_is_asked_for() -> None:
    guest = guest_on(server(SHARED, PAGE_FILE))
    (finding,) = find(guest)
    assert FixChoice().apply((finding,))[0].changes == ()
    asked = FixChoice(fix=frozenset({OFFLINE})).apply((finding,))
    assert asked[0].remedy is Remedy.CHANGES
    assert found(guest_on(repaired(server(SHARED, PAGE_FILE), asked))) == []


def test_each_target_is_judged_for_itself() -> None:
    guest = guest_on(server(SHARED, PAGE_FILE), "vmware:ahci")
    scsi = guest_on(server(), "kvm:virtio-scsi").controller
    assert OFFLINE not in {each.id for each in diagnose(guest).findings}
    assert OFFLINE in {each.id for each in diagnose(guest.on(scsi)).findings}


def test_a_page_file_on_a_disk_that_was_not_given_is_told() -> None:
    guest = guest_on(server(SHARED, PAGE_FILE, with_data_disk=False))
    assert found(guest) == [(NOT_GIVEN, "warning", "none")]
    (finding,) = find(guest)
    assert finding.fault_in is FaultPlace.OUTSIDE
    assert "D: is needed" in finding.title


def test_the_page_file_on_the_temporary_disk_that_azure_gives_is_no_warning() -> None:
    agent: dict[str, dict[str, RegistryValue]] = {r"Services\WindowsAzureGuestAgent": {"Start": 2, "Type": 16}}
    guest = guest_on(server(SHARED, PAGE_FILE, agent, with_data_disk=False))
    assert found(guest) == [(NOT_GIVEN, "info", "none")]
    (finding,) = find(guest)
    assert "the temporary disk that Azure gives" in finding.evidence[-1]


def test_a_disk_of_a_storage_network_is_nothing_that_anybody_gives() -> None:
    iscsi: dict[str, dict[str, RegistryValue]] = {r"Services\MSiSCSI": {"Start": 2, "Type": 32}}
    guest = guest_on(server(SHARED, PAGE_FILE, iscsi, with_data_disk=False))
    assert found(guest) == [(NOT_GIVEN, "info", "none")]
    (finding,) = find(guest)
    assert "storage network" in finding.evidence[-1]


def complete(*keys: dict[str, dict[str, RegistryValue]]) -> Machine:
    machine = server(*keys, with_data_disk=False)
    machine.is_complete = True
    return machine


def test_where_these_are_all_disks_the_page_file_can_be_moved() -> None:
    several: dict[str, dict[str, RegistryValue]] = {
        r"Control\Session Manager\Memory Management": {
            "PagingFiles": Multi((r"D:\pagefile.sys 2048 4096", r"C:\pagefile.sys 2048 4096", r"?:\pagefile.sys"))
        }
    }
    machine = complete(several)
    findings = tuple(find(guest_on(machine)))
    assert [(each.id, each.remedy) for each in findings] == [(GONE, Remedy.CHANGES)]
    changes = [each for each in findings[0].changes if isinstance(each, SetValue)]
    assert [each.key[:13] for each in changes] == ["ControlSet001", "ControlSet002"]
    texts = changes[0].value.data.decode("utf-16-le").split("\0")
    assert texts == [r"C:\pagefile.sys 2048 4096", r"?:\pagefile.sys", "", ""]
    assert found(guest_on(repaired(machine, findings))) == []


@pytest.mark.parametrize(
    "entry", ["?:\\pagefile.sys", "\\pagefile.sys", "", "D:", "nonsense", "D:\\page:file 1 2", "1 2 3"]
)
def test_odd_page_files_do_no_harm(entry: str) -> None:
    odd: dict[str, dict[str, RegistryValue]] = {
        r"Control\Session Manager\Memory Management": {"PagingFiles": Multi((entry, entry))}
    }
    for each in find(guest_on(server(ONLINE, odd, with_data_disk=False))):
        assert each.severity is Severity.WARNING


def test_a_disk_that_windows_does_not_know_may_be_the_one() -> None:
    machine = server(ONLINE, PAGE_FILE)
    machine.disks[1].table = replace(machine.disks[1].table, signature=0x33333333)
    machine.disks[1].volumes[0].identity = MbrPartition(0x33333333, 8192)
    assert found(guest_on(machine)) == []
    machine.disks[1].table = replace(machine.disks[1].table, signature=0)
    machine.disks[1].volumes[0].identity = None
    assert found(guest_on(machine)) == []


def test_a_signature_that_is_given_is_not_called_missing() -> None:
    elsewhere = letter("C", volume_name(OWN)) + letter(
        "D", DATA.to_bytes(4, "little") + (1 << 30).to_bytes(8, "little")
    )
    assert found(guest_on(server(ONLINE, PAGE_FILE, letters=elsewhere))) == []
    assert found(guest_on(server(ONLINE, PAGE_FILE, letters=LETTERS))) == []
