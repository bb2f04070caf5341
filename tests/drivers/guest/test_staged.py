"""Packages in the driver store that no device needed yet, with Red Hat's real ones."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.checks.test_verdicts import diagnosis, machine, verdict
from tests.machines.build import content
from tests.machines.spec import Architecture, File, PortableExecutable
from tests.memory_windows import MemoryFileSystem, MemoryWindows
from tests.registry.support import Memory

from bootgraft.checks.finding import Remedy
from bootgraft.drivers.guest.staged import StagedInfs, read_staged, staged_for
from bootgraft.drivers.inf.selection import require_package
from bootgraft.drivers.inf.target_windows import read_target_windows
from bootgraft.drivers.inf.trial import trial_in
from bootgraft.drivers.sources import open_source
from bootgraft.registry.hive import Hive
from bootgraft.registry.values import ValueType, text_data
from bootgraft.repair.apply import apply
from bootgraft.repair.plan import plan_repair
from bootgraft.targets.controllers import CONTROLLERS, find_controller
from bootgraft.windows.driver_database import packages_naming
from bootgraft.windows.signatures.acceptance import Rules

VIRTIO = find_controller("kvm:virtio-blk")
STORE = "\\Windows\\System32\\DriverStore\\FileRepository"
PACKAGE = "viostor.inf_amd64_neutral_bbf0a4bd3d11e33f"


@pytest.fixture
def windows(machine_cache: Path, shared_testdata: Path) -> MemoryWindows:
    """A Windows 7 on which virtio-win's installer staged viostor, and that has others staged too."""
    found = machine("7", machine_cache)
    virtio = shared_testdata / "drivers" / "virtio-win-old-drivers" / "Win7" / "amd64"
    for file in virtio.glob("viostor.*"):
        found.filesystem.files[f"{STORE}\\{PACKAGE}\\{file.name}"] = file.read_bytes()
    inf = (virtio / "viostor.inf").read_bytes()
    found.filesystem.files[f"{STORE}\\viostor.inf_x86_neutral_1\\viostor.inf"] = inf
    found.filesystem.files[f"{STORE}\\viostor.inf_amd64_neutral_1\\viostor.inf"] = b"another"
    found.filesystem.files["\\Windows\\inf\\oem3.inf"] = (virtio / "vioscsi.inf").read_bytes()
    found.filesystem.files["\\Windows\\inf\\oem4.inf"] = inf
    return found


def test_a_staged_package_is_found_and_grafted_in(windows: MemoryWindows) -> None:
    assert staged_for(windows.installation, windows.hive, VIRTIO) == f"{STORE}\\{PACKAGE} serves PCI\\VEN_1AF4&DEV_1001"
    found = diagnosis(windows, VIRTIO)
    assert {each.remedy for each in found.blockers} == {Remedy.OWN_DRIVER}
    package = read_staged(windows.installation, windows.hive, VIRTIO)
    assert package is not None
    assert (package.service, package.origin) == ("viostor", f"its own {STORE}: {PACKAGE}\\viostor.inf")
    plan = plan_repair(windows.installation, windows.hive, [(found, package)])
    apply(plan, windows.machine, now=datetime(2026, 1, 2, tzinfo=UTC))
    repaired = windows.reread()
    assert verdict(repaired, VIRTIO) == "boots"
    driver = windows.filesystem.find("\\Windows\\system32\\drivers\\viostor.sys")
    assert driver == windows.filesystem.find(f"{STORE}\\{PACKAGE}\\viostor.sys")


def test_for_all_controllers_each_inf_is_read_once(windows: MemoryWindows, monkeypatch: pytest.MonkeyPatch) -> None:
    inf = windows.filesystem.files["\\Windows\\inf\\oem4.inf"]
    windows.filesystem.files["\\Windows\\inf\\oem4.inf"] = windows.filesystem.files[
        f"{STORE}\\{PACKAGE}\\viostor.inf"
    ] = inf.decode("cp1252").encode("utf-16")
    read = type(windows.filesystem).read
    asked: list[str] = []

    def counting(filesystem: MemoryFileSystem, path: str, *place: int) -> bytes:
        asked.append(path)
        return read(filesystem, path, *place)

    monkeypatch.setattr(MemoryFileSystem, "read", counting)
    infs = StagedInfs(windows.installation)
    found = {each.target for each in CONTROLLERS if staged_for(windows.installation, windows.hive, each, infs)}
    assert found == {"kvm:virtio-blk", "kvm:virtio-blk-modern"}
    assert [each for each in asked if "\\inf\\oem" in each] == ["\\Windows\\inf\\oem3.inf", "\\Windows\\inf\\oem4.inf"]


def test_a_package_whose_inf_is_not_staged_is_left(windows: MemoryWindows) -> None:
    del windows.filesystem.files["\\Windows\\inf\\oem4.inf"]
    assert staged_for(windows.installation, windows.hive, VIRTIO) is None
    assert read_staged(windows.installation, windows.hive, VIRTIO) is None
    assert Remedy.OWN_DRIVER not in {each.remedy for each in diagnosis(windows, VIRTIO).findings}


