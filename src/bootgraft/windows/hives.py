r"""Where a Windows keeps its registry, the key that says which Windows it is, and how it judges a hive."""

from bootgraft.registry.integrity.defects import Generation
from bootgraft.windows.versions import UNKNOWN, XP

CURRENT_VERSION = "Microsoft\\Windows NT\\CurrentVersion"
"""The key of a SOFTWARE hive."""


def hive_path(directory: str, name: str) -> str:
    r"""Where a hive lies on its volume, by the directory of its Windows and the name of its file (``SYSTEM``)."""
    return f"{directory}\\system32\\config\\{name}"


def hive_generation(version: tuple[int, int], service_pack: str) -> Generation | None:
    """How the Windows of this NT version judges a hive as it loads it; None where the version is unknown.

    XP repairs hives from its first service pack on (Microsoft, Knowledge Base 815011: "registry resiliency").
    """
    if version == UNKNOWN:
        return None
    if version < XP:
        return Generation.UP_TO_2000
    return Generation.SINCE_XP_SP1 if version > XP or service_pack else Generation.XP_WITHOUT_SP
