r"""The ``.reg`` files of a kit: what is imported, and what reverts it.

``further\NN.reg`` binds one further device, where it is not bound. ``undo\values.reg`` deletes every value that
``driver.reg`` sets, ``undo\NN.reg`` the key of that number. The keys lie below ``CurrentControlSet``: a Windows that is
alive sees to the other sets itself.
"""

from collections.abc import Iterator

from bootgraft.drivers.guest.harvest import reg_value
from bootgraft.drivers.package import PackageKey
from bootgraft.errors import DriverSourceError, RegFileError
from bootgraft.kit.contents import Kit
from bootgraft.registry.regexport import export_keys
from bootgraft.registry.regfile import RegKey, RegValue
from bootgraft.registry.values import ValueType
from bootgraft.windows.versions import WINDOWS_2000

ROOT = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet"
_WITH_VERSION_5 = WINDOWS_2000


def reg_files(kit: Kit) -> Iterator[tuple[str, bytes]]:
    """The files by name. Raises DriverSourceError for what NT 4's dialect cannot say."""
    entries = kit.entries
    gone = [RegKey(f"{ROOT}\\{path}", delete=True) for path in kit.gone]
    yield "driver.reg", _text(kit, [*gone, *map(_wanted, kit.keys)])
    for number, key in enumerate(kit.further, start=1 + len(kit.keys)):
        yield f"further\\{number:02d}.reg", _text(kit, [_wanted(key)])
    values = [
        RegKey(
            f"{ROOT}\\{key.path}",
            values=tuple(RegValue(each.name, ValueType.REG_NONE, b"", delete=True) for each in key.values),
        )
        for key in kit.keys
        if key.values
    ]
    yield "undo\\values.reg", _text(kit, values)
    for number, path in enumerate(entries, start=1):
        yield f"undo\\{number:02d}.reg", _text(kit, [RegKey(f"{ROOT}\\{path}", delete=True)])


def _wanted(key: PackageKey) -> RegKey:
    return RegKey(f"{ROOT}\\{key.path}", values=tuple(map(reg_value, key.values)))


def _text(kit: Kit, keys: list[RegKey]) -> bytes:
    ansi = None if kit.target_windows.version >= _WITH_VERSION_5 else "ascii"
    try:
        return export_keys(keys, ansi=ansi)
    except RegFileError as error:
        raise DriverSourceError(
            f"its registry values cannot be written as {'REGEDIT4' if ansi else '.reg'} text: {error.what}",
            where=f"{kit.origin}: {error.where}",
            advice="Give the driver from another source, or repair the image after the conversion",
        ) from error
