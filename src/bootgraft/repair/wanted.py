"""The registry keys that a driver package comes to in one Windows: in an image, and in the kit for a live machine."""

from msgspec import Struct

from bootgraft.checks.controller.facts import BindingStore
from bootgraft.drivers.bindings import CRITICAL, critical_keys, database_keys, facts_of
from bootgraft.drivers.package import DriverPackage, PackageKey
from bootgraft.targets.controllers import Controller
from bootgraft.windows.pe import Architecture
from bootgraft.windows.versions import FIRST_WITH_DRIVER_DATABASE, FIRST_WITH_PLUG_AND_PLAY


class WantedKeys(Struct, frozen=True):
    """``database`` from the root of the SYSTEM hive, ``in_sets`` below every control set."""

    database: tuple[PackageKey, ...]
    in_sets: tuple[PackageKey, ...]


def store_of(version: tuple[int, int]) -> BindingStore:
    """Where a Windows of this NT version looks bindings up, by the version alone."""
    if version >= FIRST_WITH_DRIVER_DATABASE:
        return BindingStore.DRIVER_DATABASE
    return BindingStore.NONE if version < FIRST_WITH_PLUG_AND_PLAY else BindingStore.CRITICAL_DEVICES


def wanted_keys(package: DriverPackage, store: BindingStore, architecture: Architecture) -> WantedKeys:
    """The service's keys, and what binds it in a Windows that looks bindings up in ``store``.

    Raises DriverSourceError where the package's INF says what no Windows could take.
    """
    inf = facts_of(package)
    services = tuple(key for key in package.keys if not is_binding(key.path))
    if store is BindingStore.DRIVER_DATABASE:
        return WantedKeys(() if inf is None else database_keys(inf, package.service, architecture), services)
    if store is BindingStore.NONE:
        return WantedKeys((), services)
    if inf is not None and len(services) == len(package.keys):
        return WantedKeys((), (*package.keys, *critical_keys(inf, package.service)))
    return WantedKeys((), package.keys)


def binds_another(path: str, controller: Controller) -> bool:
    """Whether a key binds a device other than the controller: one that the machine may live on."""
    if not is_binding(path):
        return False
    device_id = path[len(CRITICAL) :].replace("#", "\\").casefold()
    return device_id not in {each.casefold() for each in controller.device_ids()}


def is_binding(path: str) -> bool:
    """Whether a key, by its path below a control set, is one of the CriticalDeviceDatabase."""
    return path.casefold().startswith(CRITICAL.casefold())
