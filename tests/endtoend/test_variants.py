"""Real machines are messier than the story: each variant is diagnosed exactly, repaired, and undone to the byte."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct, field
from tests.endtoend.story import LSI_LOGIC, WINDOWS, Bootgraft, Build, findings, grafting, hashes, require_grafted
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.spec import FileSystem
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import (
    LSI_LOGIC_INSTANCE,
    WINDOWS_2000,
    WINDOWS_XP,
    Instance,
    Select,
    Symmpi,
)

DRIVER = r"system32\drivers\symmpi.sys"
NO_BINDING = "device-binding-missing"
NOT_STARTED = "boot-service-not-boot-start"
NO_FILE = "driver-file-missing"
DEFEATED = "enum-instance-defeats-binding"
WITH_DRIVER: Mapping[str, Any] = {"symmpi": Symmpi.READY, "binding": True, "driver": DriverFile.GOOD}


def _both(finding: str) -> list[tuple[str, str]]:
    """The finding in a default set that comes first, and in another one."""
    return [("blocker", finding), ("warning", finding)]


class Variant(Struct, frozen=True):
    """A machine (keywords of Server1), what ``check`` finds on it, and where things end up.

    ``written`` are the files that a repair writes, as paths below the Windows directory; ``left`` the findings that no
    repair takes away; ``hive_written`` whether the SYSTEM hive needs an edit.
    """

    machine: Mapping[str, Any]
    found: list[tuple[str, str]] = field(default_factory=lambda: _both(NO_BINDING))
    directory: str = "WINDOWS"
    partition: int = WINDOWS
    control_sets: tuple[int, ...] = (1, 2)
    written: tuple[str, ...] = (DRIVER,)
    left: tuple[tuple[str, str], ...] = ()
    hive_written: bool = True


VARIANTS = {
    "the story": Variant({}),
    "FAT16 system partition": Variant({"system_filesystem": FileSystem.FAT16}),
    "Windows on a logical partition": Variant({"logical": True}, partition=2),
    "second of two installations": Variant({"second_installation": True}, directory="W2"),
    "directory WINNT40": Variant({"directory": "WINNT40"}, directory="WINNT40"),
    "directory W2": Variant({"directory": "W2"}, directory="W2"),
    "a healthy WINDOWS that does not boot": Variant({"directory": "WINNT40", "decoy": True}, directory="WINNT40"),
    "in-box service": Variant({"symmpi": Symmpi.IN_BOX}),
    "in-box service, bound": Variant(
        {"symmpi": Symmpi.IN_BOX, "binding": True}, [*_both(NOT_STARTED), *_both(NO_FILE)]
    ),
    "in-box service, bound, with its file": Variant(
        {"symmpi": Symmpi.IN_BOX, "binding": True, "driver": DriverFile.GOOD}, _both(NOT_STARTED), written=()
    ),
    "sets 001 and 003": Variant({"control_sets": (1, 3)}, control_sets=(1, 3)),
    "default is not current": Variant(
        {"select": Select(1, 2, 0, 1)}, [("warning", NO_BINDING), ("blocker", NO_BINDING)]
    ),
    "after a failed start": Variant(
        {"select": Select(2, 2, 1, 2)},
        [("warning", "control-set-failed"), ("warning", NO_BINDING), ("blocker", NO_BINDING)],
        left=(("warning", "control-set-failed"),),
    ),
    "disabled instance": Variant({"instance": Instance.DISABLED}),
    "disabled instance, with the driver": Variant(
        {"instance": Instance.DISABLED, **WITH_DRIVER}, _both(DEFEATED), written=()
    ),
    "instance without service": Variant({"instance": Instance.UNSERVICED}),
    "instance without service, with the driver": Variant(
        {"instance": Instance.UNSERVICED, **WITH_DRIVER}, _both(DEFEATED), written=()
    ),
    "instance of another service": Variant(
        {"instance": Instance.OTHER_SERVICE},
        [
            ("warning", "device-binding-only-in-enum"),
            ("warning", "device-binding-only-in-enum"),
            *_both("boot-service-missing"),
        ],
    ),
    "instance of another service, with the driver": Variant(
        {"instance": Instance.OTHER_SERVICE, **WITH_DRIVER}, _both(DEFEATED), written=()
    ),
    "SYMMPI.SYS in another case": Variant({"driver": DriverFile.UPPER_CASE}, written=()),
    "SYMMPI.SYS older": Variant({"driver": DriverFile.OLDER}),
    "symmpi.sys is garbage": Variant({"driver": DriverFile.GARBAGE}),
    "symmpi.sys is garbage, bound": Variant(
        {**WITH_DRIVER, "driver": DriverFile.GARBAGE}, _both("driver-file-unusable"), hive_written=False
    ),
    "symmpi.sys for x64": Variant(
        {**WITH_DRIVER, "driver": DriverFile.OTHER_ARCHITECTURE},
        _both("driver-file-wrong-architecture"),
        hive_written=False,
    ),
    "symmpi.sys needs storport.sys": Variant({"driver": DriverFile.MISSING_IMPORT}),
    "symmpi.sys needs storport.sys, bound": Variant(
        {**WITH_DRIVER, "driver": DriverFile.MISSING_IMPORT}, _both("driver-import-missing"), hive_written=False
    ),
    "only the file is missing": Variant(
        {**WITH_DRIVER, "driver": DriverFile.ABSENT}, _both(NO_FILE), hive_written=False
    ),
    "Windows 2000": Variant({"release": WINDOWS_2000, "directory": "WINNT"}, directory="WINNT"),
    "Windows XP": Variant({"release": WINDOWS_XP}),
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_check_repair_check_undo(
    variant: Variant, build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    machine = build_server1(**variant.machine)
    span = machine.span(variant.partition)
    before, files = hashes(machine.disk.parent), oracles.hashes(machine.disk, span)

    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (checked.status, checked.json["verdict"], checked.json["stop_code"]) == (1, "blocked", "0x7b")
    assert findings(checked) == variant.found
    assert checked.json["windows"]["root"] == rf"\{variant.directory}"
    assert checked.json["windows"]["control_sets"] == list(variant.control_sets)

    repaired = bootgraft("repair", machine.disk, *grafting(donor))
    assert repaired.status == 0, repaired
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (checked.status, checked.json["verdict"], checked.json["stop_code"]) == (0, "boots", None)
    assert findings(checked) == list(variant.left)
    _require_only_planned_files_changed(variant, machine, files)
    hive = tmp_path / "SYSTEM"
    hive.write_bytes(oracles.read_file(machine.disk, span, rf"\{variant.directory}\system32\config\system"))
    require_grafted(hive, variant.control_sets)

    _require_second_repair_changes_nothing(machine, donor, bootgraft)
    assert bootgraft("undo", machine.disk).status == 0
    assert hashes(machine.disk.parent) == before


def _require_only_planned_files_changed(variant: Variant, machine: BuiltMachine, before: dict[str, str]) -> None:
    """Assert with sleuthkit's eyes that the planned files and the hive changed, and that no name came twice."""
    after = oracles.hashes(machine.disk, machine.span(variant.partition))
    root = rf"\{variant.directory}"
    hive = (r"system32\config\system",) if variant.hive_written else ()
    planned = [rf"{root}\{path}" for path in (*hive, *variant.written)]
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert sorted(path.lower() for path in changed) == sorted(path.lower() for path in planned)
    names = [path.lower() for path in oracles.paths(machine.disk, machine.span(variant.partition))]
    assert sorted(set(names)) == sorted(names)
    oracles.ntfs_is_consistent(machine.disk, machine.span(variant.partition))


