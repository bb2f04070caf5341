"""Where a Proxmox VE host keeps a volume of one of its storages: what ``pvesm path`` says (pve-storage, ``pvesm.1``).

It reads the storage's configuration and changes nothing. It answers with a path for storages that have files or block
devices, with an address of qemu's for others (``rbd:…``).
"""

import re
import shutil
import subprocess
from pathlib import Path

_VOLUME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,99}:[A-Za-z0-9][A-Za-z0-9._+@/-]{0,254}")
"""A storage's name and a volume's (PVE/Storage.pm, PVE/JSONSchema.pm), without what a shell or an option may be."""
_SECONDS = 30
_MAX_ANSWER = 4096
_OWN = Path("/etc/pve")
"""Where the host's own descriptions are: a file system that root alone writes."""


def volume_path(volume: str) -> Path | None:
    """Return the file or block device of ``STORAGE:VOLUME``; None where this is no such host, or it has none."""
    program = shutil.which("pvesm")
    if program is None or not _VOLUME.fullmatch(volume):
        return None
    try:
        done = subprocess.run(
            [program, "path", volume], stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    answer = done.stdout[:_MAX_ANSWER].decode("utf-8", "surrogateescape").removesuffix("\n")
    is_path = done.returncode == 0 and answer.startswith("/") and answer.isprintable()
    return Path(answer) if is_path else None


def is_own(description: Path) -> bool:
    """Whether a description (resolved) is one of the host's own: what it names is then the machine's."""
    return description.is_relative_to(_OWN)
