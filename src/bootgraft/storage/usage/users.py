"""Who uses a file or block device, put into words for a message. It takes its time, so only a refusal asks."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from bootgraft.storage.usage.blockuse import Use, device_uses, file_uses
from bootgraft.storage.usage.processes import processes_with

_NAMED = 3


class Users(Struct, frozen=True):
    """Who uses a file or block device, as far as this user can see, and the commands that end that."""

    names: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = f" and {len(self.names) - _NAMED} more" if len(self.names) > _NAMED else ""
        return f"{'; '.join(self.names[:_NAMED])}{more}"

    @property
    def advice(self) -> str:
        """How to go on."""
        commands = f" ({'; '.join(self.commands[:_NAMED])})" if self.commands else ""
        return f"End that use of it{commands}, then try again"


def find_users(path: Path, status: os.stat_result | None = None) -> Users:
    """Return who uses the file or block device at ``path``; nobody where none can be seen."""
    try:
        status = status or path.stat()
    except OSError:
        return Users()
    uses = device_uses(status.st_rdev) if stat.S_ISBLK(status.st_mode) else file_uses(path, status)
    return put_into_words(uses, path, status)


def put_into_words(uses: Sequence[Use], path: Path, status: os.stat_result) -> Users:
    """Return ``uses`` of the file or block device at ``path``, and the processes that have it open."""
    return Users(
        (
            *(f"{use.what} (read-only)" if use.writes is False else use.what for use in uses),
            *(
                f"{process.name} (pid {process.number}, for {'writing' if process.writes else 'reading'})"
                for process in processes_with(path, status)
            ),
        ),
        tuple(use.release for use in uses if use.release),
    )
