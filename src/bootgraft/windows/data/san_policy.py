r"""Whether a Windows brings disks online that it has not seen before, and what says that its disks may be shared.

``Services\partmgr\Parameters\SanPolicy``, Windows Vista and Server 2008 on (Microsoft, ``VDS_SAN_POLICY``, diskpart's
command ``san``, unattended setting ``SanPolicy``): the policy for disks when they are first met; what was decided is
kept for each disk. Clients have 1 (real hives of Windows 7, 8.1 and 10), servers 2.
"""

from collections.abc import Iterator
from enum import IntEnum
from itertools import islice

from bootgraft.registry.hive import Hive
from bootgraft.windows.installation import control_set_name
from bootgraft.windows.services import read_service

VALUE = "SanPolicy"
_DISABLED = 4
_AUTOMATIC, _BOOT_OR_SYSTEM = 2, (0, 1)
_FIBRE_CHANNEL = "PCI\\CC_0C04"
_MAX_PCI = 512
"""Devices of the PCI bus that are looked at; real servers have met some hundred."""


class SanPolicy(IntEnum):
    """What becomes of a disk that was not met before."""

    ONLINE_ALL = 1
    OFFLINE_SHARED = 2
    OFFLINE_ALL = 3
    OFFLINE_INTERNAL = 4


def parameters_key(control_set: int) -> str:
    """The key that has the policy, from the root of the SYSTEM hive."""
    return f"{control_set_name(control_set)}\\Services\\partmgr\\Parameters"


def read_policy(system: Hive, control_set: int) -> int | None:
    """The policy of a control set; None where there is none. Raises HiveError where the hive is damaged there."""
    key = system.key(parameters_key(control_set))
    value = None if key is None else key.value(VALUE)
    return None if value is None else value.dword()


def sharing_signs(system: Hive, control_set: int) -> Iterator[str]:
    r"""What says that this machine may share disks with others: then none of them may be brought online unasked.

    The cluster service, MPIO, the iSCSI initiator where it starts by itself, a Fibre Channel adapter (PCI class 0C04)
    that this Windows has met. Raises HiveError where the hive is damaged there.
    """
    name = control_set_name(control_set)
    if _start(system, control_set, "ClusSvc") not in (None, _DISABLED):
        yield f"{name}\\Services\\ClusSvc: the cluster service"
    if _start(system, control_set, "mpio") in _BOOT_OR_SYSTEM or system.key(f"{name}\\Enum\\MPIO") is not None:
        yield f"{name}\\Services\\mpio: multipath I/O"
    if _start(system, control_set, "MSiSCSI") == _AUTOMATIC:
        yield f"{name}\\Services\\MSiSCSI: the iSCSI initiator starts by itself"
    adapter = _fibre_channel(system, name)
    if adapter is not None:
        yield f"{adapter}: a Fibre Channel adapter"


def _start(system: Hive, control_set: int, service: str) -> int | None:
    found = read_service(system, control_set, service)
    return None if found is None else found.effective_start


def _fibre_channel(system: Hive, control_set: str) -> str | None:
    """The key of the first Fibre Channel adapter that Windows has met."""
    bus = system.key(f"{control_set}\\Enum\\PCI")
    for device in islice(bus.keys(), _MAX_PCI) if bus is not None else ():
        for instance in islice(device.keys(), 1):
            for name in ("HardwareID", "CompatibleIDs"):
                value = instance.value(name)
                ids = () if value is None else value.multi() or ()
                if any(each.upper().startswith(_FIBRE_CHANNEL) for each in ids):
                    return device.path
    return None
