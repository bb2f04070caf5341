r"""Traces that a tool left in a Windows which it converted for another hypervisor, where they are its own alone.

virt-v2v and virt-customize: ``\Program Files\Guestfs`` with the first-boot service, and for Windows 8 and later a
package in the DriverDatabase whose INF is called guestor.inf (libguestfs-common, ``mlcustomize``). hyper2kvm: the
folder ``\hyper2kvm`` and the service hyper2kvm-firstboot (its documentation, "Windows first boot").
"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.errors import FileSystemError
from bootgraft.registry.hive import Hive, Key
from bootgraft.windows.installation import Installation, control_set_name

VIRT_V2V = "virt-v2v"
HYPER2KVM = "hyper2kvm"
GUESTOR = r"DriverDatabase\DriverInfFiles\guestor.inf"
_PACKAGES = r"DriverDatabase\DriverPackages"
_FOLDERS = ((r"\Program Files\Guestfs", VIRT_V2V), (r"\hyper2kvm", HYPER2KVM))
_SERVICES = (("hyper2kvm-firstboot", HYPER2KVM),)


class Trace(Struct, frozen=True):
    """One trace: the tool, and the key (from the root of the SYSTEM hive) or folder that it left."""

    tool: str
    place: str
    is_key: bool


class InjectedPackage(Struct, frozen=True):
    """The package by which virt-v2v binds its driver, with the service that it is bound to.

    ``is_well_named`` tells that its name is one that Windows' own tools take: before September 2025 it was not.
    """

    name: str
    service: str | None

    @property
    def is_well_named(self) -> bool:
        """Whether the name has the form of every package's, INF, architecture and a number."""
        return self.name.casefold().startswith("guestor.inf_")


def converter_traces(installation: Installation, hive: Hive) -> Iterator[Trace]:
    """The traces that there are. Raises HiveError for damage."""
    filesystem = installation.volume.filesystem()
    for folder, tool in _FOLDERS:
        try:
            if filesystem.stat(folder).is_directory:
                yield Trace(tool, folder, is_key=False)
        except FileSystemError:
            continue
    if hive.key(GUESTOR) is not None:
        yield Trace(VIRT_V2V, GUESTOR, is_key=True)
    for service, tool in _SERVICES:
        key = hive.key(f"{control_set_name(installation.select.default)}\\Services\\{service}")
        if key is not None:
            yield Trace(tool, key.path, is_key=True)


def injected_package(hive: Hive) -> InjectedPackage | None:
    """The package that guestor.inf names; None where there is none. Raises HiveError for damage."""
    inf = hive.key(GUESTOR)
    name = None if inf is None else _text(inf, "Active")
    if name is None or "\\" in name:
        return None
    configuration = hive.key(f"{_PACKAGES}\\{name}\\Configurations\\guestor_conf")
    return InjectedPackage(name, None if configuration is None else _text(configuration, "Service"))


def _text(key: Key, name: str) -> str | None:
    value = key.value(name)
    return None if value is None else value.text() or None
