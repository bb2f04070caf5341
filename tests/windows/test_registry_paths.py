"""From the names of keys to the files and paths that hold them."""

import pytest

from bootgraft.errors import UsageError
from bootgraft.windows.registry_paths import (
    HiveKey,
    below_mount_point,
    in_sets,
    is_current,
    parse_key,
    set_number,
)

MACHINE = "HKEY_LOCAL_MACHINE\\"


@pytest.mark.parametrize(
    ("text", "hive", "path", "prefix"),
    [
        (r"HKLM\SYSTEM\Select", "SYSTEM", "Select", MACHINE + "SYSTEM"),
        (r"HKEY_LOCAL_MACHINE\system", "SYSTEM", "", MACHINE + "SYSTEM"),
        (r"hklm\Software\\A\B\\", "SOFTWARE", r"A\B", MACHINE + "SOFTWARE"),
        (r"SYSTEM\Select", "SYSTEM", "Select", MACHINE + "SYSTEM"),
        (r"HKLM\BCD00000000\Objects", "BCD", "Objects", MACHINE + "BCD00000000"),
        (r"HKCR\.txt", "SOFTWARE", r"Classes\.txt", MACHINE + "SOFTWARE"),
        (r"HKU\.DEFAULT\Console", "DEFAULT", "Console", r"HKEY_USERS\.DEFAULT"),
        (r"HKU\S-1-5-18\Console", "DEFAULT", "Console", r"HKEY_USERS\.DEFAULT"),
        (
            r"HKCC\System",
            "SYSTEM",
            r"CurrentControlSet\Hardware Profiles\Current\System",
            MACHINE + "SYSTEM",
        ),
    ],
)
def test_where_keys_lie(text: str, hive: str, path: str, prefix: str) -> None:
    assert parse_key(text) == HiveKey(hive, path, prefix)


@pytest.mark.parametrize(
    "text", ["", "\\", "HKLM", r"HKLM\HARDWARE\x", r"HKCU\x", r"HKU\S-1-5-21-1\x", r"HKLM\Nothing"]
)
def test_keys_that_lie_in_no_hive(text: str) -> None:
    with pytest.raises(UsageError):
        parse_key(text)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ""),
        ("Select", "Select"),
        (r"HKLM\OFFLINE\A\B", r"A\B"),
        (r"HKEY_LOCAL_MACHINE\X", ""),
        (r"A\HKLM", r"A\HKLM"),
    ],
)
def test_below_the_mount_point(text: str, path: str) -> None:
    assert below_mount_point(text) == path


def test_control_sets() -> None:
    assert set_number(r"controlset002\Services") == 2
    assert set_number("ControlSet02") is None
    assert is_current(r"CURRENTcontrolset\x")
    assert not is_current("ControlSet001")
    assert in_sets(r"CurrentControlSet\Services\x", [1, 3]) == (
        r"ControlSet001\Services\x",
        r"ControlSet003\Services\x",
    )
    assert in_sets("CurrentControlSet", [2]) == ("ControlSet002",)
    profile = r"CurrentControlSet\Hardware Profiles\Current\Software"
    assert in_sets(profile, [1]) == (r"ControlSet001\Hardware Profiles\0001\Software",)
    assert in_sets(r"CurrentControlSet\Hardware Profiles\Currently", [1]) == (
        r"ControlSet001\Hardware Profiles\Currently",
    )
