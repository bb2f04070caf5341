"""The manual way: ``.reg`` files exported on another machine, and the driver files that belong to them.

Every path below ``HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet`` or ``ControlSet00N`` is taken relative to the control
set and later written into every set that exists. What such a file may touch is a driver's service and its
CriticalDeviceDatabase keys; anything else is an error that names the line.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from bootgraft.changes import RegistryData
from bootgraft.drivers.package import DriverPackage, PackageFile, PackageKey, PackageValue
from bootgraft.errors import DriverSourceError, RegFileError
from bootgraft.registry.regfile import RegKey, parse
from bootgraft.registry.values import Value, ValueType, text_data
from bootgraft.windows.installation import Architecture
from bootgraft.windows.pe import NotPortableExecutableError, read_pe
from bootgraft.windows.roots import is_relative, on_volume

MAX_INPUT = 32 * 2**20
"""Bytes of one .reg or driver file."""

_CONTROL_SET = re.compile(r"(?:HKEY_LOCAL_MACHINE|HKLM)\\SYSTEM\\(?:CurrentControlSet|ControlSet\d{3})\\(.+)", re.I)
_PARENT = re.compile(
    r"(?:HKEY_LOCAL_MACHINE|HKLM)\\SYSTEM(?:\\(?:CurrentControlSet|ControlSet\d{3})"
    r"(?:\\(?:Services|Control(?:\\CriticalDeviceDatabase)?))?)?",
    re.I,
)
_ALLOWED = re.compile(r"(?:Services\\(?P<service>[^\\]+)(?:\\.+)?|Control\\CriticalDeviceDatabase\\[^\\]+)", re.I)
# A running Windows shows here which devices the driver serves; regedit exports it, but no hive file ever holds it.
_VOLATILE = re.compile(r"Services\\[^\\]+\\Enum(?:\\.+)?", re.I)
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_ANY_DIRECTORY = "\\WINDOWS"


def read_manual(reg_files: Sequence[str], driver_files: Sequence[str], architecture: Architecture) -> DriverPackage:
    """Read the given files as one package for a Windows of this architecture.

    Raises RegFileError for a .reg file that cannot be read or reaches too far, DriverSourceError for a driver file
    that is missing, is no driver, or is built for another architecture.
    """
    keys: list[PackageKey] = []
    for name in reg_files:
        keys += _read_reg(name)
    services = _services(keys)
    if not services:
        raise DriverSourceError(
            "no service key in what was given",
            where=", ".join(reg_files),
            advice="Export HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\DRIVER on a machine that has it",
        )
    files = tuple(_read_driver(name, keys, architecture) for name in driver_files)
    origin = ", ".join((*reg_files, *driver_files))
    return DriverPackage(origin, _bound_service(keys, services), tuple(map(_for_the_loader, keys)), files)


def _read_input(name: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_INPUT + 1)
    except OSError as error:
        raise DriverSourceError(
            f"cannot be read ({error.strerror})", where=name, advice="Check the path and the permissions"
        ) from error
    if len(data) > MAX_INPUT:
        raise DriverSourceError("the file is too large", where=name, advice=f"At most {MAX_INPUT >> 20} MiB are read")
    return data


def _read_reg(name: str) -> list[PackageKey]:
    keys = parse(_read_input(name), name=name).keys
    read = (_read_key(key, name) for key in keys if not _is_bare_parent(key))
    return [key for key in read if not _VOLATILE.fullmatch(key.path)]


def _is_bare_parent(key: RegKey) -> bool:
    """Whether this is the empty header of a parent key, as some editors export it: it says nothing."""
    return not key.values and not key.delete and _PARENT.fullmatch(key.path) is not None


def _read_key(key: RegKey, name: str) -> PackageKey:
    match = _CONTROL_SET.fullmatch(key.path)
    if match is None or _ALLOWED.fullmatch(match[1]) is None:
        raise RegFileError(
            f"[{key.path}] is not a key that a driver's .reg file may change",
            where=f"{name}, line {key.line}",
            advice="Allowed are …\\CurrentControlSet\\Services\\DRIVER and …\\Control\\CriticalDeviceDatabase\\ID; "
            "remove the rest from the file",
        )
    if key.delete:
        raise RegFileError(
            f"[-{key.path}] would delete a key",
            where=f"{name}, line {key.line}",
            advice="A driver's .reg file only adds; remove the line",
        )
    values = (PackageValue(v.name, None if v.delete else RegistryData(v.type, v.data)) for v in key.values)
    return PackageKey(match[1], tuple(values))


def _services(keys: Sequence[PackageKey]) -> list[str]:
    names = (match["service"] for key in keys if (match := _ALLOWED.fullmatch(key.path)))
    return [name for name in names if name]


def _bound_service(keys: Sequence[PackageKey], services: Sequence[str]) -> str:
    """The service that the device bindings name: a .reg file may bring a filter's service too."""
    known = {service.casefold(): service for service in reversed(services)}
    texts = (_text(key, "Service") for key in keys if not key.path.casefold().startswith("services\\"))
    return next((known[text.casefold()] for text in texts if text.casefold() in known), services[0])


def _text(key: PackageKey, name: str) -> str:
    """The string of a value that the key sets, empty where it sets none."""
    for value in key.values:
        if value.name.casefold() == name.casefold() and value.data is not None:
            return Value("", value.data.type, value.data.data).text() or ""
    return ""


def _read_driver(name: str, keys: Sequence[PackageKey], architecture: Architecture) -> PackageFile:
    data = _read_input(name)
    if _NOT_IN_NAMES.search(Path(name).name):
        raise DriverSourceError("Windows allows no file of that name", where=name, advice="Rename the file")
    try:
        pe = read_pe(data, name=name)
    except NotPortableExecutableError as error:
        raise DriverSourceError(
            f"this is no driver: {error.what}", where=name, advice="Give the .sys file itself, expanded"
        ) from error
    if pe.machine is not architecture:
        raise DriverSourceError(
            f"this driver is built for {pe.machine}; the Windows to repair is {architecture}",
            where=name,
            advice=f"Take the {architecture} build of the driver",
        )
    return PackageFile(_place(Path(name).name, keys), data)


def _place(file_name: str, keys: Sequence[PackageKey]) -> str:
    """Where the services' ImagePath expects the file, relative to the Windows directory, which it never leaves."""
    for key in keys:
        path = _inside(_text(key, "ImagePath"))
        if path is not None and path.rpartition("\\")[2].casefold() == file_name.casefold():
            return path
    return f"system32\\drivers\\{file_name}"


def _inside(path: str) -> str | None:
    """A path of the registry relative to the Windows directory; None where it leads elsewhere."""
    path = on_volume(path, _ANY_DIRECTORY)
    relative = path.removeprefix(f"{_ANY_DIRECTORY}\\")
    return None if relative == path or any(map(_leads_away, relative.split("\\"))) else relative


def _for_the_loader(key: PackageKey) -> PackageKey:
    """The key with an ImagePath as boot drivers have it: relative to the Windows directory."""
    text = _text(key, "ImagePath")
    path = _inside(text)
    if not text or is_relative(text) or path is None:
        return key
    plain = PackageValue("ImagePath", RegistryData(ValueType.REG_EXPAND_SZ, text_data(path)))
    values = (plain if value.name.casefold() == "imagepath" else value for value in key.values)
    return PackageKey(key.path, tuple(values))


def _leads_away(name: str) -> bool:
    return name in ("", ".", "..") or _NOT_IN_NAMES.search(name) is not None
