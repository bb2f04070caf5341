"""The folders that vendors sort drivers into by Windows: ``viostor\\w10\\amd64``, ``Win8.1``, ``2k12R2``.

Names as virtio-win's release has them (virtio-win-pkg-scripts, ``util/filemap.py``) and as others write them.
"""

from msgspec import Struct

from bootgraft.drivers.inf.target_windows import WORKSTATION, TargetWindows
from bootgraft.windows.versions import (
    SERVER_2003,
    VISTA,
    WINDOWS_7,
    WINDOWS_8,
    WINDOWS_8_1,
    WINDOWS_10,
    WINDOWS_2000,
    XP,
)

_FARTHEST = (True, 99, True, 0)
_NEWEST_BUILD = 99999


class _Release(Struct, frozen=True):
    version: tuple[int, int]
    is_server: bool
    build: int = 0


_NAMES = {
    ("2k", "w2k", "2000", "win2000"): _Release(WINDOWS_2000, is_server=False),
    ("xp", "wxp", "winxp"): _Release(XP, is_server=False),
    ("2k3", "w2k3", "wnet", "2003"): _Release(SERVER_2003, is_server=True),
    ("vista", "wvista", "winvista"): _Release(VISTA, is_server=False),
    ("2k8", "w2k8", "wlh", "2008"): _Release(VISTA, is_server=True),
    ("w7", "win7"): _Release(WINDOWS_7, is_server=False),
    ("2k8r2", "w2k8r2", "2008r2"): _Release(WINDOWS_7, is_server=True),
    ("w8", "win8"): _Release(WINDOWS_8, is_server=False),
    ("2k12", "w2k12", "2012"): _Release(WINDOWS_8, is_server=True),
    ("w8.1", "win8.1", "win81"): _Release(WINDOWS_8_1, is_server=False),
    ("2k12r2", "w2k12r2", "2012r2"): _Release(WINDOWS_8_1, is_server=True),
    ("w10", "win10"): _Release(WINDOWS_10, is_server=False, build=10240),
    ("w11", "win11"): _Release(WINDOWS_10, is_server=False, build=22000),
    ("2k16", "w2k16", "2016"): _Release(WINDOWS_10, is_server=True, build=14393),
    ("2k19", "w2k19", "2019"): _Release(WINDOWS_10, is_server=True, build=17763),
    ("2k22", "w2k22", "2022"): _Release(WINDOWS_10, is_server=True, build=20348),
    ("2k25", "w2k25", "2025"): _Release(WINDOWS_10, is_server=True, build=26100),
}
_ORDER = sorted({release.version for release in _NAMES.values()})
_RELEASES = {name: release for names, release in _NAMES.items() for name in names}


def distance(path: str, target_windows: TargetWindows) -> tuple[bool, int, bool, int]:
    """How far the folder that a file lies in is from this Windows: the nearest is the least.

    A folder for an older Windows is nearer than one for a newer, then that of the nearer NT version, then that for the
    same kind (workstation, server), then that of the nearer build.
    """
    named = next((_RELEASES[each] for each in reversed(path.casefold().split("\\")[:-1]) if each in _RELEASES), None)
    if named is None:
        return _FARTHEST
    build = target_windows.build or _NEWEST_BUILD
    is_newer = (named.version, named.build) > (target_windows.version, build)
    is_server = target_windows.product_type > WORKSTATION
    apart = (
        abs(_ORDER.index(named.version) - _ORDER.index(target_windows.version))
        if target_windows.version in _ORDER
        else 0
    )
    return is_newer, apart, named.is_server is not is_server, abs(build - named.build)
