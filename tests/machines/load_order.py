"""The order in which the loader takes boot drivers: ServiceGroupOrder and GroupOrderList, as real hives hold them."""

from collections.abc import Iterator
from struct import pack

from tests.machines.registry_text import Multi, RegistryValue

_FILTERS = (
    "Infrastructure", "System", "Bottom", "Copy Protection", "Security Enhancer", "Open File",
    "Physical Quota Management", "Virtualization", "Encryption", "Compression", "Imaging", "HSM",
    "Cluster File System", "System Recovery", "Quota Management", "Content Screener", "Continuous Backup",
    "Replication", "Anti-Virus", "Undelete", "Activity Monitor", "Top",
)  # fmt: skip
_SINCE_VISTA = ("Virtualization", "Imaging")
_DRIVERS = (
    "Boot Bus Extender", "System Bus Extender", "SCSI miniport", "Port", "Primary Disk", "SCSI Class",
    "SCSI CDROM Class",
)  # fmt: skip
_INPUT_AND_VIDEO = (
    "Filter", "Boot File System", "Base", "Pointer Port", "Keyboard Port", "Pointer Class", "Keyboard Class",
    "Video Init", "Video", "Video Save", "File System",
)  # fmt: skip
_LAST = ("NetDDEGroup", "Parallel arbitrator", "Extended Base", "PCI Configuration", "MS Transactions")

_NT_4 = (
    "System Bus Extender", "SCSI miniport", "port", "Primary disk", "SCSI class", "SCSI CDROM class", "filter",
    "boot file system", "Base", "Pointer Port", "Keyboard Port", "Pointer Class", "Keyboard Class", "Video Init",
    "Video", "Video Save", "file system", "Event log", "Streams Drivers", "PNP_TDI", "NDIS", "TDI", "NetBIOSGroup",
    "SpoolerGroup", "NetDDEGroup", "Parallel arbitrator", "extended base", "RemoteValidation", "PCI Configuration",
)  # fmt: skip
_XP = (
    "System Reserved", *_DRIVERS, *(f"FSFilter {name}" for name in _FILTERS if name not in _SINCE_VISTA),
    *_INPUT_AND_VIDEO, "Event Log", "Streams Drivers", "NDIS Wrapper", "COM Infrastructure", "UIGroup",
    "LocalValidation", "PlugPlay", "PNP_TDI", "NDIS", "TDI", "NetBIOSGroup", "ShellSvcGroup", "SchedulerGroup",
    "SpoolerGroup", "AudioGroup", "SmartCardGroup", "NetworkProvider", "RemoteValidation", *_LAST,
)  # fmt: skip
_EARLIER_SERVICES = {
    (6, 0): ("AudioGroup", "ProfSvc_Group", "UIGroup"),
    (6, 2): ("ProfSvc_Group", "AudioGroup", "UIGroup"),
    (10, 0): ("PerceptionGroup", "ProfSvc_Group", "AudioGroup", "UIGroup"),
}

_TAGS: tuple[tuple[tuple[int, int], dict[str, str]], ...] = (
    ((10, 0), {
        "Boot Bus Extender": "7 1-5", "System Bus Extender": "7 3 4 1 15 8-14 2 5 17",
        "SCSI miniport": "256 257 25 1-23 26 24 27-32 35-63", "SCSI Class": "1-3", "SCSI CDROM Class": "1 2",
        "Base": "14 1-13 15 16 26", "PnP Filter": "1 3-5", "Filter": "1",
    }),
    ((6, 2), {
        "Boot Bus Extender": "7 1-6 8-11", "System Bus Extender": "7 3 4 1 8-14 2 5 6 15-25",
        "SCSI miniport": "256 257 25 1-23 26 24 27-32 35-63 33 34 64-87", "SCSI Class": "1-4",
        "SCSI CDROM Class": "1-3", "Base": "14 1-13 15-28", "PnP Filter": "1 3 4 2 5-9", "Filter": "1",
    }),
    ((6, 0), {
        "Boot Bus Extender": "1-6", "System Bus Extender": "7 3 4 1 8-14 2 5 6",
        "SCSI miniport": "256 257 25 1-23 26 24 27-32 35-63 33 34", "SCSI Class": "1-3", "SCSI CDROM Class": "1-3",
        "Base": "14 1-13 15-20", "PnP Filter": "1 3 4 2 6 7", "Filter": "1",
    }),
    ((5, 0), {
        "Boot Bus Extender": "1-5", "System Bus Extender": "2-4 1 8-14 5-7",
        "SCSI Miniport": "256 257 25 1-23 26 24 27-32 35-63", "SCSI Class": "1-3", "SCSI CDROM Class": "1 2",
        "Base": "14 1-13 15-18", "PnP Filter": "1 3 2 4-6", "Filter": "1-6",
    }),
    ((4, 0), {
        "System Bus Extender": "1", "SCSI miniport": "256 257 25 1-23 26 24 27-32 35-38", "SCSI Class": "1-3",
        "SCSI CDROM Class": "1 2", "Base": "14 1-13", "Filter": "1-6", "Primary Disk": "1-4",
    }),
)  # fmt: skip


def load_order(version: tuple[int, int]) -> dict[str, dict[str, RegistryValue]]:
    """The two keys below ``Control``."""
    tags = next(groups for first, groups in _TAGS if version >= first)
    lists: dict[str, RegistryValue] = {}
    for group, text in tags.items():
        numbers = tuple(_expand(text))
        lists[group] = pack(f"<{len(numbers) + 1}I", len(numbers), *numbers)
    return {
        r"Control\ServiceGroupOrder": {"List": Multi(_groups(version))},
        r"Control\GroupOrderList": lists,
    }


def _groups(version: tuple[int, int]) -> tuple[str, ...]:
    if version < (6, 0):
        return _XP if version >= (5, 0) else _NT_4
    services = max((first, names) for first, names in _EARLIER_SERVICES.items() if version >= first)[1]
    return (
        "System Reserved", "EMS", "WdfLoadGroup", *_DRIVERS, *(f"FSFilter {name}" for name in _FILTERS),
        *_INPUT_AND_VIDEO, "Streams Drivers", "NDIS Wrapper", "COM Infrastructure", "Event Log", *services,
        "MS_WindowsLocalValidation", "PlugPlay", "Cryptography", "PNP_TDI", "NDIS", "TDI", "iSCSI", "NetBIOSGroup",
        "ShellSvcGroup", "SchedulerGroup", "SpoolerGroup", "SmartCardGroup", "NetworkProvider",
        "MS_WindowsRemoteValidation", *_LAST,
    )  # fmt: skip


def _expand(text: str) -> Iterator[int]:
    for part in text.split():
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
