"""A driver taken out of another machine's Windows, value by value.

Read are the donor's default control set, the service that its CriticalDeviceDatabase binds to the controller, all keys
there that name that service, and the service's file. From Windows 8 on the DriverDatabase binds; what its package says
is taken as an INF would say it. Never taken are ``Enum`` keys (they describe the donor's own devices),
``StartOverride`` keys (they are about its hardware) and ``Tag`` values (they order the donor's own load groups).
"""

from collections.abc import Iterator
from itertools import islice

from bootgraft.changes import RegistryData
from bootgraft.drivers.bindings import critical_keys
from bootgraft.drivers.guest.donordatabase import read_inf_facts
from bootgraft.drivers.inf.target_windows import TargetWindows
from bootgraft.drivers.package import DriverPackage, PackageFile, PackageKey, PackageValue
from bootgraft.errors import DriverSourceError, FileMissingError, FileSystemError
from bootgraft.registry.hive import Hive, Key
from bootgraft.registry.values import ValueType, dword_data, text_data
from bootgraft.targets.controllers import Controller
from bootgraft.targets.driverchains import driver_chain
from bootgraft.windows.bindings import critical_devices_of_service, find_critical_device
from bootgraft.windows.driver_database import find_database_binding, has_database
from bootgraft.windows.installation import Installation
from bootgraft.windows.pe import NotPortableExecutableError, read_pe
from bootgraft.windows.roots import is_relative, on_volume
from bootgraft.windows.services import Service, driver_file, read_service
from bootgraft.windows.versions import FIRST_WITH_PLUG_AND_PLAY, UNKNOWN

MAX_SERVICE_KEYS = 512
"""Keys below one service; a storage miniport has under ten."""


def read_donor(
    donor: Installation,
    hive: Hive,
    controller: Controller,
    target_windows: Installation | TargetWindows,
    *,
    source: str,
) -> DriverPackage:
    """Take the controller's driver out of the donor for the Windows that is to start by it.

    Raises DriverSourceError where the donor has no such driver, a damaged one, or one for another architecture.
    """
    control_set = donor.select.default
    database = find_database_binding(hive, controller.device_ids()).binding if has_database(hive) else None
    binding = database or find_critical_device(hive, control_set, controller.device_ids())
    bound = _nt4_service(donor, hive, controller) if binding is None else binding.service
    if bound is None:
        raise DriverSourceError(
            f"this donor has no driver for {controller.main_id}: {_binder(hive, control_set)} binds no service to it",
            where=f"{source}: {donor.product} on {donor.volume.name}",
            advice=f"Give a donor that runs on {controller.target}, or --reg and --file with an exported driver",
            id="driver-not-found",
        )
    service = read_service(hive, control_set, bound)
    key = hive.key(f"ControlSet{control_set:03d}\\Services\\{bound}")
    if service is None or key is None:
        raise DriverSourceError(
            f"this donor binds {controller.main_id} to the service {bound}, which it does not have",
            where=f"{source}: {donor.product} on {donor.volume.name}",
            advice="Give another donor, or --reg and --file with an exported driver",
        )
    data = _read_file(donor, service, target_windows, source)
    target = _relative_to_windows(_path(donor, service), donor.directory)
    keys = [
        PackageKey(f"Services\\{key.name}", _service_values(key, service, target)),
        *islice(_below(key), MAX_SERVICE_KEYS),
    ]
    if len(keys) > MAX_SERVICE_KEYS:
        raise DriverSourceError(
            f"this donor's service {key.name} has more than {MAX_SERVICE_KEYS} keys: it is damaged",
            where=f"{source}: {donor.product} on {donor.volume.name}",
            advice="Give another donor, or --reg and --file with an exported driver",
        )
    for device in critical_devices_of_service(hive, control_set, bound):
        found = hive.key(device.key_path)
        if found is not None:
            relative = device.key_path.partition("\\")[2]
            keys.append(PackageKey(relative, tuple(_values(found))))
    inf = None if database is None else read_inf_facts(hive, database)
    keys += () if inf is None else critical_keys(inf, key.name)  # for a Windows, or an export, that binds by them
    return DriverPackage(
        source, key.name, tuple(keys), (PackageFile(target, data),), _notes(donor, target_windows), inf
    )


