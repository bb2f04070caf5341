"""Domain controllers whose database lies on another disk."""

import pytest
from msgspec.structs import replace
from tests.data_machines import (
    CDROM,
    DATA,
    DOMAIN_CONTROLLER,
    LETTERS,
    NTDS,
    OWN,
    PARTMGR,
    SHARED,
    guest_on,
    letter,
    repaired,
    server,
    volume_name,
)
from tests.machines.registry_text import Multi, RegistryValue
from tests.machines.windows_hives import SERVER_2003, WINDOWS_7
from tests.memory_windows import MemoryFileSystem

from bootgraft.changes import SetValue
from bootgraft.checks.diagnosis import diagnose
from bootgraft.checks.finding import Finding, Remedy, Severity, Verdict
from bootgraft.checks.guest import Guest
from bootgraft.checks.session.domain_database import MISSING, NOT_GIVEN, OFFLINE, find
from bootgraft.filesystems.base import Entry

VIRTIO = r"Enum\PCI\VEN_1AF4&DEV_1004&SUBSYS_00081AF4&REV_00\3&13c0b0c5&0&20"
DISK = r"Enum\SCSI\Disk&Ven_QEMU&Prod_QEMU_HARDDISK"


class _Linked(MemoryFileSystem):
    """A volume on which everything is a link."""

    def stat(self, path: str, /) -> Entry:
        return replace(super().stat(path), reparse_tag=0xA0000003)


def found(guest: Guest) -> list[tuple[str, str, str | None, str]]:
    return [(each.id, each.severity.value, each.stop_code, each.remedy.value) for each in find(guest)]


@pytest.mark.parametrize("target", ["kvm:virtio-scsi", "kvm:virtio-blk", "vmware:pvscsi", "vmware:lsisas1068",
                                    "vmware:lsilogic", "hyperv:gen2", "azure:gen1", "xen:pv"])  # fmt: skip
def test_a_disk_on_a_shared_bus_stops_the_machine(target: str) -> None:
    guest = guest_on(server(DOMAIN_CONTROLLER, SHARED), target)
    assert found(guest) == [(OFFLINE, "blocker", "0xc00002e2", "changes")]


@pytest.mark.parametrize("target", ["kvm:ide", "kvm:ahci", "vmware:ahci", "hyperv:gen1", "xen:ide"])
def test_ide_and_sata_are_no_shared_bus(target: str) -> None:
    assert found(guest_on(server(DOMAIN_CONTROLLER, SHARED), target)) == []
    everything = {PARTMGR: {"SanPolicy": 3}}
    assert found(guest_on(server(DOMAIN_CONTROLLER, everything), target))[0][:2] == (OFFLINE, "blocker")


@pytest.mark.parametrize("target", ["kvm:nvme", "kvm:megasas", "azure:nvme"])
def test_where_nobody_says_what_counts_the_verdict_is_open(target: str) -> None:
    (finding,) = find(guest_on(server(DOMAIN_CONTROLLER, SHARED), target))
    assert (finding.severity, finding.leaves_open, finding.stop_code) == (Severity.WARNING, True, None)


def test_online_all_and_a_policy_that_is_not_known_are_clear() -> None:
    for policy in (0, 1, 9):
        assert found(guest_on(server(DOMAIN_CONTROLLER, {PARTMGR: {"SanPolicy": policy}}))) == []


def test_a_server_without_a_policy_leaves_it_open() -> None:
    (finding,) = find(guest_on(server(DOMAIN_CONTROLLER)))
    assert finding.leaves_open
    assert "no SanPolicy" in finding.evidence[-1]


def test_the_policy_is_changed_in_every_control_set_and_then_all_is_clear() -> None:
    machine = server(DOMAIN_CONTROLLER, SHARED)
    findings = tuple(find(guest_on(machine)))
    changes = [each for finding in findings for each in finding.changes]
    assert [each.key for each in changes if isinstance(each, SetValue)] == [
        rf"ControlSet00{number}\{PARTMGR}" for number in (1, 2)
    ]
    assert found(guest_on(repaired(machine, findings))) == []


