"""A driver taken out of another machine's Windows, value by value.

Read are the donor's default control set, the service that its CriticalDeviceDatabase binds to the controller, all keys
there that name that service, and the service's file. Never taken are ``Enum`` keys (they describe the donor's own
devices) and ``Tag`` values (they order the donor's own load groups).
"""

from collections.abc import Iterator

from bootgraft.changes import RegistryData
from bootgraft.drivers.package import DriverPackage, PackageFile, PackageKey, PackageValue
from bootgraft.errors import DriverSourceError, FileMissingError
from bootgraft.registry.hive import Hive, Key
from bootgraft.registry.values import ValueType, dword_data
from bootgraft.targets.controllers import Controller
from bootgraft.windows.bindings import critical_devices_of_service, find_critical_device
from bootgraft.windows.installation import Installation
from bootgraft.windows.pe import NotPortableExecutableError, read_pe
from bootgraft.windows.services import Service, driver_file, read_service

MAX_SERVICE_KEYS = 512
"""Keys below one service; a storage miniport has under ten."""


def read_donor(
    donor: Installation, hive: Hive, controller: Controller, recipient: Installation, *, source: str
) -> DriverPackage:
    """Take the controller's driver out of the donor for the recipient.

    Raises DriverSourceError where the donor has no such driver, a damaged one, or one for another architecture.
    """
    control_set = donor.select.default
    binding = find_critical_device(hive, control_set, controller.device_ids())
    if binding is None or binding.service is None:
        raise DriverSourceError(
            f"this donor has no driver for {controller.main_id}: ControlSet{control_set:03d} binds no service to it",
            where=f"{source}: {donor.product} on {donor.volume.name}",
            advice=f"Give a donor that runs on {controller.target}, or --reg and --file with an exported driver",
        )
    service = read_service(hive, control_set, binding.service)
    key = hive.key(f"ControlSet{control_set:03d}\\Services\\{binding.service}")
    if service is None or key is None:
        raise DriverSourceError(
            f"this donor binds {controller.main_id} to the service {binding.service}, which it does not have",
            where=f"{source}: {donor.product} on {donor.volume.name}",
            advice="Give another donor, or --reg and --file with an exported driver",
        )
    data = _read_file(donor, service, recipient, source)
    keys = [*_service_keys(key, f"Services\\{key.name}")]
    for device in critical_devices_of_service(hive, control_set, binding.service):
        found = hive.key(device.key_path)
        if found is not None:
            relative = device.key_path.partition("\\")[2]
            keys.append(PackageKey(relative, tuple(_values(found))))
    target = _relative_to_windows(driver_file(service, donor.directory), donor.directory)
    return DriverPackage(source, key.name, tuple(keys), (PackageFile(target, data),), _notes(donor, recipient))


def _read_file(donor: Installation, service: Service, recipient: Installation, source: str) -> bytes:
    path = driver_file(service, donor.directory)
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
    except NotPortableExecutableError as error:
        raise DriverSourceError(
            f"this donor's driver file cannot be used: {error.what}",
            where=where,
            advice="Give a donor on which this driver works, or --reg and --file with an exported driver",
        ) from error
    if pe.machine is not recipient.arch:
        raise DriverSourceError(
            f"this donor's driver is built for {pe.machine}; {recipient.product} is {recipient.arch}",
            where=where,
            advice=f"Give a donor with an {recipient.arch} Windows",
        )
    return data


def _service_keys(key: Key, path: str) -> Iterator[PackageKey]:
    pending = [(key, path)]
    for _ in range(MAX_SERVICE_KEYS):
        if not pending:
            return
        current, at = pending.pop()
        yield PackageKey(at, tuple(_service_values(current) if current is key else _values(current)))
        children = (
            child
            for child in current.keys()  # noqa: SIM118  a registry key, no dict
            if not (current is key and child.name.casefold() == "enum")
        )
        pending += [(child, f"{at}\\{child.name}") for child in children]


def _service_values(key: Key) -> Iterator[PackageValue]:
    """The service's own values, started at boot whatever the donor does, and without its Tag."""
    for value in _values(key):
        name = value.name.casefold()
        if name == "start":
            yield PackageValue(value.name, RegistryData(ValueType.REG_DWORD, dword_data(0)))
        elif name != "tag":
            yield value


def _values(key: Key) -> Iterator[PackageValue]:
    return (PackageValue(value.name, RegistryData(value.type, value.data)) for value in key.values())


def _relative_to_windows(path: str, directory: str) -> str:
    """``\\WINNT\\system32\\drivers\\x.sys`` as ``system32\\drivers\\x.sys``; elsewhere the drivers folder."""
    prefix = f"{directory}\\".casefold()
    if path.casefold().startswith(prefix):
        return path[len(prefix) :]
    return f"system32\\drivers\\{path.rpartition(chr(92))[2]}"


def _notes(donor: Installation, recipient: Installation) -> tuple[str, ...]:
    if donor.version == recipient.version:
        return ()
    ours, theirs = ".".join(map(str, donor.version)), ".".join(map(str, recipient.version))
    note = (
        f"The donor is {donor.product} (NT {ours}), the machine {recipient.product} (NT {theirs}): the driver's "
        "imports are checked by file, not by function."
    )
    return (note,)
