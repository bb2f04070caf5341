"""Where programs and Python find their code and what goes with it: to be read by a process in a cage, not written.

Nothing in these folders is anybody's secret. Those of NixOS and Guix are whole stores.
"""

import os
import sys
from typing import Final

from bootgraft import version

LIBRARIES: Final = (
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/lib",
    "/lib64",
    "/nix/store",
    "/gnu/store",
    "/usr/share/locale",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/etc/crypto-policies",
)
PROGRAMS: Final = ("/usr", "/bin", "/lib", "/lib64", "/nix/store", "/gnu/store")


def python_folders() -> tuple[str, ...]:
    """Where modules come from that are imported later, and libraries that are loaded later."""
    search = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    package = os.path.dirname(os.path.dirname(version.__file__))  # noqa: PTH120
    return tuple(dict.fromkeys(folder for folder in (*sys.path, package, *search) if folder))
