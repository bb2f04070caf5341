r"""Boot drivers: the services with Start=0 of a control set, in the order in which the loader loads them.

First the groups of ``Control\ServiceGroupOrder`` in their order, then services of other groups and of none; within a
group by the place of the service's ``Tag`` in ``Control\GroupOrderList``, those without one last. Source: Microsoft,
"Specifying Driver Load Order" (https://learn.microsoft.com/windows-hardware/drivers/install/specifying-driver-load-order);
ReactOS, ``boot/freeldr/freeldr/ntldr/wlregistry.c``. Windows 8 and later keep a number per hardware configuration below
``StartOverride``, which takes the place of Start.
"""

import struct
from collections.abc import Callable, Iterator

from bootgraft.registry.hive import Hive, Key
from bootgraft.windows.installation import control_set_name
from bootgraft.windows.services import Service, read_service

MAX_SERVICES = 20_000
"""Services looked at: real control sets have under a thousand."""

DriversOf = Callable[[int], tuple[Service, ...]]
"""``boot_drivers`` of one hive, by the number of the control set."""

_BOOT_START = 0


def boot_drivers(hive: Hive, control_set: int) -> tuple[Service, ...]:
    """Return the boot drivers of a control set, first loaded first. Raises HiveError for damage on the way."""
    services = hive.key(f"{control_set_name(control_set)}\\Services")
    control = hive.key(f"{control_set_name(control_set)}\\Control")
    if services is None:
        return ()
    groups = {name.casefold(): place for place, name in reversed(list(enumerate(_groups(control))))}
    tags: dict[str, dict[int, int]] = {}
    found: list[tuple[int, int, int, Service]] = []
    for service in _boot_services(hive, control_set, services):
        group = (service.group or "").casefold()
        if group not in tags:
            tags[group] = _tag_order(control, group)
        place = groups.get(group, len(groups))
        found.append((place, tags[group].get(service.tag or 0, len(tags[group])), len(found), service))
    return tuple(each[3] for each in sorted(found, key=lambda each: each[:3]))


def load_order_groups(hive: Hive, control_set: int) -> frozenset[str]:
    """The names, in lower case, of the groups that a control set puts in order. Raises HiveError for damage."""
    return frozenset(map(str.casefold, _groups(hive.key(f"{control_set_name(control_set)}\\Control"))))


def _boot_services(hive: Hive, control_set: int, services: Key) -> Iterator[Service]:
    for count, key in enumerate(services.keys()):
        if count >= MAX_SERVICES:
            return
        start = key.value("Start")
        if start is None or start.dword() != _BOOT_START:
            continue
        service = read_service(hive, control_set, key.name)
        if service is not None and not _is_demoted(service):
            yield service


def _is_demoted(service: Service) -> bool:
    return any(each.start not in (None, _BOOT_START) for each in service.start_overrides if not each.is_elsewhere)


def _groups(control: Key | None) -> tuple[str, ...]:
    order = None if control is None else control.key("ServiceGroupOrder")
    names = None if order is None else order.value("List")
    return () if names is None else tuple(names.multi() or ())


def _tag_order(control: Key | None, group: str) -> dict[int, int]:
    """The place of each tag of a group: a count, then that many tags, as little-endian 32-bit numbers."""
    orders = None if control is None else control.key("GroupOrderList")
    value = None if orders is None or not group else orders.value(group)
    data = b"" if value is None else value.data
    tags = [tag for (tag,) in struct.iter_unpack("<I", data[4 : len(data) & ~3])]
    count = struct.unpack_from("<I", data)[0] if len(data) >= 4 else 0
    return {tag: place for place, tag in reversed(list(enumerate(tags[:count])))}
