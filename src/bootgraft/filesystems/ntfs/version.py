"""Which libntfs-3g is installed, and whether its number says that it lacks memory-safety fixes.

The library itself does not tell its version, so the package manager is asked. Distributions carry fixes back under an
old number: what is known of that stands in ``FIXED_PACKAGES``, everything else is judged by its upstream number.
Sources: the release history of ntfs-3g (https://github.com/tuxera/ntfs-3g/wiki/NTFS-3G-Release-History) and the
changelogs of the package in Debian 12 and 13.
"""

import re
import shutil
import subprocess

FIXES = (
    ((2021, 8, 22), "CVE-2021-33285 to 33289, 35266 to 35269, 39251 to 39263"),
    ((2022, 5, 17), "CVE-2021-46790, CVE-2022-30783 to 30789"),
    ((2022, 10, 3), "CVE-2022-40284"),
    ((2026, 2, 25), "CVE-2026-40706"),
    ((2026, 7, 7), "CVE-2026-42616 to 42618, 46569 to 46572, 56135, 56136"),
)
"""The release that first had a fix, and what it fixed. All let a crafted volume corrupt memory."""

FIXED_PACKAGES = (
    re.compile(r"(?:1:)?2022\.10\.3-1\+deb12u(?:[4-9]|\d\d+)(?!\d)"),
    re.compile(r"(?:1:)?2022\.10\.3-5\+deb13u(?:[3-9]|\d\d+)(?!\d)"),
)
"""Distribution packages that carry all of the above under an older number."""

_UPSTREAM = re.compile(r"(?:\d+:)?(\d{4})\.(\d{1,2})\.(\d{1,2})")
_QUERIES = (
    ("dpkg-query", "-W", "-f=${Version}\n", "libntfs-3g89", "libntfs-3g89t64"),
    ("rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}\n", "ntfs-3g-libs"),
)
_QUERY_SECONDS = 10


def library_version() -> str | None:
    """Return the installed package's version as the package manager writes it, None where it cannot be told."""
    for program, *arguments in _QUERIES:
        path = shutil.which(program)
        if path is None:
            continue
        try:
            answer = subprocess.run(
                [path, *arguments], capture_output=True, text=True, timeout=_QUERY_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        versions = [line for line in answer.stdout.splitlines() if _UPSTREAM.match(line)]
        if versions:
            return versions[0]
    return None


def missing_fixes(version: str) -> tuple[str, ...]:
    """Return the advisories that a version lacks the fixes of, empty where there are none or the number is unknown."""
    match = _UPSTREAM.match(version)
    if match is None or any(package.match(version) for package in FIXED_PACKAGES):
        return ()
    release = tuple(int(number) for number in match.groups())
    return tuple(advisory for fixed, advisory in FIXES if release < fixed)
