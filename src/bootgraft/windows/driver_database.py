r"""How Windows 8 and later bind a driver to a controller that they must start from: ``SYSTEM\DriverDatabase``.

No public document describes it; what is read here is what Windows 8.1 and 10 write. An id leads to a service by five
keys below ``DriverDatabase``, and by all of them, for a package that was only staged has the first three too::

    DeviceIds\<id>                                one value named after each INF that has the id
    DriverInfFiles\<inf>                          Active = <package>
    DriverPackages\<package>                      Version (48 bytes)
    DriverPackages\<package>\Descriptors\<id>     Configuration = <configuration>
    DriverPackages\<package>\Configurations\<configuration>   Service, LowerFilters, UpperFilters, ExcludeIds

The key decides the generation: where it is, no CriticalDeviceDatabase is asked, and there is none.
"""

import struct
from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec import Struct

from bootgraft.registry.hive import Hive, Key

ROOT = "DriverDatabase"
OWN_PREFIX = "bootgraft_"
"""How the INF names of packages begin that bootgraft put there."""
VERSION_SIZE = 48
_MAX_INFS = 64
"""INFs for one id that are looked at; Windows 10 has two for some ids."""
_HARDWARE_ID, _COMPATIBLE_ID = 1, 2
_VERSION = struct.Struct("<2sHI16sQ4H8x")
_INBOX, _OEM = b"\xff\xff", b"\x00\xff"


class PackageVersion(Struct, frozen=True):
    """A package's ``Version`` value. ``date`` is a FILETIME, ``architecture`` a PROCESSOR_ARCHITECTURE number."""

    is_inbox: bool
    architecture: int
    class_guid: str
    date: int
    version: tuple[int, int, int, int]

    def encode(self) -> bytes:
        """The value's 48 bytes."""
        import uuid

        guid = uuid.UUID(self.class_guid).bytes_le
        return _VERSION.pack(
            _INBOX if self.is_inbox else _OEM, self.architecture, 0, guid, self.date, *reversed(self.version)
        )


class DatabaseBinding(Struct, frozen=True):
    """A device id that was followed to its end. ``filters`` are drivers that the device does not start without."""

    key_path: str  # the descriptor's, from the root of the SYSTEM hive
    device_id: str
    service: str | None  # None binds the device to no driver
    class_guid: str
    inf: str
    package: str
    configuration: str
    filters: tuple[str, ...] = ()
    version: PackageVersion | None = None


class Search(Struct, frozen=True):
    """What came of looking for ids: the binding, and how each entry ends that leads to none."""

    binding: DatabaseBinding | None
    dead_ends: tuple[str, ...] = ()


def has_database(hive: Hive) -> bool:
    """Whether this Windows binds by a DriverDatabase. Raises HiveError for damage."""
    return hive.key(ROOT) is not None


def find_database_binding(hive: Hive, device_ids: Iterable[str]) -> Search:
    """Follow the ids of a device, best match first, to the first that leads to a configuration.

    Of several INFs for one id the newest driver is taken, by date and version.

    Raises:
        HiveError: the SYSTEM hive is damaged there.
    """
    ids = tuple(device_ids)
    dead_ends: list[str] = []
    for device_id in ids:
        key = hive.key(f"{ROOT}\\DeviceIds\\{device_id}")
        if key is None:
            continue
        found = [_follow(hive, inf, device_id, ids) for inf in _infs(key)]
        bindings = [each for each in found if isinstance(each, DatabaseBinding)]
        dead_ends += [each for each in found if isinstance(each, str)]
        if bindings:
            return Search(max(bindings, key=_rank), tuple(dead_ends))
    return Search(None, tuple(dead_ends))


