"""The grammar of Proxmox VE's ``.conf``: lines of ``key: value`` up to the first section, and property strings.

Sources: pve-docs, ``qm.conf.5``; pve-common, ``PVE/JSONSchema.pm`` (property strings).
"""

import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from bootgraft.targets.descriptions.vmdescription import malformed

_LINE = re.compile(r"([A-Za-z][A-Za-z0-9_-]*):[ \t]*(.*)")


class ConfLine(Struct, frozen=True):
    """One line's value, and where it lies in the text (characters)."""

    value: str
    line: int
    start: int


def read_settings(data: bytes, path: Path) -> dict[str, ConfLine]:
    """The settings of the machine as it is now, by key.

    Raises VmDescriptionError: a line is none, or a key is given twice.
    """
    settings: dict[str, ConfLine] = {}
    start = 0
    for number, line in enumerate(data.decode("latin-1").split("\n"), 1):
        content = line.rstrip("\r")
        if content.startswith("["):  # a snapshot, or changes that wait for the next start
            break
        found = _LINE.fullmatch(content)
        if found is not None:
            key = found[1]
            if key in settings:
                raise malformed(path, number, f"{key!r} is given twice, first in line {settings[key].line}")
            settings[key] = ConfLine(found[2].rstrip(" \t"), number, start + found.start(2))
        elif content.strip() and not content.lstrip().startswith("#"):
            raise malformed(path, number, "this line is not of the form key: value")
        start += len(line) + 1
    return settings


def value_of(settings: Mapping[str, ConfLine], key: str) -> str:
    """The value of a setting, empty where there is none."""
    found = settings.get(key)
    return "" if found is None else found.value


def options_of(value: str) -> tuple[str, dict[str, str]]:
    """Split ``local:100/vm.qcow2,size=8G``: the part without a name, and the options."""
    plain, options = "", {}
    for part in value.split(","):
        name, sign, content = part.partition("=")
        if sign:
            options[name] = content
        elif not plain:
            plain = part
    return plain or options.get("file", "") or options.get("volume", ""), options
