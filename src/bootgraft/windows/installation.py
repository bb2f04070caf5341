r"""One Windows: what it is, where it lies, and which of its control sets count.

Read from its own SYSTEM and SOFTWARE hives and the header of its kernel. SYSTEM decides whether there is a Windows to
work on; what SOFTWARE would tell (name, version) can be missing and is then noted as unknown.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from bootgraft.changes import FileId
from bootgraft.errors import BootgraftError, FileMissingError, FileSystemError, HiveError
from bootgraft.machine import Volume
from bootgraft.registry.hive import Hive, Key
from bootgraft.windows.hives import hive_path
from bootgraft.windows.mounted_devices import letter_of, name_of
from bootgraft.windows.pe import Architecture, NotPortableExecutableError, read_architecture
from bootgraft.windows.product import Product, read_product, unknown_product

__all__ = [
    "Architecture",
    "Installation",
    "Select",
    "control_set_name",
    "hive_file",
    "installation_id",
    "open_hive",
    "read_installation",
    "read_select",
    "sets_to_edit",
]

_CONTROL_SET = re.compile(r"ControlSet(\d{3})", re.IGNORECASE | re.ASCII)
_KERNEL_HEADER = 4096


class Select(Struct, frozen=True):
    r"""The numbers in ``SYSTEM\Select``; 0 where a value is missing, as Windows writes it for 'none'."""

    current: int
    default: int
    failed: int
    last_known_good: int


class Installation(Struct, frozen=True):
    """One Windows on one volume."""

    id: str  # "disk0-partition2-WINDOWS": what --windows takes
    volume: Volume
    directory: str  # "\\WINDOWS", as it is written on the volume
    product: str
    version: tuple[int, int]  # NT version; (0, 0) where it is unknown
    build: str
    arch: Architecture
    service_pack: str
    control_sets: tuple[int, ...]  # those that a repair must edit, ascending
    select: Select
    drive_letter: str | None  # "C:"
    default_boot: bool
    notes: tuple[str, ...] = ()  # what could not be read, and why


def control_set_name(number: int) -> str:
    """``ControlSet001``."""
    return f"ControlSet{number:03d}"


def read_installation(volume: Volume, directory: str, *, default_boot: bool) -> Installation:
    r"""Read the Windows in ``directory`` (``\WINDOWS``) of a volume.

    Raises:
        FileMissingError: it has no SYSTEM hive.
        FileSystemError: the volume cannot be read there.
        DirtyHiveError: its SYSTEM hive has transactions pending.
        HiveError: its SYSTEM hive is damaged, or has no default control set.
    """
    system = _open_system(volume, directory)
    select = read_select(system)
    product, notes = _product(volume, directory, system, select)
    arch, arch_notes = _architecture(volume, directory)
    name = None if volume.identity is None else name_of(volume.identity)
    return Installation(
        id=installation_id(volume, directory),
        volume=volume,
        directory=directory,
        product=product.name,
        version=product.version,
        build=product.build,
        arch=arch,
        service_pack=product.service_pack,
        control_sets=sets_to_edit(system, select),
        select=select,
        drive_letter=None if name is None else letter_of(system, name),
        default_boot=default_boot,
        notes=(*notes, *arch_notes),
    )


def open_hive(installation: Installation, name: str) -> Hive:
    """Return one of the installation's hives (``SYSTEM``, ``SOFTWARE``), opened once while its machine is open.

    Raises:
        FileMissingError: there is no such hive.
        HiveError: it is damaged or, as DirtyHiveError, has transactions pending.
    """
    return installation.volume.hive(hive_path(installation.directory, name))


def hive_file(installation: Installation) -> FileId:
    """Where its SYSTEM hive lies, as changes name it."""
    return installation.volume.file(hive_path(installation.directory, "SYSTEM"))


def installation_id(volume: Volume, directory: str) -> str:
    """What ``--windows`` calls the Windows in this directory."""
    number = volume.partition.slot if volume.number is None else volume.number
    return f"disk{volume.disk}-partition{number}{directory.replace(chr(92), '-')}"


def _open_system(volume: Volume, directory: str) -> Hive:
    path = hive_path(directory, "SYSTEM")
    try:
        return volume.hive(path)
    except FileMissingError as error:
        raise FileMissingError(
            "this Windows has no SYSTEM hive",
            where=f"{volume.name}: {path}",
            advice=f"Put one back, from a backup or from {directory}\\repair\\system (the state after Setup)",
        ) from error


def read_select(system: Hive) -> Select:
    """Read the Select key of a SYSTEM hive. Raises HiveError where it names no control set that exists."""
    key = system.key("Select")
    if key is None:
        raise HiveError(
            "it has no key Select, which says which control set Windows starts with",
            where=system.name,
            advice="It is not a SYSTEM hive, or a damaged one; put one back from a backup",
        )
    select = Select(*(_number(key, name) for name in ("Current", "Default", "Failed", "LastKnownGood")))
    if not 0 < select.default <= 999 or system.key(control_set_name(select.default)) is None:
        raise HiveError(
            f"Select names control set {select.default} as default, but there is no such key",
            where=system.name,
            advice="The hive is incomplete; put one back from a backup",
        )
    return select


def _number(key: Key, name: str) -> int:
    value = key.value(name)
    return 0 if value is None else value.dword() or 0


def sets_to_edit(system: Hive, select: Select) -> tuple[int, ...]:
    """The sets that Select names, and further ones that have both Services and Control, as far as they exist."""
    named = {select.current, select.default, select.failed, select.last_known_good}
    return tuple(number for number, key in _existing_sets(system) if number in named or _is_complete(key))


def _existing_sets(system: Hive) -> Iterator[tuple[int, Key]]:
    for key in system.root.keys():  # noqa: SIM118  a registry key, no dict
        match = _CONTROL_SET.fullmatch(key.name)
        if match and int(match[1]):
            yield int(match[1]), key


def _is_complete(control_set: Key) -> bool:
    return control_set.key("Services") is not None and control_set.key("Control") is not None


def _product(volume: Volume, directory: str, system: Hive, select: Select) -> tuple[Product, tuple[str, ...]]:
    options = system.key(f"{control_set_name(select.default)}\\Control\\ProductOptions")
    kind = None if options is None else options.value("ProductType")
    product_type = "" if kind is None else kind.text() or ""
    try:
        return read_product(volume.hive(hive_path(directory, "SOFTWARE")), product_type), ()
    except (FileSystemError, HiveError) as error:  # a damaged SOFTWARE does not keep the storage driver from loading
        return unknown_product(), (_note("the product and version are unknown", error),)


def _architecture(volume: Volume, directory: str) -> tuple[Architecture, tuple[str, ...]]:
    path = f"{directory}\\system32\\ntoskrnl.exe"
    try:
        head = volume.filesystem().read(path, 0, _KERNEL_HEADER)
        return read_architecture(head, name=f"{volume.name}: {path}"), ()
    except (FileSystemError, NotPortableExecutableError) as error:
        return Architecture.UNKNOWN, (_note("the architecture is unknown", error),)


def _note(what: str, error: BootgraftError) -> str:
    return f"{what}: {error.where}: {error.what}"
