r"""Services of one control set: what ``ControlSetNNN\Services\<name>`` says about a driver.

Values and their meaning: Microsoft, "HKLM\SYSTEM\CurrentControlSet\Services Registry Tree"
(https://learn.microsoft.com/windows-hardware/drivers/install/hklm-system-currentcontrolset-services-registry-tree).
"""

from itertools import islice

from msgspec import Struct

from bootgraft.registry.hive import Hive, Key
from bootgraft.windows.roots import on_volume

_MAX_OVERRIDES = 64
"""Hardware configurations that one service has an override for; real machines have one."""


class StartOverride(Struct, frozen=True):
    """One value below a service's ``StartOverride``, which replaces Start from Windows 8 on.

    ``name`` is the number of the hardware configuration that it is for (``HardwareConfig``), ``start`` None where the
    value is no number. ``is_elsewhere`` tells that this is another one than Windows last ran as (``LastId``).
    """

    key_path: str
    name: str
    start: int | None
    is_elsewhere: bool = False


class Service(Struct, frozen=True):
    """One service key. A value that is missing, or of a type that Windows would not take, is None."""

    name: str  # as the key is written
    key_path: str  # from the root of the SYSTEM hive
    type: int | None
    start: int | None  # 0 boot, 1 system, 2 automatic, 3 on demand, 4 disabled
    error_control: int | None
    group: str | None
    tag: int | None
    image_path: str | None
    start_overrides: tuple[StartOverride, ...] = ()

    @property
    def effective_start(self) -> int | None:
        """Start as Windows takes it. An override stands in its place; of several, for as many machines, the worst.

        Those of other machines than the one that Windows last ran as do not count.
        """
        counting = (each.start for each in self.start_overrides if each.start is not None and not each.is_elsewhere)
        return max(counting, default=self.start)


def read_service(hive: Hive, control_set: int, name: str) -> Service | None:
    """Return the service of that name, in any case; None where the control set has none.

    Raises:
        HiveError: the SYSTEM hive is damaged there.
    """
    if not name or "\\" in name:
        return None
    key = hive.key(f"ControlSet{control_set:03d}\\Services\\{name}")
    if key is None:
        return None
    return Service(
        name=key.name,
        key_path=key.path,
        type=_dword(key, "Type"),
        start=_dword(key, "Start"),
        error_control=_dword(key, "ErrorControl"),
        group=_text(key, "Group"),
        tag=_dword(key, "Tag"),
        image_path=_text(key, "ImagePath"),
        start_overrides=_start_overrides(hive, key),
    )


def driver_file(service: Service, directory: str, *, drive_letter: str | None = None) -> str:
    r"""Return where the driver's file should lie, as a path on the volume that holds the Windows ``directory``.

    Without ImagePath it is ``system32\drivers\<name>.sys``. A path that leads off the volume comes back as it is.
    """
    if not service.image_path or not service.image_path.strip():
        return f"{directory}\\system32\\drivers\\{service.name}.sys"
    return on_volume(service.image_path, directory, drive_letter=drive_letter)


def _start_overrides(hive: Hive, service: Key) -> tuple[StartOverride, ...]:
    key = service.key("StartOverride")
    if key is None:
        return ()
    last = last_configuration(hive)
    values = islice(key.values(), _MAX_OVERRIDES)
    return tuple(StartOverride(key.path, each.name, each.dword(), last not in (None, each.name)) for each in values)


def last_configuration(hive: Hive) -> str | None:
    """The number of the hardware configuration that Windows last ran as, as a StartOverride is called; None if unknown.

    Raises:
        HiveError: the SYSTEM hive is damaged there.
    """
    key = hive.key("HardwareConfig")
    number = None if key is None else _dword(key, "LastId")
    return None if number is None else str(number)


def _dword(key: Key, name: str) -> int | None:
    value = key.value(name)
    return None if value is None else value.dword()


def _text(key: Key, name: str) -> str | None:
    value = key.value(name)
    return None if value is None else value.text()