@pytest.mark.parametrize(
    "sign",
    [
        {r"Services\ClusSvc": {"Start": 2, "Type": 16}},
        {r"Services\mpio": {"Start": 0, "Type": 1}},
        {r"Services\MSiSCSI": {"Start": 2, "Type": 32}},
        {r"Enum\PCI\VEN_1077&DEV_2532\4&1&0&2": {"CompatibleIDs": Multi((r"PCI\VEN_1077&CC_0C04", r"PCI\CC_0C0400"))}},
    ],
    ids=["cluster", "mpio", "iscsi", "fibre channel"],
)
def test_where_disks_may_be_shared_it_is_only_offered(sign: dict[str, dict[str, RegistryValue]]) -> None:
    guest = guest_on(server(DOMAIN_CONTROLLER, SHARED, sign))
    assert found(guest) == [(OFFLINE, "blocker", "0xc00002e2", "offered")]
    (finding,) = find(guest)
    assert any("may be shared" in each for each in finding.evidence)


def test_what_windows_ships_unused_is_no_sign_of_sharing() -> None:
    unused: dict[str, dict[str, RegistryValue]] = {
        r"Services\ClusSvc": {"Start": 4, "Type": 16},
        r"Services\mpio": {"Start": 3, "Type": 1},
        r"Services\MSiSCSI": {"Start": 3, "Type": 32},
    }
    assert found(guest_on(server(DOMAIN_CONTROLLER, SHARED, unused)))[0][3] == "changes"


def test_disks_that_windows_has_met_on_that_controller_are_as_they_were() -> None:
    met: dict[str, dict[str, RegistryValue]] = {VIRTIO: {"Service": "vioscsi"}}
    met |= {rf"{DISK}\5&2bad&0&00000{number}": {"Service": "disk"} for number in range(2)}
    assert found(guest_on(server(DOMAIN_CONTROLLER, SHARED, met))) == []


def test_a_controller_that_was_met_with_other_disks_is_only_told() -> None:
    """As where the driver was installed with a small disk first."""
    met: dict[str, dict[str, RegistryValue]] = {VIRTIO: {"Service": "vioscsi"}}
    met |= {rf"{DISK}\5&2bad&0&00000{number}": {"Service": "disk"} for number in range(2)}
    met[rf"{DISK}\6&1&0&000000"] = {"Service": "disk"}
    assert found(guest_on(server(DOMAIN_CONTROLLER, SHARED, met))) == [(OFFLINE, "info", None, "offered")]


def test_a_database_on_the_disk_of_windows_is_clear() -> None:
    own: dict[str, dict[str, RegistryValue]] = {
        r"Services\NTDS\Parameters": {
            "DSA Database file": r"C:\Windows\system32\ntdll.dll",
            "DSA Working Directory": r"C:\Windows",
            "Database log files path": r"C:\Windows",
        }
    }
    assert found(guest_on(server(DOMAIN_CONTROLLER, own, SHARED))) == []
    assert found(guest_on(server(DOMAIN_CONTROLLER, own, SHARED, with_data_disk=False))) == []


def test_a_server_that_was_demoted_is_none() -> None:
    member: dict[str, dict[str, RegistryValue]] = {r"Control\ProductOptions": {"ProductType": "ServerNT"}}
    assert found(guest_on(server(DOMAIN_CONTROLLER, member, SHARED))) == []


def test_each_disk_is_judged_by_its_own_controller() -> None:
    guest = guest_on(server(DOMAIN_CONTROLLER, SHARED), "kvm:ide")
    machine, installation, hive = guest.machine, guest.installation, guest.hive
    scsi = guest_on(server(), "kvm:virtio-scsi").controller
    mixed = Guest(
        machine, guest.chain, installation, hive, controller=guest.controller,
        disk_controllers=(guest.controller, scsi),
    )  # fmt: skip
    assert found(mixed)[0][:2] == (OFFLINE, "blocker")


