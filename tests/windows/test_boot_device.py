r"""Where a Windows says that it last started from."""

import pytest
from tests.windows.hives import hive_of

from bootgraft.errors import HiveError
from bootgraft.windows.boot_device import system_boot_device

PATH = "multi(0)disk(0)rdisk(0)partition(2)"
SELECT = '\n[\\Select]\n"Default"=dword:00000002\n\n[\\ControlSet002\\Control]\n'


@pytest.mark.parametrize(
    ("value", "expected"),
    [(f'"SystemBootDevice"="{PATH}"', PATH), ('"SystemBootDevice"=dword:00000001', None), ("", None)],
)
def test_the_default_control_set_tells(value: str, expected: str | None) -> None:
    other = '[\\ControlSet001\\Control]\n"SystemBootDevice"="multi(0)disk(0)rdisk(0)partition(9)"\n'
    assert system_boot_device(hive_of(f"{other}{SELECT}{value}\n")) == expected


def test_a_hive_without_a_default_control_set_tells_nothing() -> None:
    with pytest.raises(HiveError):
        system_boot_device(hive_of("[\\Select]\n"))
