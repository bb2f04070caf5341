"""Which libntfs-3g is installed, and what is known of the memory-safety fixes that it has.

The library itself does not tell its version, so the package manager is asked. Distributions carry fixes back under an
old number. What their changelogs and advisories say of that stands in ``_PACKAGES``; a package of theirs that is not
there is unknown as to the fixes that came after its number, and any other number is taken for upstream's.

Sources: ntfs-3g's release history and announcements (https://github.com/tuxera/ntfs-3g/wiki/NTFS-3G-Release-History,
oss-security); the changelogs of Debian 12's and 13's package; Ubuntu's USN-5463-1 and USN-5711-1; the changelogs of
Fedora's and EPEL's, which to Fedora 41 take each fix by a new upstream release and patch nothing
(https://packages.fedoraproject.org/pkgs/ntfs-3g/).
"""

import re
import shutil
import subprocess

from msgspec import Struct

FIXES = (
    ((2021, 8, 22), "CVE-2021-33285 to 33289, 35266 to 35269, 39251 to 39263"),
    ((2022, 5, 17), "CVE-2021-46790, CVE-2022-30783 to 30789"),
    ((2022, 10, 3), "CVE-2022-40284"),
    ((2026, 2, 25), "CVE-2023-52890, CVE-2026-40706"),
    ((2026, 7, 7), "CVE-2026-42616 to 42618, 46569 to 46572, 56135, 56136"),
)
"""The release that first had a fix, and what it fixed. All let a crafted volume corrupt memory."""

_ALL = FIXES[-1][0]
_PACKAGES = (
    (r"2022\.10\.3-1(?:\+deb12u[12])?", (2022, 10, 3)),
    (r"2022\.10\.3-1\+deb12u3", (2026, 2, 25)),
    (r"2022\.10\.3-1\+deb12u(?:[4-9]|\d\d+)", _ALL),
    (r"2022\.10\.3-5", (2022, 10, 3)),
    (r"2022\.10\.3-5\+deb13u(?:[3-9]|\d\d+)", _ALL),
    (r"2021\.8\.22-3ubuntu1", (2021, 8, 22)),
    (r"2021\.8\.22-3ubuntu1\.1", (2022, 5, 17)),
    (r"2021\.8\.22-3ubuntu1\.2", (2022, 10, 3)),
    (r"2022\.10\.3-1\.2ubuntu3", (2022, 10, 3)),  # as Ubuntu 24.04 was released, two years before the next fix
    (r"2022\.10\.3-[1-6]\.(?:fc|el)\d+", (2022, 10, 3)),
)
"""Distributions' packages, without their epoch, and the release up to whose fixes they have all, and no later ones."""
_AT_LEAST = ((r"2021\.8\.22-3ubuntu1\.\d+", (2022, 10, 3)),)
"""Packages of which more is not known than that."""

_UPSTREAM = re.compile(r"(?:\d+:)?((\d{4})\.(\d{1,2})\.(\d{1,2}).*)")
_QUERIES = (
    ("dpkg-query", "-W", "-f=${Version}\n", "libntfs-3g89", "libntfs-3g89t64"),
    ("rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}\n", "ntfs-3g-libs"),
)
_QUERY_SECONDS = 10


def library_version() -> str | None:
    """Return the installed package's version as the package manager writes it, None where it cannot be determined."""
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


class Fixes(Struct, frozen=True):
    """The advisories of ``FIXES`` whose fixes a version lacks, and those of which nobody here knows whether it does."""

    lacking: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def fixes_of(version: str) -> Fixes:
    """Return what is known of a version as the package manager writes it; nothing of what is no version."""
    match = _UPSTREAM.match(version)
    if match is None:
        return Fixes()
    package = match[1]
    release = tuple(int(number) for number in match.group(2, 3, 4))
    for pattern, level in _PACKAGES:
        if re.fullmatch(pattern, package):
            return Fixes(lacking=_after(level))
    for pattern, level in _AT_LEAST:
        if re.fullmatch(pattern, package):
            return Fixes(unknown=_after(level))
    if "-" in package:  # a revision of a distribution's
        return Fixes(unknown=_after(release))
    return Fixes(lacking=_after(release))


def _after(release: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(advisory for fixed, advisory in FIXES if release < fixed)


def warning_of(version: str) -> str | None:
    """Say which fixes a version lacks or may lack, in words for people; None where it has all that are known."""
    fixes = fixes_of(version)
    if fixes.lacking:
        return f"version {version} lacks fixes for volumes made to corrupt memory ({'; '.join(fixes.lacking)})"
    if fixes.unknown:
        listed = "; ".join(fixes.unknown)
        return f"whether version {version} has the fixes for volumes made to corrupt memory is unknown ({listed})"
    return None


def update_command(version: str) -> str:
    """Return the command that updates the package which has this version."""
    if re.search(r"\.(?:fc|el)\d+", version):
        return "dnf upgrade ntfs-3g-libs"
    return "apt update && apt install --only-upgrade 'libntfs-3g*'"