def test_without_a_target_nothing_is_said_of_policies() -> None:
    assert found(guest_on(server(DOMAIN_CONTROLLER, SHARED), None)) == []


def test_a_disk_that_was_not_given_leaves_it_open_and_is_outside_the_image() -> None:
    guest = guest_on(server(DOMAIN_CONTROLLER, SHARED, with_data_disk=False))
    (finding,) = find(guest)
    assert (finding.id, finding.severity, finding.leaves_open) == (NOT_GIVEN, Severity.WARNING, True)
    assert "22222222" in finding.evidence[0]
    assert diagnose(guest).verdict is not Verdict.BOOTS


def test_it_stops_where_these_are_all_disks() -> None:
    machine = server(DOMAIN_CONTROLLER, SHARED, with_data_disk=False)
    machine.is_complete = True
    assert found(guest_on(machine)) == [(NOT_GIVEN, "blocker", "0xc00002e2", "none")]


def test_a_database_that_is_gone_from_its_volume_stops_the_machine() -> None:
    policy: dict[str, dict[str, RegistryValue]] = {PARTMGR: {"SanPolicy": 1}}
    assert found(guest_on(server(DOMAIN_CONTROLLER, policy, data=(r"\NTDS\edb.log",)))) == [
        (MISSING, "blocker", "0xc00002e2", "none")
    ]
    assert found(guest_on(server(DOMAIN_CONTROLLER, policy, data=(r"\other",))))[0][0] == MISSING


def test_a_folder_that_is_a_link_is_not_followed() -> None:
    policy: dict[str, dict[str, RegistryValue]] = {PARTMGR: {"SanPolicy": 1}}
    machine = server(DOMAIN_CONTROLLER, policy, data=(r"\NTDS\edb.log",))
    assert found(guest_on(machine)) != []
    machine.disks[1].volumes[0]._filesystem = _Linked({r"\NTDS\edb.log": b""})
    assert found(guest_on(machine)) == []


def test_server_2003_has_no_policy_but_its_own_code() -> None:
    machine = server(DOMAIN_CONTROLLER, SHARED, release=SERVER_2003, data=(r"\other",))
    assert found(guest_on(machine, release=SERVER_2003)) == [(MISSING, "blocker", "0xc00002e1", "none")]


def test_the_policy_begins_with_vista() -> None:
    assert found(guest_on(server(DOMAIN_CONTROLLER, SHARED, release=WINDOWS_7), release=WINDOWS_7))[0][0] == OFFLINE
    machine = server(DOMAIN_CONTROLLER, SHARED, release=SERVER_2003)
    assert found(guest_on(machine, release=SERVER_2003)) == []


@pytest.mark.parametrize(
    "letters",
    [letter("C", volume_name(OWN)), LETTERS + letter("D", CDROM), LETTERS + letter("D", b"\x01\x02")],
    ids=["no letter", "a drive", "nothing known"],
)
def test_what_cannot_be_told_is_left_to_others(letters: str) -> None:
    assert found(guest_on(server(DOMAIN_CONTROLLER, SHARED, letters=letters))) == []


def test_the_remedies_are_spelled_out() -> None:
    (finding,) = find(guest_on(server(DOMAIN_CONTROLLER, SHARED)))
    assert isinstance(finding, Finding)
    assert finding.remedy is Remedy.CHANGES
    for words in ("select disk 1", "online disk", "attributes disk clear readonly", "Directory Services Restore Mode"):
        assert words in finding.explanation
    assert rf"D:{NTDS}" in finding.evidence[0]
    assert "disk 1 partition 1" in finding.evidence[0]
    assert f"{DATA:08x}" not in finding.title
