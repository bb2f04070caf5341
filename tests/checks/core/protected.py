"""Windows 11 with virtualisation-based security, on machines of KVM and of others."""

from collections.abc import Mapping

from msgspec.structs import replace
from tests.checks.chain.bootmgr.settings import machine
from tests.checks.guests import guest_of
from tests.checks.subjects import chain
from tests.core_windows import core_windows, in_sets
from tests.machines.registry_text import RegistryValue
from tests.machines.spec import Architecture
from tests.machines.windows_hives import WINDOWS_11, Release
from tests.memory_windows import MemoryWindows

from bootgraft.boot.chain import BootChain
from bootgraft.checks.guest import DescribedVm, Guest
from bootgraft.targets.controllers import find_controller
from bootgraft.targets.descriptions.hardware import Processor

SCENARIO = r"Control\DeviceGuard\Scenarios\HypervisorEnforcedCodeIntegrity"
INTEGRITY: dict[str, dict[str, RegistryValue]] = {SCENARIO: {"Enabled": 1}}


def protected(
    keys: Mapping[str, Mapping[str, RegistryValue]] = INTEGRITY, release: Release = WINDOWS_11
) -> MemoryWindows:
    """A Windows with these keys in both control sets."""
    return core_windows(in_sets(keys), release=release, arch=Architecture.X64)


def starting_with(launch: int | None) -> BootChain:
    """A chain whose entry has this hypervisorlaunchtype."""
    number = {} if launch is None else {0x250000F0: launch.to_bytes(8, "little")}
    return replace(chain(), store=machine(number).chain.store)


def on(
    windows: MemoryWindows,
    target: str = "kvm:virtio-blk",
    *,
    launch: int | None = None,
    features: tuple[str, ...] = (),
    processor: Processor | None = None,
) -> Guest:
    """The guest on a controller, whose description has this processor, or one with these features added."""
    processor = Processor("EPYC", "<cpu>", 3, "", features) if features else processor
    described = None if processor is None else DescribedVm("server1.xml", processor=processor)
    return guest_of(
        starting_with(launch), windows.installation, windows.hive, find_controller(target), described=described
    )
