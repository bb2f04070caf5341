"""The cage of the process that reads volumes, hives and archives: it can compute, and talk through what it has open.

It opens no file for writing and makes none, reaches no file but its job's sources and the libraries, starts no program
and no process, has no network, and can neither look into other processes nor end them. It is root no more but in name.
"""

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

from bootgraft.confinement import capabilities, landlock, seccomp
from bootgraft.confinement.kernel import PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, control
from bootgraft.confinement.libraries import LIBRARIES, python_folders
from bootgraft.confinement.seccomp import Condition
from bootgraft.confinement.syscalls import CallNumbers, this_architecture

NO_NEW_PRIVILEGES: Final = (
    "this system does not let the process that reads volumes and logs be kept from new privileges (no no_new_privs)"
)
NO_GIVING_UP: Final = (
    "this system does not let the process that reads volumes and logs give up root's privileges (no capset)"
)
NO_LANDLOCK: Final = (
    "this kernel does not keep the process that reads volumes and logs to its own files (no Landlock: it came with "
    "Linux 5.13, and can be switched off, or be refused by a container)"
)
NO_SECCOMP: Final = (
    "this system does not let the process that reads volumes and logs be kept to its own system calls (no seccomp)"
)

CALLS: Final = [
    "read",
    "write",
    "readv",
    "writev",
    "pread64",
    "pwrite64",
    "preadv",
    "pwritev",
    "preadv2",
    "pwritev2",
    "lseek",
    "close",
    "fstat",
    "newfstatat",
    "stat",
    "lstat",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "getcwd",
    "getdents64",
    "statfs",
    "fstatfs",
    "fadvise64",
    "dup",
    "recvfrom",
    "sendto",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "mmap",
    "munmap",
    "mprotect",
    "mremap",
    "madvise",
    "brk",
    "membarrier",
    "futex",
    "set_robust_list",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    "restart_syscall",
    "getpid",
    "gettid",
    "getppid",
    "getpgid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getresuid",
    "getresgid",
    "getgroups",
    "uname",
    "sysinfo",
    "getrusage",
    "times",
    "getrandom",
    "sched_yield",
    "sched_getaffinity",
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "exit",
    "exit_group",
]
"""What Python, its libraries and ours call while they read: nothing that changes a file's name, state or length."""

_FOR_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
# In fcntl: no F_SETOWN, by which a socket can be made to send a signal to any process of the same user.
_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, _F_DUPFD_CLOEXEC = 0, 1, 2, 3, 1030
# In ioctl: no TIOCSTI, which types into a terminal, should it get hold of one.
_TCGETS, _FIONCLEX, _FIOCLEX = 0x5401, 0x5450, 0x5451


def confine(sources: Sequence[str]) -> tuple[str, ...]:
    """Put this process into its cage, for good; ``sources`` are the files and folders that it has yet to read.

    Returns what this host could not do for it, each in a sentence.
    """
    with suppress(OSError):
        control(PR_SET_DUMPABLE, 0)  # another process of the same user, of another job perhaps, is not to look into it
    return take_away(sources, calls_filter)


def take_away(sources: Sequence[str], allowed: Callable[[CallNumbers, int], bytes]) -> tuple[str, ...]:
    """Take from this process what it does not need but to read ``sources`` and make the calls that are ``allowed``.

    ``allowed`` makes the filter for an architecture and a process id. Returns as ``confine``.
    """
    steps = (
        (NO_NEW_PRIVILEGES, lambda: control(PR_SET_NO_NEW_PRIVS, 1)),
        (NO_LANDLOCK, lambda: _keep_to_files(sources)),
        (NO_GIVING_UP, lambda: _give_up_privileges(sources)),
        (NO_SECCOMP, lambda: _keep_to_calls(allowed)),
    )
    missing = []
    for sentence, step in steps:  # what a filter of the host's refuses is done without, and the others are taken
        try:
            step()
        except OSError:
            missing.append(sentence)
    return tuple(missing)


def shield() -> None:
    """Keep what comes of this process out of its memory. Landlock does that, where there is any.

    Without it, this process can be looked into by root only, from now on: not by a debugger of the same user either.
    """
    if landlock.version() == 0:
        with suppress(OSError):
            control(PR_SET_DUMPABLE, 0)


def _keep_to_files(sources: Sequence[str]) -> None:
    with landlock.Ruleset() as ruleset:
        for path in (*LIBRARIES, *python_folders(), *sources):
            ruleset.allow_path(path, landlock.READ)
        ruleset.restrict()


def _give_up_privileges(sources: Sequence[str]) -> None:
    # What root reads by its privilege alone, as a folder in another user's home, it must go on being able to read.
    kept = sources or not _readable_by_mode(python_folders())
    capabilities.give_up(capabilities.DAC_READ_SEARCH if kept else 0)


def _readable_by_mode(folders: Iterable[str]) -> bool:
    """Whether these can be read without any privilege of root's, where they are there at all."""
    capabilities.suspend()
    try:
        for folder in folders:
            try:
                os.close(os.open(folder, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
            except PermissionError:
                return False
            except OSError:
                continue
    finally:
        capabilities.resume()
    return True


def _keep_to_calls(allowed: Callable[[CallNumbers, int], bytes]) -> None:
    architecture = this_architecture()
    if architecture is None:
        raise OSError(errno.ENOSYS, "no filter was written for this architecture")
    seccomp.install(allowed(architecture, os.getpid()))


def calls_filter(architecture: CallNumbers, process: int) -> bytes:
    """The filter for a reader that has this process id."""
    return seccomp.allowing(architecture, CALLS, conditions(process))


def conditions(process: int, terminal: tuple[int, ...] = ()) -> tuple[Condition, ...]:
    """Those for a reader that has this process id, and may ask this of its terminal."""
    return (
        Condition("openat", 2, (0,), _FOR_WRITING),
        Condition("fcntl", 1, (_F_GETFD, _F_SETFD, _F_GETFL, _F_DUPFD_CLOEXEC, _F_DUPFD)),
        Condition("ioctl", 1, (_TCGETS, _FIOCLEX, _FIONCLEX, *terminal)),
        Condition("tgkill", 0, (process,)),  # as abort() ends a process
    )
