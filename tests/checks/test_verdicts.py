"""Every target in every Windows: what is said of a machine that has only what Windows itself shipped.

The machines are made as real hives of the same release are. To take over what was changed on purpose:
``WRITE_GOLDENS=1 pytest tests/checks/test_verdicts.py``, then read the diff.
"""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import unquote

import pytest
from msgspec.structs import replace
from tests.checks.guests import guest_of
from tests.checks.subjects import chain
from tests.machines import oracles
from tests.machines.bindings import SCSI_ADAPTER
from tests.machines.build import content
from tests.machines.spec import Architecture, File, PortableExecutable, Signature, Signer
from tests.machines.tools import run
from tests.machines.windows_hives import (
    NT_4,
    SERVER_2003,
    WINDOWS_7,
    WINDOWS_8,
    WINDOWS_8_1,
    WINDOWS_10,
    WINDOWS_11,
    WINDOWS_2000,
    WINDOWS_VISTA,
    WINDOWS_XP,
    ControlSet,
    Release,
    Select,
)
from tests.memory_windows import MemoryWindows, memory_windows

from bootgraft.changes import RegistryData
from bootgraft.checks.controller.facts import BindingStore, LinkFacts
from bootgraft.checks.diagnosis import Diagnosis, Verdict, diagnose
from bootgraft.checks.guest import Guest
from bootgraft.drivers.package import DeviceId, DriverPackage, InfFacts, PackageFile, PackageKey, PackageValue
from bootgraft.registry.values import ValueType, dword_data, text_data
from bootgraft.repair.apply import apply
from bootgraft.repair.plan import needs_driver, plan_repair
from bootgraft.targets.controllers import CONTROLLERS, Attachment, Controller

GOLDEN = Path(__file__).with_name("goldens") / "verdicts.txt"
X86, X64 = Architecture.X86, Architecture.X64
RELEASES: dict[str, tuple[Release, Architecture]] = {
    "NT 4": (NT_4, X86), "2000": (WINDOWS_2000, X86), "XP": (WINDOWS_XP, X86), "2003": (SERVER_2003, X86),
    "Vista": (WINDOWS_VISTA, X64), "7": (WINDOWS_7, X64), "8": (WINDOWS_8, X64), "8.1": (WINDOWS_8_1, X64),
    "10": (WINDOWS_10, X64), "11": (WINDOWS_11, X64),
}  # fmt: skip
GPT_GUID = "0d2b7e51-8c40-4b67-8f00-51e2a0c3d003"


def guest(windows: MemoryWindows, controller: Controller) -> Guest:
    """The guest with this Windows; one that can lie on a GPT disk does."""
    installation = windows.installation
    if installation.version >= (6, 0):
        volume = installation.volume
        volume.partition = replace(volume.partition, guid=GPT_GUID)
    return guest_of(chain(), installation, windows.hive, controller)


def diagnosis(windows: MemoryWindows, controller: Controller) -> Diagnosis:
    """Its diagnosis."""
    return diagnose(guest(windows, controller))


def machine(name: str, cached: Path) -> MemoryWindows:
    """A Windows of the release as Setup leaves it; from Windows 8 on, one that ran on hardware that is gone."""
    release, arch = RELEASES[name]
    return memory_windows(
        cached, ControlSet(1), directory=release.directory, release=release, arch=arch, select=Select(last_known_good=1)
    )


def verdict(windows: MemoryWindows, controller: Controller) -> str:
    """``boots``, ``can be repaired`` (without a driver source), ``needs a driver``, ``never`` or ``unknown``."""
    found = diagnosis(windows, controller)
    if found.verdict is not Verdict.BLOCKED:
        return found.verdict.value
    if any(not each.fixable for each in found.blockers):
        return "never"
    return "needs a driver" if needs_driver(found) else "can be repaired"


def told(cached: Path) -> str:
    lines = []
    for name in RELEASES:
        windows = machine(name, cached)
        lines.append(f"Windows {name}")
        by_verdict: dict[str, list[str]] = {}
        for controller in CONTROLLERS:
            by_verdict.setdefault(verdict(windows, controller), []).append(controller.target)
        for found in sorted(by_verdict):
            lines += [f"  {found}", *(f"    {target}" for target in by_verdict[found])]
    return "\n".join(lines) + "\n"


def test_every_target_in_every_windows(machine_cache: Path) -> None:
    found = told(machine_cache)
    if "WRITE_GOLDENS" in os.environ:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text()


@pytest.mark.parametrize("name", RELEASES)
def test_what_can_be_repaired_boots_then_and_needs_no_second_repair(
    name: str, machine_cache: Path, tmp_path: Path
) -> None:
    at_first = machine(name, machine_cache)
    for controller in CONTROLLERS:
        if verdict(at_first, controller) == "can be repaired":
            require_repaired(machine(name, machine_cache), controller, None, tmp_path)


@pytest.mark.parametrize("name", RELEASES)
def test_with_a_driver_every_controller_with_one_driver_boots(name: str, machine_cache: Path, tmp_path: Path) -> None:
    at_first = machine(name, machine_cache)
    for controller in CONTROLLERS:
        wanted = controller.attachment is Attachment.PCI_MINIPORT and verdict(at_first, controller) == "needs a driver"
        service = _service_for(at_first, controller) if wanted else None
        if service is not None:
            package = driver_of(controller, service, RELEASES[name][1], machine_cache)
            require_repaired(machine(name, machine_cache), controller, package, tmp_path)


