"""After the repair of the story's machine: what other people's tools see of every file, key and value."""

from pathlib import Path

import pytest
from tests.endtoend.story import (
    LOADER,
    WINDOWS,
    Bootgraft,
    applied,
    driver,
    grafting,
    hashes,
    key_values,
    system_hive,
)
from tests.machines import oracles
from tests.machines.bindings import SCSI_ADAPTER
from tests.machines.build import BuiltMachine, copy_sparse
from tests.machines.tools import run
from tests.machines.windows_hives import LSI_LOGIC_DEVICE

HIVE = r"\WINDOWS\system32\config\system"
FILE = r"\WINDOWS\system32\drivers\symmpi.sys"


class Repaired:
    """The dead server before and after, and the plan that the dry run had announced."""

    def __init__(self, before: BuiltMachine, raw: Path, plan: list[dict[str, object]]) -> None:
        self.before = before
        self.raw = raw
        self.plan = plan
        self.span = before.span(WINDOWS)


@pytest.fixture
def repaired(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path) -> Repaired:
    """The story's repair; ``server1`` itself stays as it was."""
    raw = tmp_path / "repaired" / "server1.raw"
    raw.parent.mkdir()
    copy_sparse(server1.disk, raw)
    dry_run = bootgraft("repair", raw, *grafting(donor), "--dry-run", "--json")
    assert dry_run.status == 0
    assert dry_run.json["committed"] is False
    assert hashes(raw.parent) == {raw.name: oracles.sha256(server1.disk)}
    done = bootgraft("repair", raw, *grafting(donor), "--json")
    assert done.status == 0
    assert done.json["committed"] is True
    assert done.json["changes"] == dry_run.json["changes"]
    return Repaired(server1, raw, dry_run.json["changes"])


def test_files_outside_the_plan_are_as_they_were(repaired: Repaired, donor: BuiltMachine) -> None:
    """Every file's content, the file lists of both volumes, both volumes' consistency, the new file and its rights."""
    before, after = repaired.before, repaired.raw
    for volume in (LOADER, WINDOWS):
        oracles.ntfs_is_consistent(after, before.span(volume))
        paths = set(oracles.paths(after, before.span(volume)))
        assert paths - set(oracles.paths(before.disk, before.span(volume))) == ({FILE} if volume == WINDOWS else set())
        assert paths >= set(oracles.paths(before.disk, before.span(volume)))
    assert oracles.hashes(after, before.span(LOADER)) == oracles.hashes(before.disk, before.span(LOADER))
    old, new = (oracles.hashes(raw, repaired.span) for raw in (before.disk, after))
    assert {path for path in new if new[path] != old.get(path)} == {HIVE, FILE}
    assert set(old) <= set(new)

    assert oracles.read_file(after, repaired.span, FILE) == driver(donor)
    siblings = {oracles.security_id(before.disk, repaired.span, path) for path in old if path.startswith(FILE[:-10])}
    assert siblings == {oracles.security_id(after, repaired.span, FILE)}


def test_bytes_outside_the_two_volumes_are_as_they_were(repaired: Repaired) -> None:
    """The partition table, the gaps between the partitions, and the whole loader volume."""
    offset, length = repaired.span
    before, after = repaired.before.disk.read_bytes(), repaired.raw.read_bytes()
    assert after[:offset] == before[:offset]
    assert after[offset + length :] == before[offset + length :]


def test_the_hive_holds_the_plan_and_nothing_else(repaired: Repaired) -> None:
    """Full exports by hivexregedit before and after differ by the planned changes, to the value."""
    before, after = (oracles.export_hive_of(raw, repaired.span, HIVE) for raw in (repaired.before.disk, repaired.raw))
    assert after == applied(before, repaired.plan)
    assert [change["path"] for change in repaired.plan if change["kind"] == "write-file"] == [
        r"\WINDOWS\system32\DRIVERS\symmpi.sys"
    ]
    new_keys = {path for path in after if path not in before}
    below = (
        r"Services\symmpi",
        r"Services\symmpi\Parameters",
        r"Services\symmpi\Parameters\Device",
        r"Services\symmpi\Parameters\PnpInterface",
        rf"Control\CriticalDeviceDatabase\{LSI_LOGIC_DEVICE}",
    )
    assert new_keys == {rf"ControlSet00{number}\{path}" for number in (1, 2) for path in below}
    assert not [path for path in new_keys if "Enum" in path]
    assert all(before[path] == after[path] for path in before)


def test_two_readers_of_hives_see_service_and_binding_in_both_sets(
    repaired: Repaired, donor: BuiltMachine, tmp_path: Path
) -> None:
    """reglookup compares all values with the donor's, of which only Tag stays behind; hivexsh reads the same."""
    hive = system_hive(repaired.raw, repaired.span, tmp_path)
    donors = system_hive(donor.disk, donor.span(WINDOWS), tmp_path, directory="WINNT")
    expected = key_values(donors, r"ControlSet001\Services\symmpi")
    assert expected.pop("Tag") == ("DWORD", "0x00000021")
    for number in (1, 2):
        service = rf"ControlSet00{number}\Services\symmpi"
        assert key_values(hive, service) == expected
        for below in ("Parameters", r"Parameters\Device", r"Parameters\PnpInterface"):
            values = key_values(hive, rf"{service}\{below}")
            assert values == key_values(donors, rf"ControlSet001\Services\symmpi\{below}")
            assert values
        binding = rf"ControlSet00{number}\Control\CriticalDeviceDatabase\{LSI_LOGIC_DEVICE}"
        assert key_values(hive, binding) == {"ClassGUID": ("SZ", SCSI_ADAPTER), "Service": ("SZ", "symmpi")}

        assert set(oracles.hivexsh(hive, rf"cd \{service}", "lsval")) == {
            '"ErrorControl"=dword:00000001',
            '"Group"="SCSI miniport"',
            '"Start"=dword:00000000',
            '"Type"=dword:00000001',
            r'"ImagePath"=str(2):"system32\\DRIVERS\\symmpi.sys"',
        }
        assert set(oracles.hivexsh(hive, rf"cd \{binding}", "lsval")) == {
            f'"ClassGUID"="{SCSI_ADAPTER}"',
            '"Service"="symmpi"',
        }
        assert oracles.hivexsh(hive, rf"cd \{service}", "ls") == ["Parameters"]


def test_new_keys_take_over_the_rights_of_their_parents(repaired: Repaired, tmp_path: Path) -> None:
    """reglookup prints owner, group and access list of every key; a key without rights would lock Windows out."""
    hive = system_hive(repaired.raw, repaired.span, tmp_path)
    rights = {}
    for path in ("/ControlSet001/Services", "/ControlSet002/Control/CriticalDeviceDatabase"):
        for line in run("reglookup", "-H", "-s", "-t", "KEY", "-p", path, hive).decode().splitlines():
            name, _, _, _, *security = line.split(",")
            rights[name] = security
    new = [name for name in rights if "symmpi" in name or "dev_0030" in name]
    assert len(new) == 5
    assert {tuple(rights[name]) for name in new} == {tuple(rights["/ControlSet001/Services/atapi"])}
    assert "S-1-5-18:ALLOW:" in str(rights[new[0]])
