"""Gate 1 under Secure Boot: does the new machine's firmware know the authority that signed Windows' boot manager?"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.boot import search
from bootgraft.boot.bootmgr import uefi
from bootgraft.checks.check import Check
from bootgraft.checks.finding import FaultPlace, Finding, FindingDoc, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.machine import Firmware, Volume
from bootgraft.text import excerpt
from bootgraft.windows.installation import control_set_name, hive_file

ID = "secure-boot-authority"
_OLD, _NEW = "Microsoft Windows Production PCA 2011", "Windows UEFI CA 2023"
_SUPPORT = "https://support.microsoft.com/topic"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows 8 and later on UEFI, where --secure-boot on, or the description, says that signatures are "
    "checked",
    cause=f"Windows' boot manager is signed under '{_OLD}' or, since the updates of 2024, under '{_NEW}'. The firmware "
    "starts it only if that authority is in its list (db) and not among what is revoked (dbx). Both lists are the "
    "machine's, not the disk's. Machines made before ESXi 8.0.2, and firmware variables of older OVMF packages, lack "
    "the authority of 2023. That the certificate of 2011 expires in 2026 stops nothing; that it is revoked does.",
    evidence="Each boot manager with its authority, and what the guest wrote down of its old firmware "
    r"(Control\SecureBoot\Servicing).",
    fix="None: the lists are not on the disk. Give the machine firmware variables that have both authorities: a fresh "
    "OVMF_VARS, or `virt-fw-vars --enroll-redhat`; on ESXi rename its .nvram file, and the host makes a new one. Or "
    "start it without Secure Boot.",
    limits="Info for the authority of 2011, which every firmware with Microsoft's keys has; for that of 2023 the "
    "verdict is unknown. In a Windows that runs, `Get-SecureBootUEFI db` shows the list; on a host, `virt-fw-vars "
    "--print`.",
    symptoms=(Symptom.SECURE_BOOT, Symptom.NO_BOOTABLE_DEVICE),
    references=(
        f"{_SUPPORT}/a7be69c9-4634-42e1-9ca1-df06f43f360d",
        f"{_SUPPORT}/41a975df-beb2-40c1-99a3-b3ff139f832d",
        "https://knowledge.broadcom.com/external/article/423893",
        "https://knowledge.broadcom.com/external/article/421593",
    ),
    fault_in=FaultPlace.OUTSIDE,
)
_SERVICING = r"Control\SecureBoot\Servicing"
_POLICY = r"\EFI\Microsoft\Boot\SkuSiPolicy.p7b"


class SignedLoader(Struct, frozen=True):
    """A boot manager on the EFI system partition, and the authorities that vouch for it."""

    path: str
    authorities: tuple[str, ...]

    @property
    def needs_new(self) -> bool:
        """Whether only the authority of 2023 vouches for it."""
        return _NEW in self.authorities and _OLD not in self.authorities


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where Secure Boot is on and a boot manager is signed under one of the two."""
    chain = guest.chain
    if not guest.secure_boot or chain.system is None or chain.firmware is not Firmware.UEFI:
        return
    try:
        loaders = tuple(_loaders(chain.system))
        revokes = search.has(chain.system, _POLICY)
    except (FileSystemError, PartitionTableError):  # the chain says what is damaged
        return
    if loaders:
        yield judged(chain.system.name, loaders, (*_revocation(chain.system, revokes=revokes), *_servicing(guest)))


def _loaders(system: Volume) -> Iterator[SignedLoader]:
    """Those whose authority is known, the one that a new machine starts first."""
    from bootgraft.windows.signatures.issuers import issuers  # few look under Secure Boot

    fallback = uefi.fallback_path(system)
    for path in (*((fallback,) if fallback is not None else ()), uefi.BOOT_MANAGER):
        if search.has(system, path):
            authorities = tuple(each for each in issuers(uefi.read_loader(system, path)) if each in (_OLD, _NEW))
            if authorities:
                yield SignedLoader(path, authorities)


def judged(place: str, loaders: tuple[SignedLoader, ...], further: tuple[str, ...] = ()) -> Finding:
    """The finding about these loaders, the one that starts first; ``further`` is what else is known."""
    first = loaders[0]
    evidence = (
        *(f"{place}: {each.path} is signed under {' and '.join(each.authorities)}" for each in loaders),
        *further,
    )
    if first.needs_new:
        return Finding(
            ID,
            Severity.INFO,
            f"the boot manager is signed under {_NEW}: does the new machine's firmware know it?",
            f"If its list (db) lacks that authority, the firmware refuses {first.path}: a security violation before "
            "any Windows. Look with `virt-fw-vars --print`, or start it: if it refuses, give the machine fresh "
            "firmware variables with both authorities, or turn Secure Boot off.",
            evidence,
            leaves_open=True,
            fault_in=FaultPlace.OUTSIDE,
        )
    return Finding(
        ID,
        Severity.INFO,
        f"the boot manager is signed under {' and '.join(first.authorities)}",
        "Every firmware with Microsoft's keys starts it, unless the authority of 2011 is revoked there (dbx). That its "
        "certificate expires in 2026 stops nothing.",
        evidence,
        fault_in=FaultPlace.OUTSIDE,
    )


def _revocation(system: Volume, *, revokes: bool) -> Iterator[str]:
    if revokes:
        yield f"{system.name}: {_POLICY}: a policy of this Windows that revokes earlier boot managers"


def _servicing(guest: Guest) -> Iterator[str]:
    installation, hive = guest.installation, guest.hive
    if installation is None or hive is None:
        return
    key = hive.key(f"{control_set_name(installation.select.default)}\\{_SERVICING}")
    status = None if key is None else key.value("UEFICA2023Status")
    capable = None if key is None else key.value("WindowsUEFICA2023Capable")
    shown = [] if status is None or not status.text() else [f"UEFICA2023Status={excerpt(status.text() or '')}"]
    shown += [] if capable is None or capable.dword() is None else [f"WindowsUEFICA2023Capable={capable.dword()}"]
    if key is not None and shown:
        yield f"{hive_file(installation).path}: {key.path}: {', '.join(shown)} (of the old machine's firmware)"


CHECK = Check(Stage.CHAIN, 72, (DOC,), find)
