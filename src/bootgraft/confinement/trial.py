"""A process that tries on the reader's cage and says what of it there is: a program of its own, for ``doctor``."""

import subprocess
import sys

from msgspec import Struct

from bootgraft.confinement import landlock, reader


class CageSupport(Struct, frozen=True):
    """What of the cage this host has, and for Landlock in which version of its interface (0 for none)."""

    no_new_privileges: bool
    landlock: int
    seccomp: bool


def try_on() -> CageSupport:
    """Have a process of its own try the cage on."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", __name__],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return CageSupport(no_new_privileges=False, landlock=0, seccomp=False)
    missing = done.stdout.splitlines()
    return CageSupport(
        no_new_privileges=True,
        landlock=0 if reader.NO_LANDLOCK in missing else landlock.version(),
        seccomp=reader.NO_SECCOMP not in missing,
    )


if __name__ == "__main__":
    sys.stdout.writelines(f"{each}\n" for each in reader.confine(()))
