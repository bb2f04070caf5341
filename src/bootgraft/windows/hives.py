r"""Where a Windows keeps its registry, and the key that says which Windows it is."""

CURRENT_VERSION = "Microsoft\\Windows NT\\CurrentVersion"
"""The key of a SOFTWARE hive."""


def hive_path(directory: str, name: str) -> str:
    r"""Where a hive lies on its volume, by the directory of its Windows and the name of its file (``SYSTEM``)."""
    return f"{directory}\\system32\\config\\{name}"
