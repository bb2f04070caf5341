"""Which keys a package comes to, by where a Windows looks bindings up."""

import pytest
from tests.repair.bench import BINDING, minimal_keys, package

from bootgraft.checks.controller.facts import BindingStore
from bootgraft.repair.wanted import binds_another, store_of, wanted_keys
from bootgraft.targets.controllers import find_controller
from bootgraft.windows.pe import Architecture

X86 = Architecture.X86


@pytest.mark.parametrize(
    ("version", "store"),
    [
        ((4, 0), BindingStore.NONE),
        ((5, 0), BindingStore.CRITICAL_DEVICES),
        ((6, 1), BindingStore.CRITICAL_DEVICES),
        ((6, 2), BindingStore.DRIVER_DATABASE),
        ((10, 0), BindingStore.DRIVER_DATABASE),
    ],
)
def test_where_each_windows_looks(version: tuple[int, int], store: BindingStore) -> None:
    assert store_of(version) is store


def test_each_store_has_its_own_keys() -> None:
    service, binding = minimal_keys()
    given = package()
    assert wanted_keys(given, BindingStore.NONE, X86).in_sets == (service,)
    assert wanted_keys(given, BindingStore.CRITICAL_DEVICES, X86).in_sets == (service, binding)
    eight = wanted_keys(given, BindingStore.DRIVER_DATABASE, X86)
    assert eight.in_sets == (service,)
    assert all(key.path.startswith("DriverDatabase\\") for key in eight.database)
    assert eight.database


def test_bindings_of_other_devices() -> None:
    lsi = find_controller("vmware:lsilogic")
    assert not binds_another(BINDING, lsi)
    assert not binds_another(BINDING.upper(), lsi)
    assert not binds_another("Services\\symmpi", lsi)
    assert binds_another("Control\\CriticalDeviceDatabase\\pci#ven_1000&dev_0621", lsi)
