r"""By which rules the loader of an installed Windows takes signatures: its version, its settings, its firmware.

Where each is read: ``testsigning`` in the entry of the BCD store that starts it (Microsoft, "BCDEdit /set"; 16000049 is
BcdLibraryBoolean_AllowPrereleaseSignatures), an upgrade in ``Control\CI\Policy\UpgradedSystem`` (OSR, "Windows 10 1607
driver signing"), SHA-256 in the version of ci.dll (KB3033929: 6.1.7601.18741, in the branch of hotfixes 22948),
the driver policy of 2026 by the files of its two policies.
"""

from datetime import date

from bootgraft.boot.bootmgr.bcd import ElementType
from bootgraft.boot.steps import BootChain
from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.filesystems.base import FileSystem
from bootgraft.machine import Firmware
from bootgraft.registry.hive import Hive
from bootgraft.windows.driver_files import MAX_DRIVER
from bootgraft.windows.installation import Installation, control_set_name
from bootgraft.windows.pe import NotPortableExecutableError, read_pe
from bootgraft.windows.signatures.acceptance import DriverPolicy, Rules
from bootgraft.windows.versions import WINDOWS_7, WINDOWS_10

_POLICIES = (
    ("{8f9cb695-5d48-48d6-a329-7202b44607e3}.cip", DriverPolicy.ENFORCED),
    ("{784c4414-79f4-4c32-a6a5-f0fb42a51d0d}.cip", DriverPolicy.AUDIT),
)
_ON_EFI = "\\EFI\\Microsoft\\Boot\\CiPolicies\\Active"
_IN_WINDOWS = "\\System32\\CodeIntegrity\\CiPolicies\\Active"
_SHA2, _SHA2_HOTFIX = 18741, 22948
_HOTFIX_BRANCH = 20000
_SERVICE_PACK_1 = 7601


def read_rules(
    chain: BootChain, installation: Installation, hive: Hive, *, secure_boot: bool | None, today: date | None = None
) -> Rules:
    """The rules of an installation; ``hive`` is its SYSTEM. ``secure_boot`` is what is known of the new firmware.

    Raises HiveError and FileSystemError for damage on the way.
    """
    is_10 = installation.version >= WINDOWS_10
    return Rules(
        product=installation.product,
        version=installation.version,
        build=int(installation.build) if installation.build else 0,
        arch=installation.arch,
        knows_sha2=_knows_sha2(installation) if installation.version == WINDOWS_7 else None,
        secure_boot=False if _starts_by_bios(chain, installation) else secure_boot,
        is_upgraded=is_10 and _is_upgraded(installation, hive),
        test_signing=_test_signing(chain, installation),
        driver_policy=_driver_policy(chain, installation) if is_10 else DriverPolicy.NONE,
        today=today,
    )


def _starts_by_bios(chain: BootChain, installation: Installation) -> bool:
    """A BIOS has no Secure Boot, and UEFI starts an installed Windows from GPT disks only."""
    return chain.firmware is Firmware.BIOS or (chain.firmware is None and installation.volume.partition.guid is None)


def _test_signing(chain: BootChain, installation: Installation) -> bool:
    default, store = chain.default, chain.store
    entry = None if store is None else store.default_entry
    if store is None or entry is None or default is None:
        return False
    volume = installation.volume
    place = (volume.disk, volume.partition.start, installation.directory.casefold())
    return default.place == place and bool(store.store.number(entry, ElementType.ALLOW_PRERELEASE_SIGNATURES))


def _is_upgraded(installation: Installation, hive: Hive) -> bool:
    key = hive.key(f"{control_set_name(installation.select.default)}\\Control\\CI\\Policy")
    value = None if key is None else key.value("UpgradedSystem")
    return value is not None and bool(value.dword())


def _knows_sha2(installation: Installation) -> bool | None:
    path = f"{installation.directory}\\system32\\ci.dll"
    try:
        version = read_pe(installation.volume.filesystem().read(path, 0, MAX_DRIVER), name=path).version
    except (FileSystemError, NotPortableExecutableError):
        return None
    if version is None:
        return None
    build, revision = version[2:]
    return build == _SERVICE_PACK_1 and (revision >= _SHA2_HOTFIX or _SHA2 <= revision < _HOTFIX_BRANCH)


def _driver_policy(chain: BootChain, installation: Installation) -> DriverPolicy:
    names = _names(installation.volume.filesystem(), f"{installation.directory}{_IN_WINDOWS}")
    if chain.system is not None and chain.firmware is Firmware.UEFI:
        names |= _names(chain.system.filesystem(), _ON_EFI)
    return next((policy for name, policy in _POLICIES if name in names), DriverPolicy.NONE)


def _names(filesystem: FileSystem, directory: str) -> frozenset[str]:
    try:
        return frozenset(each.name.casefold() for each in filesystem.listdir(directory))
    except FileMissingError:
        return frozenset()