def _require_second_repair_changes_nothing(machine: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft) -> None:
    before = hashes(machine.disk.parent)
    again = bootgraft("repair", machine.disk, *grafting(donor))
    assert again.status == 0
    assert again.stdout.startswith("Nothing to do: nothing was changed.\n")
    assert hashes(machine.disk.parent) == before


def test_only_the_loader_decides_which_installation_is_repaired(
    build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    """The installation that boot.ini does not choose keeps every file; it is listed, and can be chosen by name."""
    machine = build_server1(second_installation=True)
    listed = bootgraft("inspect", machine.disk, "--json").json["windows"]
    assert [(each["id"], each["default_boot"]) for each in listed] == [
        ("disk0-partition2-W2", True),
        ("disk0-partition2-WINDOWS", False),
    ]
    before = oracles.hashes(machine.disk, machine.span(WINDOWS))
    assert bootgraft("repair", machine.disk, *grafting(donor)).status == 0
    after = oracles.hashes(machine.disk, machine.span(WINDOWS))
    assert [path for path in before if path.startswith(r"\WINDOWS") and before[path] != after[path]] == []
    other = ("--windows", "disk0-partition2-WINDOWS")
    assert bootgraft("check", machine.disk, *LSI_LOGIC, *other).status == 1


def test_windows_on_a_second_disk(
    build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    machine = build_server1(second_disk=True)
    before = hashes(tmp_path)
    assert bootgraft("check", *machine.disks, *LSI_LOGIC).status == 1
    assert bootgraft("repair", *machine.disks, *grafting(donor)).status == 0
    assert bootgraft("check", *machine.disks, *LSI_LOGIC).status == 0
    hive = tmp_path / "SYSTEM"
    content = oracles.read_file(machine.disks[1], machine.span(0, disk=1), r"\WINDOWS\system32\config\system")
    hive.write_bytes(content)
    require_grafted(hive)
    hive.unlink()
    assert oracles.sha256(machine.disks[0]) == before[str(machine.disks[0].relative_to(tmp_path))]
    assert bootgraft("undo", *machine.disks).status == 0
    assert hashes(tmp_path) == before


def test_an_old_instance_is_repaired_and_not_deleted(
    build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    """Only the two values that defeat the binding change; HardwareID and the rest stay as Windows wrote them."""
    machine = build_server1(instance=Instance.DISABLED)
    path = r"\WINDOWS\system32\config\SYSTEM"
    before = oracles.export_hive_of(machine.disk, machine.span(WINDOWS), path)
    assert bootgraft("repair", machine.disk, *grafting(donor)).status == 0
    after = oracles.export_hive_of(machine.disk, machine.span(WINDOWS), path)
    for number in (1, 2):
        key = rf"ControlSet00{number}\Enum\{LSI_LOGIC_INSTANCE}"
        assert before[key]["ConfigFlags"] == "dword:00000001"
        assert after[key] == {**before[key], "ConfigFlags": "dword:00000000"}


def test_an_in_box_service_keeps_its_place_in_the_load_order(
    build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    """Tag orders the machine's own load group: the donor's is never taken, and the machine's own stays."""
    machine = build_server1(symmpi=Symmpi.IN_BOX)
    assert bootgraft("repair", machine.disk, *grafting(donor)).status == 0
    after = oracles.export_hive_of(machine.disk, machine.span(WINDOWS), r"\WINDOWS\system32\config\SYSTEM")
    assert after[r"ControlSet001\Services\symmpi"]["Tag"] == "dword:00000021"
    assert after[r"ControlSet001\Services\symmpi"]["Start"] == "dword:00000000"
