"""Rules of which files a process can still reach (landlock(7)), as far as this kernel knows them.

Each version of the interface (ABI) knows more rights; a right that it does not know cannot be withheld. What a file or
folder is not named for here cannot be done with it any more, whoever the process runs as.
"""

import errno
import os
import stat
import struct
from functools import cache
from typing import Final

from bootgraft.confinement.kernel import Memory, call

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # on every architecture
_ASK_VERSION, _PATH_BENEATH = 1, 1


# Rights to files and folders (LANDLOCK_ACCESS_FS_* of linux/landlock.h).
EXECUTE: Final = 1 << 0
WRITE_FILE: Final = 1 << 1
READ_FILE: Final = 1 << 2
READ_DIR: Final = 1 << 3
TRUNCATE: Final = 1 << 14
IOCTL_DEV: Final = 1 << 15

READ: Final = READ_FILE | READ_DIR
RUN: Final = READ | EXECUTE
READ_BLOCKS: Final = READ_FILE | IOCTL_DEV
WRITE: Final = READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV

_OF_A_FILE: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
_KNOWN_RIGHTS: Final = ((1, 13), (2, 14), (3, 15), (5, 16))
"""From which version on how many of the rights are known, which are one bit each from the lowest on."""
_TCP_FROM, _SCOPES_FROM = 4, 6
_BIND_AND_CONNECT, _ABSTRACT_SOCKETS_AND_SIGNALS = 3, 3
_ATTRIBUTES: Final = struct.Struct("=QQQ")
_RULE: Final = struct.Struct("=Qi")


@cache
def version() -> int:
    """The version of the interface that this kernel has; 0 where it has none (before 5.13), or it is switched off."""
    try:
        return call(_CREATE_RULESET, 0, 0, _ASK_VERSION)
    except OSError:
        return 0


class Ruleset:
    """What is to be left to a process; everything else that the kernel can withhold is withheld. A context manager.

    Raises:
        OSError: this kernel has no such rules.
    """

    def __init__(self) -> None:
        known = version()
        if known == 0:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        rights = max((count for since, count in _KNOWN_RIGHTS if since <= known), default=0)
        self._handled = (1 << rights) - 1
        length = 24 if known >= _SCOPES_FROM else 16 if known >= _TCP_FROM else 8
        attributes = _ATTRIBUTES.pack(self._handled, _BIND_AND_CONNECT, _ABSTRACT_SOCKETS_AND_SIGNALS)[:length]
        with Memory(attributes) as memory:
            self._descriptor = call(_CREATE_RULESET, memory.address, length, 0)

    def __enter__(self) -> "Ruleset":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back; who is under the rules stays under them."""
        os.close(self._descriptor)

    def allow(self, descriptor: int, access: int) -> None:
        """Leave these rights to an open file, or to all that lies in an open folder."""
        rights = access & self._handled
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _OF_A_FILE
        with Memory(_RULE.pack(rights, descriptor)) as memory:
            call(_ADD_RULE, self._descriptor, _PATH_BENEATH, memory.address, 0)

    def allow_path(self, path: str | os.PathLike[str], access: int) -> None:
        """Leave these rights to what lies at ``path``; nothing where nothing does, or where it cannot be reached."""
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except (OSError, ValueError):
            return
        try:
            self.allow(descriptor, access)
        except OSError as error:
            if error.errno != errno.EBADFD:  # a pipe without a name, which nothing is withheld from
                raise
        finally:
            os.close(descriptor)

    def restrict(self) -> None:
        """Put this thread and all that comes of it under the rules, for good. ``no_new_privs`` must be set."""
        call(_RESTRICT_SELF, self._descriptor, 0)
