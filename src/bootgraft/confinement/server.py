"""The cage of a program that serves an image, qemu-nbd: it reaches the files of this image and no others.

What a program calls differs with its version and the libraries that it was built with, so what no server of images
calls is refused rather than all but a list (qemu's own sandbox went the same way, in 2.11), and with it every call that
is newer than the list. Threads, locks and programs' starts stay possible: a shell starts the program, and watches it.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from msgspec import Struct

from bootgraft.confinement import capabilities, landlock, seccomp
from bootgraft.confinement.kernel import PR_SET_NO_NEW_PRIVS, control
from bootgraft.confinement.libraries import LIBRARIES, PROGRAMS
from bootgraft.confinement.seccomp import Condition
from bootgraft.confinement.syscalls import LAST_REVIEWED, CallNumbers, this_architecture

_REFUSED: Final = """
socket connect bind listen
ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp
pidfd_open pidfd_getfd pidfd_send_signal tkill rt_sigqueueinfo rt_tgsigqueueinfo
mount umount2 pivot_root chroot mount_setattr open_tree move_mount fsopen fsconfig fsmount fspick unshare setns clone3
bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register add_key request_key keyctl
open_by_handle_at name_to_handle_at fanotify_init fanotify_mark
kexec_load kexec_file_load reboot init_module finit_module delete_module swapon swapoff acct quotactl quotactl_fd
syslog settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname vhangup personality
iopl ioperm modify_ldt migrate_pages move_pages
setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset
sched_setscheduler sched_setattr ioprio_set mq_open shmget shmat msgget semget
truncate chmod fchmodat fchmodat2 chown lchown fchownat link linkat symlink symlinkat rename renameat renameat2
unlink unlinkat rmdir mkdir mkdirat mknod mknodat setxattr lsetxattr removexattr lremovexattr
utime utimes utimensat futimesat
""".split()  # noqa: SIM905  words are easier to read

_NEW_NAMESPACES: Final = 0x7E020000
"""CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID and NET; clone3, whose flags a filter cannot see, is refused."""

_FILE_COMMANDS: Final = (*range(8), 36, 37, 38, 1030, 1031, 1032, 1033, 1034)
"""Descriptors, flags, locks, pipes and seals; not F_SETOWN, by which a file can be made to send a signal to anybody."""

_DEVICES: Final = ("/dev/null", "/dev/urandom")
_SETTINGS: Final = ("/etc/gnutls", "/etc/qemu", "/etc/gcrypt")


class ServedFile(Struct, frozen=True):
    """A file that a server may reach."""

    path: str
    writable: bool = False


class ServerCage:
    """Made before the fork; ``enter`` is for the process between fork and exec. A context manager.

    ``program`` is what will be run. What this host does not have is left out: the reader's cage says so.
    """

    def __init__(self, program: str, files: Iterable[ServedFile]) -> None:
        self._ruleset: landlock.Ruleset | None = None
        if landlock.version():
            with suppress(OSError):
                self._ruleset = _rules(program, files)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ruleset is not None:
            self._ruleset.close()

    def enter(self) -> None:
        """Put this process into it, for good."""
        with suppress(OSError):
            control(PR_SET_NO_NEW_PRIVS, 1)
        with suppress(OSError):  # root opens images that are another user's
            capabilities.give_up(capabilities.DAC_OVERRIDE | capabilities.DAC_READ_SEARCH)
        if self._ruleset is not None:
            with suppress(OSError):
                self._ruleset.restrict()
        architecture = this_architecture()
        if architecture is not None:
            with suppress(OSError):
                seccomp.install(calls_filter(architecture, os.getpid()))


def calls_filter(architecture: CallNumbers, process: int) -> bytes:
    """The filter for a server that is to have this process id."""
    conditions = (
        Condition("clone", 0, (0,), _NEW_NAMESPACES),
        Condition("kill", 0, (process,)),  # the watching shell may end it
        Condition("tgkill", 0, (process,)),
        Condition("prlimit64", 0, (0, process)),
        Condition("fcntl", 1, _FILE_COMMANDS),
    )
    return seccomp.refusing(architecture, _REFUSED, conditions, LAST_REVIEWED)


def _rules(program: str, files: Iterable[ServedFile]) -> landlock.Ruleset:
    ruleset = landlock.Ruleset()
    try:
        for path in (*PROGRAMS, *_around(program)):
            ruleset.allow_path(path, landlock.RUN)
        for path in (*LIBRARIES, *_SETTINGS):
            ruleset.allow_path(path, landlock.READ)
        for path in _DEVICES:
            ruleset.allow_path(path, landlock.WRITE)
        for file in files:
            if not os.path.isdir(file.path):  # noqa: PTH112  all that is in it would be left to the server
                ruleset.allow_path(file.path, landlock.WRITE if file.writable else landlock.READ_BLOCKS)
            if os.path.exists(file.path) and not os.path.isfile(file.path):  # noqa: PTH110, PTH113
                ruleset.allow_path("/sys", landlock.READ)  # the properties of block devices
    except BaseException:
        ruleset.close()
        raise
    return ruleset


def _around(program: str) -> tuple[str, ...]:
    """The program, and the libraries of the prefix that it is installed under."""
    real = os.path.realpath(program)
    prefix = os.path.dirname(os.path.dirname(real))  # noqa: PTH120
    return (real, f"{prefix}/lib", f"{prefix}/lib64")
