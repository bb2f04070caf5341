"""The registry keys that a driver package comes to in one Windows: the same for an image, and for a live machine's kit."""

from dataclasses import dataclass

from bootgraft.checks.facts import BindingStore
from bootgraft.drivers.bindings import CRITICAL, critical_keys, database_keys, facts_of
from bootgraft.drivers.package import DriverPackage, PackageKey
from bootgraft.windows.pe import Architecture

_PLUG_AND_PLAY, _DRIVER_DATABASE = (5, 0), (6, 2)


@dataclass(frozen=True, slots=True)
class WantedKeys:
    """``database`` from the root of the SYSTEM hive, ``in_sets`` below every control set."""

    database: tuple[PackageKey, ...]
    in_sets: tuple[PackageKey, ...]


def store_of(version: tuple[int, int]) -> BindingStore:
    """Where a Windows of this NT version looks bindings up, by the version alone."""
    if version >= _DRIVER_DATABASE:
        return BindingStore.DRIVER_DATABASE
    return BindingStore.NONE if version < _PLUG_AND_PLAY else BindingStore.CRITICAL_DEVICES


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


def is_binding(path: str) -> bool:
    """Whether a key, by its path below a control set, is one of the CriticalDeviceDatabase."""
    return path.casefold().startswith(CRITICAL.casefold())