def test_a_package_that_lost_its_driver_gives_none(windows: MemoryWindows) -> None:
    del windows.filesystem.files[f"{STORE}\\{PACKAGE}\\viostor.sys"]
    assert read_staged(windows.installation, windows.hive, VIRTIO) is None


def test_a_package_built_for_another_processor_gives_none(windows: MemoryWindows, machine_cache: Path) -> None:
    other = PortableExecutable("viostor.sys", Architecture.X86)
    windows.filesystem.files[f"{STORE}\\{PACKAGE}\\viostor.sys"] = content(File("", other), machine_cache)
    assert read_staged(windows.installation, windows.hive, VIRTIO) is None


def staged_on_81(machine_cache: Path, shared_testdata: Path, release: str = "Win7") -> MemoryWindows:
    """A Windows 8.1 whose database names a package that was only staged: the cross-signed one of another release."""
    found = machine("8.1", machine_cache)
    virtio = shared_testdata / "drivers" / "virtio-win-old-drivers" / release / "amd64"
    for file in virtio.glob("viostor.*"):
        found.filesystem.files[f"{STORE}\\{PACKAGE}\\{file.name}"] = file.read_bytes()
    top, hive = "DriverDatabase", found.hive
    for key in (f"{top}\\DeviceIds\\PCI\\VEN_1AF4&DEV_1001", f"{top}\\DriverInfFiles\\oem7.inf"):
        hive.create_key(key)
    hive.set_value(f"{top}\\DeviceIds\\PCI\\VEN_1AF4&DEV_1001", "oem7.inf", ValueType.REG_BINARY, b"\1\xff\0\0")
    hive.set_value(f"{top}\\DriverInfFiles\\oem7.inf", "Active", ValueType.REG_SZ, text_data(PACKAGE))
    hive.commit(filetime=0)
    return found.reread()


def test_a_later_windows_finds_it_by_its_database(machine_cache: Path, shared_testdata: Path) -> None:
    windows = staged_on_81(machine_cache, shared_testdata)
    found = diagnosis(windows, VIRTIO)
    assert {each.remedy for each in found.blockers} == {Remedy.OWN_DRIVER}
    package = read_staged(windows.installation, windows.hive, VIRTIO)
    assert package is not None
    plan = plan_repair(windows.installation, windows.hive, [(found, package)])
    apply(plan, windows.machine, now=datetime(2026, 1, 2, tzinfo=UTC))
    assert verdict(windows.reread(), VIRTIO) == "boots"


def test_one_that_its_loader_refuses_is_no_way_out(machine_cache: Path, shared_testdata: Path) -> None:
    """Red Hat's own for 8.1 is self-signed. Its older one for Windows 7 is not: it takes the newer one's place."""
    windows = staged_on_81(machine_cache, shared_testdata, "Win8.1")
    package = read_staged(windows.installation, windows.hive, VIRTIO)
    assert package is not None
    plan = plan_repair(windows.installation, windows.hive, [(diagnosis(windows, VIRTIO), package)])
    apply(plan, windows.machine, now=datetime(2026, 1, 2, tzinfo=UTC))
    windows = windows.reread()
    found = diagnosis(windows, VIRTIO)
    assert {each.id for each in found.blockers} == {"driver-signature-refused"}
    source = open_source(str(shared_testdata / "drivers" / "virtio-win-old-drivers" / "Win7"))
    rules = Rules(product="Windows 8.1", version=(6, 3), build=9600, arch=windows.installation.arch)
    trial = trial_in(windows.installation, rules)
    older = require_package(source, VIRTIO, read_target_windows(windows.installation, windows.hive), trial)
    apply(plan_repair(windows.installation, windows.hive, [(found, older)]), windows.machine, now=datetime.now(UTC))
    assert verdict(windows.reread(), VIRTIO) == "boots"


def test_a_package_that_the_database_names_and_the_store_lost_is_left(
    machine_cache: Path, shared_testdata: Path
) -> None:
    windows = staged_on_81(machine_cache, shared_testdata)
    for path in [each for each in windows.filesystem.files if PACKAGE in each]:
        del windows.filesystem.files[path]
    assert staged_for(windows.installation, windows.hive, VIRTIO) is None


def test_what_a_real_windows_10_has_staged(shared_testdata: Path) -> None:
    """VMware Tools put pvscsi there; the machine runs on NVMe."""
    path = shared_testdata / "hives-system" / "win10-21h2-x64-vmware-nvme-clean" / "SYSTEM"
    hive = Hive.open(Memory(path.read_bytes()), name="SYSTEM")
    found = packages_naming(hive, find_controller("vmware:pvscsi").device_ids())
    assert [each.partition("_")[0] for each in found] == ["pvscsi.inf"]
    assert packages_naming(hive, VIRTIO.device_ids()) == ()