def _nt4_service(donor: Installation, hive: Hive, controller: Controller) -> str | None:
    """The service that drives the controller on a donor with NT 4, which binds nothing."""
    if donor.version >= FIRST_WITH_PLUG_AND_PLAY or donor.version == UNKNOWN:
        return None
    names = driver_chain(controller, donor.version).links[0].services
    return next((name for name in names if read_service(hive, donor.select.default, name) is not None), None)


def _binder(hive: Hive, control_set: int) -> str:
    return "its DriverDatabase" if has_database(hive) else f"ControlSet{control_set:03d}"


def _path(donor: Installation, service: Service) -> str:
    return driver_file(service, donor.directory, drive_letter=donor.drive_letter)


def _read_file(
    donor: Installation, service: Service, target_windows: Installation | TargetWindows, source: str
) -> bytes:
    path = _path(donor, service)
    where = f"{source}: {donor.volume.name}: {path}"
    try:
        data = donor.volume.filesystem().read(path)
        pe = read_pe(data, name=path)
    except FileMissingError as error:
        raise DriverSourceError(
            f"this donor's service {service.name} has no driver file",
            where=where,
            advice="Give a donor on which this driver works, or --reg and --file with an exported driver",
        ) from error
    except (NotPortableExecutableError, FileSystemError) as error:
        raise DriverSourceError(
            f"this donor's driver file cannot be used: {error.what}",
            where=where,
            advice="Give a donor on which this driver works, or --reg and --file with an exported driver",
        ) from error
    if pe.machine is not target_windows.arch:
        raise DriverSourceError(
            f"this donor's driver is built for {pe.machine}; {target_windows.product} is {target_windows.arch}",
            where=where,
            advice=f"Give a donor with an {target_windows.arch} Windows",
        )
    return data


def _below(service: Key) -> Iterator[PackageKey]:
    """The keys below the service's own, without ``Enum`` and ``StartOverride``."""
    at = f"Services\\{service.name}"
    taken = (child for child in _children(service) if child.name.casefold() not in ("enum", "startoverride"))
    pending = [(child, f"{at}\\{child.name}") for child in taken]
    while pending:
        key, path = pending.pop()
        yield PackageKey(path, tuple(_values(key)))
        pending += [(child, f"{path}\\{child.name}") for child in _children(key)]


def _children(key: Key) -> Iterator[Key]:
    return key.keys()


def _service_values(key: Key, service: Service, target: str) -> tuple[PackageValue, ...]:
    """The service's own values without its Tag, started at boot whatever the donor does.

    An ImagePath that leads elsewhere than to ``target`` (relative to Windows) on another machine, or that the loader of
    a boot driver may not understand, is replaced by the plain ``target``.
    """
    values = {each.name.casefold(): each for each in _values(key) if each.name.casefold() != "tag"}
    values["start"] = PackageValue("Start", RegistryData(ValueType.REG_DWORD, dword_data(0)))
    if not service.image_path:
        values["imagepath"] = PackageValue("ImagePath", None)
    elif not is_relative(service.image_path) or on_volume(service.image_path, "\\*") != f"\\*\\{target}":
        values["imagepath"] = PackageValue("ImagePath", RegistryData(ValueType.REG_EXPAND_SZ, text_data(target)))
    return tuple(values.values())


def _values(key: Key) -> Iterator[PackageValue]:
    return (PackageValue(value.name, RegistryData(value.type, value.data)) for value in key.values())


def _relative_to_windows(path: str, directory: str) -> str:
    """``\\WINNT\\system32\\drivers\\x.sys`` as ``system32\\drivers\\x.sys``; elsewhere the drivers folder."""
    prefix = f"{directory}\\".casefold()
    if path.casefold().startswith(prefix):
        return path[len(prefix) :]
    return f"system32\\drivers\\{path.rpartition(chr(92))[2]}"


def _notes(donor: Installation, target_windows: Installation | TargetWindows) -> tuple[str, ...]:
    if donor.version == target_windows.version:
        return ()
    ours, theirs = ".".join(map(str, donor.version)), ".".join(map(str, target_windows.version))
    note = (
        f"The donor is {donor.product} (NT {ours}), the machine {target_windows.product} (NT {theirs}): the driver's "
        "imports are checked, function by function."
    )
    return (note,)
