"""Which folder is the nearest for a Windows."""

import pytest

from bootgraft.drivers.inf.folders import distance
from bootgraft.drivers.inf.target_windows import known_windows

FOLDERS = ("xp", "2k3", "2k8", "w7", "2k8R2", "w8", "2k12", "w8.1", "2k12R2", "w10", "2k16", "2k19", "2k22", "w11")
OLD = ("Wxp", "Wnet", "Wlh", "Win7")


@pytest.mark.parametrize(
    ("windows", "folders", "nearest"),
    [
        ("xp", FOLDERS, "xp"),
        ("2003", FOLDERS, "2k3"),
        ("vista", FOLDERS, "2k8"),
        ("7", FOLDERS, "w7"),
        ("2008r2", FOLDERS, "2k8R2"),
        ("8.1", FOLDERS, "w8.1"),
        ("2012r2", FOLDERS, "2k12R2"),
        ("10", FOLDERS, "w10"),
        ("11", FOLDERS, "w11"),
        ("2016", FOLDERS, "2k16"),
        ("2022", FOLDERS, "2k22"),
        ("2025", FOLDERS, "2k22"),
        ("8", OLD, "Win7"),
        ("2012", OLD, "Win7"),
        ("2003", OLD, "Wnet"),
        ("2000", OLD, "Wxp"),
    ],
)
def test_the_nearest_folder(windows: str, folders: tuple[str, ...], nearest: str) -> None:
    for target_windows in known_windows(windows):
        paths = [f"viostor\\{folder}\\amd64\\viostor.inf" for folder in folders]
        assert min(paths, key=lambda path: distance(path, target_windows)) == f"viostor\\{nearest}\\amd64\\viostor.inf"


def test_a_folder_that_names_no_windows_is_the_farthest() -> None:
    (target_windows,) = known_windows("xp", "x86")
    assert distance("drivers\\x.inf", target_windows) == distance("x.inf", target_windows)
    assert distance("w11\\x.inf", target_windows) < distance("drivers\\x.inf", target_windows)
    assert distance("w11\\xp\\x.inf", target_windows) == distance("WXP\\x.inf", target_windows)  # the innermost counts
