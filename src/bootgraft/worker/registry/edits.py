"""What ``reg set``, ``reg delete`` and ``reg import`` want, as edits of the keys in the hives' files."""

import re
from pathlib import Path

from msgspec import Struct

from bootgraft.changes import RegistryData
from bootgraft.errors import RegFileError, UsageError
from bootgraft.registry.hive import Hive, Key
from bootgraft.registry.records import KEY_SYM_LINK
from bootgraft.registry.regfile import SIZE_LIMIT, RegKey, parse
from bootgraft.repair.registry_plan import WantedKey
from bootgraft.windows.registry_paths import parse_key, set_number
from bootgraft.worker.ipc.registry_request import RegistryRequest
from bootgraft.worker.registry.hives import Hives, Located

_ACCOUNTS = frozenset({"SAM", "SECURITY"})
# A running Windows shows here which devices a driver serves; regedit exports it, but no hive file ever holds it.
_VOLATILE = re.compile(r"[^\\]*ControlSet[^\\]*\\Services\\[^\\]+\\Enum(?:\\.+)?", re.IGNORECASE)


class Edits(Struct, frozen=True):
    """What is wanted, what the user should know about it, and for ``delete`` and ``set`` what is not there."""

    wanted: tuple[WantedKey, ...]
    notes: tuple[str, ...] = ()
    missing: str = ""


def set_edits(hives: Hives, request: RegistryRequest) -> Edits:
    """One key with its value, in every control set that is meant."""
    located = hives.locate(request.key, request.hive)
    paths = hives.for_writing(located, all_sets=request.all_sets)
    if not paths:
        return Edits((), missing=f"There is no {located.path.partition(chr(92))[0]} in {located.file}.")
    data = RegistryData(request.type, bytes.fromhex(request.data))
    values = () if request.value is None else ((request.value, data),)
    return Edits(_wanted(hives, located, paths, WantedKey(located.file, "", values=values)))


def delete_edits(hives: Hives, request: RegistryRequest) -> Edits:
    """A key or value gone from every control set that is meant and has it."""
    located = hives.locate(request.key, request.hive)
    if not located.path and request.value is None:
        raise UsageError("the root of a hive cannot be deleted", where=located.prefix, advice="Name a key below it")
    hive = hives.open(located.file)
    paths = tuple(
        path for path in hives.for_writing(located, all_sets=request.all_sets) if _has(hive.key(path), request.value)
    )
    if not paths:
        what = "key" if request.value is None else f"value {request.value or '(Default)'} in"
        return Edits((), missing=f"There is no {what} {located.prefix}\\{located.path} in {located.file}.")
    values = () if request.value is None else ((request.value, None),)
    model = WantedKey(located.file, "", delete=request.value is None, values=values)
    return Edits(_wanted(hives, located, paths, model))


def import_edits(hives: Hives, request: RegistryRequest, file: str) -> Edits:
    """Everything that a .reg file says. Raises RegFileError, which names the line, where it cannot be done."""
    wanted: list[WantedKey] = []
    notes: dict[str, None] = {}
    for key in parse(_read(file), name=file).keys:
        located = _locate(hives, request, key, file)
        if _VOLATILE.fullmatch(located.path):
            notes[f"{key.path} is left out: Windows makes it anew at each start."] = None
            continue
        paths = hives.for_writing(located, all_sets=request.all_sets)
        if not paths:
            notes[f"ControlSet{set_number(located.path):03d} is left out: this Windows has no such control set."] = None
        values = tuple((v.name, None if v.delete else RegistryData(v.type, v.data)) for v in key.values)
        if key.delete and not located.path:
            raise _at_line("the root of a hive cannot be deleted", key, file)
        wanted += _wanted(hives, located, paths, WantedKey(located.file, "", delete=key.delete, values=values))
    return Edits(tuple(wanted), tuple(notes))


def _read(file: str) -> bytes:
    try:
        with Path(file).open("rb") as source:
            return source.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise RegFileError(
            f"it cannot be read ({error.strerror})", where=file, advice="Check the path and the permissions"
        ) from error


def _locate(hives: Hives, request: RegistryRequest, key: RegKey, file: str) -> Located:
    try:
        if not hives.is_bare and request.hive is None and parse_key(key.path).hive in _ACCOUNTS:
            raise _at_line("accounts and secrets are not changed by a .reg file", key, file)
        return hives.locate(key.path, request.hive)
    except UsageError as error:
        raise RegFileError(
            f"[{key.path}]: {error.what}", where=f"{file}, line {key.line}", advice=error.advice
        ) from error


def _at_line(what: str, key: RegKey, file: str) -> RegFileError:
    return RegFileError(
        f"[{key.path}]: {what}",
        where=f"{file}, line {key.line}",
        advice="Remove the key from the file, or name its hive with --hive",
    )


def _wanted(hives: Hives, located: Located, paths: tuple[str, ...], model: WantedKey) -> tuple[WantedKey, ...]:
    hive = hives.open(located.file)
    for path in paths:
        _refuse_links(hive, path)
    return tuple(WantedKey(model.hive, path, model.delete, model.values) for path in paths)


def _refuse_links(hive: Hive, path: str) -> None:
    """Raise UsageError where a key on the way is a symbolic link: what is meant lies where it leads."""
    key: Key | None = hive.root
    for name in path.split("\\") if path else ():
        key = None if key is None else key.key(name)
        if key is None:
            return
        if key.node().flags & KEY_SYM_LINK:
            value = key.value("SymbolicLinkValue")
            target = "" if value is None else value.data.decode("utf-16-le", "replace")
            raise UsageError(
                f"this key is a symbolic link to {target or 'another one'}",
                where=f"{hive.name}: {key.path}",
                advice="Name the key that it leads to",
            )


def _has(key: Key | None, value: str | None) -> bool:
    return key is not None and (value is None or key.value(value) is not None)
