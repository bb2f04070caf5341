"""Whether anybody else has a file open: Linux tells whoever asks it for a lease on the file.

It grants a read lease only while nobody has the file open for writing, a write lease only while nobody else has it open
at all; opens by the kernel itself count, as a loop device's or an NFS server's do (fcntl(2), "Leases"; Linux,
fs/locks.c, check_conflicting_open). Only the file's owner and CAP_LEASE may ask (EACCES), and only of a regular file on
a file system that has leases (EINVAL).

A lease is given back at once, never held: while one is, the next open of the file waits for it, or fails where it does
not wait. An open in the microseconds between makes the kernel send a signal. That is SIGIO, which ends a process,
unless another is chosen: SIGURG, which everybody ignores who does not ask for it.
"""

import errno
import fcntl
import signal
from enum import StrEnum


class Others(StrEnum):
    """Who else has a file open in a way that conflicts."""

    NONE = "none"
    SOME = "some"
    NOT_FOR_US = "only its owner or root may ask"
    NOT_TOLD = "this file system does not tell"


def ask(descriptor: int, *, writing: bool) -> Others:
    """Say whether others have an open file open: anybody at all where ``writing``, else anybody that may write.

    ``descriptor`` was opened for reading only where not ``writing``: Linux does not tell a writer of other writers.
    A file on a network is ``SOME`` too where its server did not promise to tell of others (Linux, cifs_setlease,
    nfs4_setlease): what that means is the caller's to judge.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK if writing else fcntl.F_RDLCK)
    except OSError as error:
        if error.errno == errno.EAGAIN:
            return Others.SOME
        return Others.NOT_FOR_US if error.errno in (errno.EACCES, errno.EPERM) else Others.NOT_TOLD
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return Others.NONE
