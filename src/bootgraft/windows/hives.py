r"""Where a Windows keeps its registry, the key that says which Windows it is, and how it judges a hive."""

from bootgraft.registry.integrity.defects import Generation
from bootgraft.windows.versions import UNKNOWN, VISTA, XP

CURRENT_VERSION = "Microsoft\\Windows NT\\CurrentVersion"
"""The key of a SOFTWARE hive."""


def hive_path(directory: str, name: str) -> str:
    r"""Where a hive lies on its volume, by the directory of its Windows and the name of its file (``SYSTEM``)."""
    return f"{directory}\\system32\\config\\{name}"


def hive_generation(version: tuple[int, int]) -> Generation | None:
    """How the Windows of this NT version judges a hive as it loads it; None where the version is unknown."""
    if version == UNKNOWN:
        return None
    if version >= VISTA:
        return Generation.SINCE_VISTA
    return Generation.XP_2003 if version >= XP else Generation.UP_TO_2000
