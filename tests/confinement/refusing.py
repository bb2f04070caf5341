"""Becomes another program on a host that refuses some system calls, as the filters of containers and services do.

A program of its own. Arguments: the number of the error that they end with, their names with commas between, and the
program to become with its arguments.
"""

import errno
import os
import struct
import sys

from bootgraft.confinement import kernel, seccomp
from bootgraft.confinement.syscalls import LAST_REVIEWED, this_architecture


def main() -> None:
    number, names, program = int(sys.argv[1]), sys.argv[2].split(","), sys.argv[3:]
    architecture = this_architecture()
    assert architecture is not None
    usual, wanted = (struct.pack("<HBBI", 0x06, 0, 0, seccomp.refused(each)) for each in (errno.ENOSYS, number))
    kernel.control(kernel.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install(seccomp.refusing(architecture, names, (), LAST_REVIEWED).replace(usual, wanted))
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
