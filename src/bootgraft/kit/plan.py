"""From a driver package, or from the plan of a repair, to what a kit brings."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.changes import (
    DeleteKey,
    DeleteValue,
    Plan,
    RegistryChange,
    RegistryData,
    SetValue,
)
from bootgraft.checks.controller.facts import BindingStore
from bootgraft.drivers.inf.target_windows import TargetWindows
from bootgraft.drivers.package import DriverPackage, PackageKey, PackageValue
from bootgraft.errors import DriverSourceError
from bootgraft.kit.contents import Kit, require_sayable
from bootgraft.registry.values import ValueType, dword_data
from bootgraft.repair.wanted import binds_another, store_of, wanted_keys
from bootgraft.targets.controllers import Controller
from bootgraft.targets.driverchains import driver_chain
from bootgraft.windows.installation import Installation, control_set_name
from bootgraft.windows.versions import VISTA

_INBOX_FROM = VISTA
_OVERRIDE = "\\startoverride"
_DATABASE = "driverdatabase\\"


def plan_kit(packages: Sequence[DriverPackage], controller: Controller, target_windows: TargetWindows) -> Kit:
    """The kit that brings the packages to a machine of which nothing is known but its Windows.

    Raises:
        DriverSourceError: a package cannot be installed this way.
    """
    store = store_of(target_windows.version)
    keys = _merged(key for each in packages for key in wanted_keys(each, store, target_windows.arch).in_sets)
    gone: tuple[str, ...] = ()
    inf = ""
    staged: tuple[tuple[str, bytes], ...] = ()
    if store is BindingStore.DRIVER_DATABASE:
        gone = tuple(f"{path}\\StartOverride" for path in _services(keys))
        inf, staged = _staged(packages)
    main = packages[0]
    return require_sayable(
        Kit(
            target_windows,
            controller.target,
            main.service,
            main.origin,
            tuple({file.path.casefold(): file for each in packages for file in each.files}.values()),
            *_parted(keys, controller),
            gone,
            inf,
            staged,
            notes=tuple(dict.fromkeys(note for each in packages for note in each.notes)),
        )
    )


def plan_inbox_kit(controller: Controller, target_windows: TargetWindows) -> Kit:
    """The kit that starts the drivers at boot that Windows Vista and later have on the disk already.

    Raises:
        DriverSourceError: this Windows has not all of them.
    """
    chain = driver_chain(controller, target_windows.version)
    services = tuple(link.services[0] for link in chain.links if link.services)
    if target_windows.version < _INBOX_FROM or len(services) < len(chain.links) or chain.ends_open:
        raise DriverSourceError(
            f"{target_windows} has no driver for {controller.target} that only needs to be started",
            where="--drivers",
            advice="Give --drivers SOURCE (a driver package or a donor's disk), or --reg and --file",
            id="driver-not-found",
        )
    start = PackageValue("Start", RegistryData(ValueType.REG_DWORD, dword_data(0)))
    keys = tuple(PackageKey(f"Services\\{name}", (start,)) for name in dict.fromkeys(services))
    has_database = store_of(target_windows.version) is BindingStore.DRIVER_DATABASE
    gone = tuple(f"{key.path}\\StartOverride" for key in keys) if has_database else ()
    return require_sayable(
        Kit(target_windows, controller.target, services[0], str(target_windows), (), keys, (), gone, required=services)
    )


def plan_kit_for(
    installation: Installation, plan: Plan, packages: Sequence[DriverPackage], controller: Controller, of: TargetWindows
) -> Kit:
    """The kit with what the plan of a repair of this very machine brings, and no more.

    Of the plan only what concerns drivers counts: a machine that is alive starts where it is. Raises as
    :func:`plan_kit` does.
    """
    root = f"{control_set_name(installation.select.default)}\\"
    kit = plan_kit(packages, controller, of) if packages else Kit(of, controller.target, "", installation.product)
    changes = _Changes(tuple(_below(root, plan.registry())))
    writes = {change.file.path.casefold() for change in plan.files()}
    files = tuple(file for file in kit.files if f"{installation.directory}\\{file.path}".casefold() in writes)
    keys = changes.keys()
    is_bound = not any(change.key.casefold().startswith(_DATABASE) for change in plan.registry())
    own, further = _parted(keys, controller)
    kept = {key.path.casefold() for key in keys}
    present = [
        *(f"file {file.path}" for file in kit.files if file not in files),
        *(f"key {key.path}" for key in (*kit.keys, *kit.further) if key.path.casefold() not in kept),
        *([f"package {kit.inf}, which is bound already"] if kit.staged and is_bound else []),
    ]
    services = _services(keys)
    return require_sayable(
        replace(
            kit,
            service=kit.service or (services[0].rpartition("\\")[2] if services else ""),
            files=files,
            keys=own,
            further=further,
            gone=changes.gone(),
            inf="" if is_bound else kit.inf,
            staged=() if is_bound else kit.staged,
            present=tuple(present),
            notes=tuple(dict.fromkeys((*kit.notes, *plan.notes))),
        )
    )


class _Changes(Struct, frozen=True):
    """Registry changes by their path below the control set."""

    changes: tuple[tuple[str, RegistryChange], ...]

    def keys(self) -> tuple[PackageKey, ...]:
        """The keys that are to be made or to get values."""
        return _merged(
            PackageKey(path, _values(change))
            for path, change in self.changes
            if not isinstance(change, DeleteKey) and not path.casefold().endswith(_OVERRIDE)
        )

    def gone(self) -> tuple[str, ...]:
        """The keys that are to go: an override is set to nothing in an image, and removed from a live Windows."""
        paths = (
            path
            for path, change in self.changes
            if isinstance(change, DeleteKey) or path.casefold().endswith(_OVERRIDE)
        )
        return tuple(dict.fromkeys(paths))


def _below(root: str, changes: Iterable[RegistryChange]) -> Iterator[tuple[str, RegistryChange]]:
    """The changes to one control set but for ``Enum``, which a Windows that is alive keeps to itself."""
    for change in changes:
        path = change.key[len(root) :]
        if change.key.casefold().startswith(root.casefold()) and not path.casefold().startswith("enum\\"):
            yield path, change


def _values(change: RegistryChange) -> tuple[PackageValue, ...]:
    if isinstance(change, SetValue):
        return (PackageValue(change.name, change.value),)
    return (PackageValue(change.name, None),) if isinstance(change, DeleteValue) else ()


def _merged(keys: Iterable[PackageKey]) -> tuple[PackageKey, ...]:
    """Each key once, with the last of its values of each name."""
    paths: dict[str, str] = {}
    values: dict[str, dict[str, PackageValue]] = {}
    for key in keys:
        paths.setdefault(key.path.casefold(), key.path)
        own = values.setdefault(key.path.casefold(), {})
        own |= {value.name.casefold(): value for value in key.values}
    return tuple(PackageKey(path, tuple(values[name].values())) for name, path in paths.items())


def _parted(
    keys: Iterable[PackageKey], controller: Controller
) -> tuple[tuple[PackageKey, ...], tuple[PackageKey, ...]]:
    """The driver's keys with the bindings of the controller itself, and the bindings of further devices."""
    own: list[PackageKey] = []
    further: list[PackageKey] = []
    for key in keys:
        (further if binds_another(key.path, controller) else own).append(key)
    return tuple(own), tuple(further)


def _services(keys: Iterable[PackageKey]) -> tuple[str, ...]:
    """The services' own keys among them."""
    return tuple(key.path for key in keys if key.path.casefold().startswith("services\\") and key.path.count("\\") == 1)


def _staged(packages: Sequence[DriverPackage]) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """The package for pnputil, and its INF. Raises DriverSourceError where the source has none."""
    for each in packages:
        content = () if each.inf is None else each.inf.content
        if each.inf is not None and any(path.casefold() == each.inf.name.casefold() for path, _ in content):
            return each.inf.name, content
    raise DriverSourceError(
        "there is no INF in it: a running Windows 8 or later takes a driver only as a whole package",
        where=packages[0].origin,
        advice="Give a driver package (INF, folder, ISO, ZIP) with --drivers, or repair the image after the conversion",
    )