def packages_naming(hive: Hive, device_ids: Iterable[str]) -> tuple[str, ...]:
    """The active packages whose INFs name one of the ids, each once, best match first: staged or installed.

    Raises:
        HiveError: the SYSTEM hive is damaged there.
    """
    found: dict[str, None] = {}
    for device_id in device_ids:
        key = hive.key(f"{ROOT}\\DeviceIds\\{device_id}")
        for inf in () if key is None else _infs(key):
            of_inf = None if "\\" in inf else hive.key(f"{ROOT}\\DriverInfFiles\\{inf}")
            name = None if of_inf is None else _text(of_inf, "Active")
            if name is not None and "\\" not in name:
                found[name] = None
    return tuple(found)


def bindings_of_package(hive: Hive, package: str, configuration: str) -> Iterator[tuple[str, Key]]:
    """The ids that a package's configuration serves, each with its descriptor's key."""
    top = hive.key(f"{ROOT}\\DriverPackages\\{package}\\Descriptors")
    if top is None:
        return
    for key in top.walk():
        named = _text(key, "Configuration")
        if named is not None and named.casefold() == configuration.casefold():
            yield key.path[len(top.path) + 1 :], key


def decode_version(data: bytes) -> PackageVersion | None:
    """Read a package's ``Version`` value; None where it is no such value."""
    if len(data) != VERSION_SIZE:
        return None
    import uuid  # only Windows 8 and later need it

    origin, architecture, _, guid, date, *numbers = _VERSION.unpack(data)
    revision, build, minor, major = numbers
    class_guid = f"{{{uuid.UUID(bytes_le=guid)}}}".upper()
    return PackageVersion(origin == _INBOX, architecture, class_guid, date, (major, minor, build, revision))


def _infs(key: Key) -> Iterator[str]:
    for value in islice(key.values(), _MAX_INFS):
        if value.name and value.data[:1] and value.data[0] in (_HARDWARE_ID, _COMPATIBLE_ID):
            yield value.name


def _follow(hive: Hive, inf: str, device_id: str, ids: tuple[str, ...]) -> DatabaseBinding | str:
    """The binding that an INF makes of an id, or where its trail ends."""
    start = f"DeviceIds\\{device_id} names {inf}"
    of_inf = None if "\\" in inf else hive.key(f"{ROOT}\\DriverInfFiles\\{inf}")
    name = None if of_inf is None else _text(of_inf, "Active")
    package = None if name is None or "\\" in name else hive.key(f"{ROOT}\\DriverPackages\\{name}")
    if name is None or package is None:
        return f"{start}, of which DriverInfFiles and DriverPackages have no active package"
    descriptor = hive.key(f"{package.path}\\Descriptors\\{device_id}")
    chosen = None if descriptor is None else _text(descriptor, "Configuration")
    if descriptor is None or chosen is None:
        return f"{start}, but its package {name} has no descriptor of it: it was staged, not installed for a device"
    configuration = None if "\\" in chosen else hive.key(f"{package.path}\\Configurations\\{chosen}")
    if configuration is None:
        return f"{start}, but its package {name} has no configuration {chosen}"
    excluded = {each.casefold() for each in _texts(configuration, "ExcludeIds")}
    if any(each.casefold() in excluded for each in ids):
        return f"{start}, but its configuration {chosen} excludes this device"
    version = package.value("Version")
    decoded = None if version is None else decode_version(version.data)
    return DatabaseBinding(
        key_path=descriptor.path,
        device_id=device_id,
        service=_text(configuration, "Service"),
        class_guid="" if decoded is None else decoded.class_guid,
        inf=inf,
        package=package.name,
        configuration=configuration.name,
        filters=(*_texts(configuration, "UpperFilters"), *_texts(configuration, "LowerFilters")),
        version=decoded,
    )


def _rank(binding: DatabaseBinding) -> tuple[int, tuple[int, ...]]:
    return (-1, ()) if binding.version is None else (binding.version.date, binding.version.version)


def _text(key: Key, name: str) -> str | None:
    """The string of a value, None where it is missing, no string, or empty."""
    value = key.value(name)
    return None if value is None else value.text() or None


def _texts(key: Key, name: str) -> tuple[str, ...]:
    value = key.value(name)
    return () if value is None else value.multi() or ()
