"""Windows in memory whose SOFTWARE hive got further keys."""

from collections.abc import Mapping

from msgspec.structs import replace

from tests.machines.registry_text import RegistryValue, reg_text
from tests.machines.windows_hives import Release, software_hive
from tests.memory_windows import MemoryWindows
from tests.windows.hives import spec_bytes


def with_software(
    windows: MemoryWindows, release: Release, keys: Mapping[str, Mapping[str, RegistryValue]]
) -> MemoryWindows:
    """The same Windows, of this release, with these keys in SOFTWARE."""
    made = software_hive(release, rf"C:\{release.directory}")
    path = rf"\{release.directory}\system32\config\software"
    name = next(each for each in windows.filesystem.files if each.casefold() == path.casefold())
    windows.filesystem.files[name] = spec_bytes(replace(made, text=f"{made.text}\n{reg_text(keys)}"))
    return windows.reread()