def _service_for(windows: MemoryWindows, controller: Controller) -> str | None:
    """Any name will do where something binds it; NT 4 binds nothing, and only the names of known drivers are judged."""
    found = diagnosis(windows, controller)
    assert found.facts is not None
    link = found.facts.links[0]
    if link.store is not BindingStore.NONE:
        return "vdisk"
    return link.link.services[0] if link.link.services else None


def driver_of(controller: Controller, service: str, arch: Architecture, cached: Path) -> DriverPackage:
    """A driver as its INF would give it, signed as every Windows takes it."""
    signatures = (Signature(Signer.WHQL, "sha1"), Signature(Signer.WHQL))
    binary = PortableExecutable("vdisk.sys", arch, (("ntoskrnl.exe", ("DbgPrint",)),), signatures=signatures)
    data = content(File("\\vdisk.sys", binary), cached)
    values = (
        PackageValue("Type", RegistryData(ValueType.REG_DWORD, dword_data(1))),
        PackageValue("Start", RegistryData(ValueType.REG_DWORD, dword_data(0))),
        PackageValue("ImagePath", RegistryData(ValueType.REG_EXPAND_SZ, text_data(r"system32\drivers\vdisk.sys"))),
    )
    facts = InfFacts(
        "vdisk.inf", SCSI_ADAPTER, "SCSIAdapter", "Vendor", date(2020, 1, 2), (1, 2, 3, 4), "vdisk_inst",
        (DeviceId(controller.main_id, is_hardware_id=True),),
    )  # fmt: skip
    files = (PackageFile(r"system32\drivers\vdisk.sys", data),)
    return DriverPackage("vdisk.inf", service, (PackageKey(rf"Services\{service}", values),), files, inf=facts)


def require_repaired(
    windows: MemoryWindows, controller: Controller, package: DriverPackage | None, folder: Path
) -> None:
    """Repair the machine in memory: it boots then, for us and for reglookup, and a second repair is empty."""
    plan = plan_repair(windows.installation, windows.hive, [(diagnosis(windows, controller), package)])
    assert plan.changes, controller.target
    apply(plan, windows.machine, now=datetime(2026, 1, 2, tzinfo=UTC))
    windows = windows.reread()
    found = diagnosis(windows, controller)
    assert found.verdict is Verdict.BOOTS, (controller.target, found.blockers)
    again = plan_repair(windows.installation, windows.hive, [(found, package)])
    assert again.changes == (), controller.target
    assert found.facts is not None
    require_by_reglookup(windows, found.facts.links, folder)


def require_by_reglookup(windows: MemoryWindows, links: Sequence[LinkFacts], folder: Path) -> None:
    """Assert that each link's service is there, started at boot and not demoted, bound, and has its file."""
    hive = folder / "system"
    hive.write_bytes(windows.filesystem.find(f"{windows.installation.directory}\\system32\\config\\system"))
    lines = (line.split(",") for line in oracles.reglookup(hive, "/"))
    values = {unquote(fields[0]).lower(): fields[2] for fields in lines if len(fields) > 2}
    control = "/controlset001"
    for link in links:
        assert link.service_name is not None
        assert link.driver is not None
        name = link.service_name.lower()
        assert values[f"{control}/services/{name}/start"] == "0x00000000"
        overrides = {v for k, v in values.items() if k.startswith(f"{control}/services/{name}/startoverride/")}
        assert overrides <= {"", "0x00000000"}
        assert windows.filesystem.stat(link.driver.path).size > 0
        if link.link.is_filter or link.store is BindingStore.NONE:
            continue
        at = f"{control}/control/criticaldevicedatabase/"
        at = "/driverdatabase/driverpackages/" if link.store is BindingStore.DRIVER_DATABASE else at
        bound = {v.lower() for k, v in values.items() if k.startswith(at) and k.endswith("/service")}
        assert name in bound, link.main_id


_LOOK = """
import sys
from pathlib import Path

from tests.checks.guests import guest_of
from tests.machines import windows_hives
from tests.machines.spec import Architecture
from tests.memory_windows import memory_windows

from bootgraft.boot.chain import BootChain
from bootgraft.checks.diagnosis import diagnose
from bootgraft.targets.controllers import find_controller

release = getattr(windows_hives, sys.argv[1])
windows = memory_windows(
    Path(sys.argv[2]), windows_hives.ControlSet(1), directory="Windows", release=release, arch=Architecture.X64
)
chain, controller = BootChain((), None, ()), find_controller("kvm:ide")
assert diagnose(guest_of(chain, windows.installation, windows.hive, controller)).facts is not None
print([each for each in sys.modules if each.startswith("bootgraft.windows.signatures")])
"""


@pytest.mark.parametrize("release", ["WINDOWS_7", "WINDOWS_10"])
def test_a_machine_that_lives_on_windows_own_drivers_reads_no_signature(release: str, machine_cache: Path) -> None:
    """The reader is only loaded for what another vendor made."""
    done = run(sys.executable, "-c", _LOOK, release, machine_cache, cwd=Path(__file__).parents[2])
    assert done.decode().strip() == "[]"
