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
    capabilities: bool


def try_on() -> CageSupport:
    """Have a process of its own try the cage on."""
    nothing = CageSupport(no_new_privileges=False, landlock=0, seccomp=False, capabilities=False)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        )
    except OSError:  # no further process may be started
        return nothing
    if done.returncode != 0:
        return nothing
    missing = done.stdout.splitlines()
    return CageSupport(
        no_new_privileges=reader.NO_NEW_PRIVILEGES not in missing,
        landlock=0 if reader.NO_LANDLOCK in missing else landlock.version(),
        seccomp=reader.NO_SECCOMP not in missing,
        capabilities=reader.NO_GIVING_UP not in missing,
    )


if __name__ == "__main__":
    sys.stdout.writelines(f"{each}\n" for each in reader.confine(()))
