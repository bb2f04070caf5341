r"""Virtualisation-based security: where the registry turns it on, and whether it is locked in the firmware.

``Control\DeviceGuard`` and its Scenarios, ``Control\Lsa\LsaCfgFlags`` (1 with UEFI lock, 2 without), and the policies
below SOFTWARE, where HypervisorEnforcedCodeIntegrity is 1 with UEFI lock and 2 without (Microsoft, "Configure
Credential Guard", "Enable memory integrity", "Policy CSP - VirtualizationBasedTechnology").
"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.errors import FileSystemError, HiveError
from bootgraft.registry.hive import Hive
from bootgraft.windows.installation import Installation, control_set_name, open_hive

_DEVICE_GUARD = r"Control\DeviceGuard"
_POLICY = r"Policies\Microsoft\Windows\DeviceGuard"
_IN_SYSTEM = (
    (_DEVICE_GUARD, "EnableVirtualizationBasedSecurity"),
    (rf"{_DEVICE_GUARD}\Scenarios\HypervisorEnforcedCodeIntegrity", "Enabled"),
    (rf"{_DEVICE_GUARD}\Scenarios\CredentialGuard", "Enabled"),
    (r"Control\Lsa", "LsaCfgFlags"),
)
_IN_SOFTWARE = (
    (_POLICY, "EnableVirtualizationBasedSecurity"),
    (_POLICY, "HypervisorEnforcedCodeIntegrity"),
    (_POLICY, "LsaCfgFlags"),
)
_WITH_LOCK = ("LsaCfgFlags", "HypervisorEnforcedCodeIntegrity")
_LOCKED = 1


class SecuritySetting(Struct, frozen=True):
    """One value that turns it on, by its hive (``SYSTEM``, ``SOFTWARE``). ``is_locked``: the firmware keeps it too."""

    hive: str
    key_path: str
    name: str
    number: int
    is_locked: bool


def enabled_settings(installation: Installation, hive: Hive, control_set: int) -> Iterator[SecuritySetting]:
    """What turns it on in a control set; policies come with every one. Raises HiveError for damage to SYSTEM."""
    base = control_set_name(control_set)
    yield from _settings("SYSTEM", hive, ((f"{base}\\{path}", name) for path, name in _IN_SYSTEM))
    try:
        software = open_hive(installation, "SOFTWARE")
        found = tuple(_settings("SOFTWARE", software, iter(_IN_SOFTWARE)))
    except (FileSystemError, HiveError):  # which is another check's matter
        return
    yield from found


def _settings(name: str, hive: Hive, places: Iterator[tuple[str, str]]) -> Iterator[SecuritySetting]:
    for path, value_name in places:
        key = hive.key(path)
        value = None if key is None else key.value(value_name)
        number = 0 if value is None else value.dword() or 0
        if key is None or not number:
            continue
        lock = key.value("Locked") if value_name not in _WITH_LOCK else None
        locked = number == _LOCKED if value_name in _WITH_LOCK else lock is not None and bool(lock.dword())
        yield SecuritySetting(name, key.path, value_name, number, locked)
