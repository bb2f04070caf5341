"""The command line of ``bootgraft reg``: its sub-commands, and the request that comes of them."""

import argparse
from collections.abc import Callable
from typing import Any

from bootgraft.errors import UsageError
from bootgraft.registry.values import ValueType, dword_data, multi_data, text_data
from bootgraft.worker.ipc.registry_request import RegistryAction, RegistryRequest

_KEY_HELP = r"HKLM\SYSTEM\..., HKLM\SOFTWARE\...; CurrentControlSet may stand for the control sets"
_NAMED_TYPES = {each.name: int(each) for each in ValueType}
_TEXTS = frozenset({ValueType.REG_SZ, ValueType.REG_EXPAND_SZ, ValueType.REG_LINK})

AddOptions = Callable[[argparse.ArgumentParser], None]


def add_sub_commands(
    parser: argparse.ArgumentParser,
    add_images: AddOptions,
    add_consent: AddOptions,
    kind: type[argparse.ArgumentParser],
) -> None:
    """Add the sub-commands to the parser of ``reg``.

    ``add_images`` adds what every command on images has, ``add_consent`` what every one has that writes to volumes.
    """
    commands = parser.add_subparsers(dest="action", metavar="SUBCOMMAND", required=True, parser_class=kind)

    def command(action: RegistryAction, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(action.value, help=text, description=text)
        add_images(made)
        made.add_argument("--windows", metavar="ID", help="another installation than the one that boots")
        made.add_argument("--hive", metavar="HIVE", help=r"SYSTEM, SOFTWARE, ..., or a path as \Users\x\NTUSER.DAT")
        return made

    query = command(RegistryAction.QUERY, "print a key, its values and sub-keys")
    query.add_argument("key", metavar="KEY", help=_KEY_HELP)
    query.add_argument("--recursive", action="store_true", help="and everything below it")
    _add_value(query, "print this value alone")
    export = command(RegistryAction.EXPORT, "write a key with everything below it as a .reg file")
    export.add_argument("key", metavar="KEY", help=_KEY_HELP)
    export.add_argument("--out", metavar="FILE", help="the file to write (default: standard output)")
    export.add_argument("--ansi", action="store_true", help="REGEDIT4, for Windows NT 4 and 98")
    merge = command(RegistryAction.IMPORT, "merge a .reg file")
    merge.add_argument("key", metavar="FILE.reg", help="the file; it may name any hives of the installation")
    _add_writing(merge)
    add_consent(merge)
    change = command(RegistryAction.SET, "create a key, or set a value of it")
    change.add_argument("key", metavar="KEY", help=_KEY_HELP)
    _add_value(change, "the value to set; without it the key alone is created")
    change.add_argument("--type", default="REG_SZ", metavar="TYPE", help="REG_SZ, REG_DWORD, ..., or a number")
    change.add_argument("--data", action="append", metavar="DATA", help="repeat it for the strings of a REG_MULTI_SZ")
    _add_writing(change)
    add_consent(change)
    delete = command(RegistryAction.DELETE, "delete a key with everything below it, or one value")
    delete.add_argument("key", metavar="KEY", help=_KEY_HELP)
    _add_value(delete, "delete this value alone")
    _add_writing(delete)
    add_consent(delete)
    recover = command(RegistryAction.RECOVER, "write what is pending in the logs of hives into them, as Windows would")
    _add_destination(recover)
    add_consent(recover)
    command(RegistryAction.VERIFY, "verify hives: what Windows would reject or lose")


def _add_value(parser: argparse.ArgumentParser, text: str) -> None:
    names = parser.add_mutually_exclusive_group()
    names.add_argument("--value", metavar="NAME", help=text)
    names.add_argument("--default-value", action="store_true", help="the same for the value without a name")


def _add_writing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--all-control-sets",
        action=argparse.BooleanOptionalAction,
        help="write every control set, also where one is named (default: every one where CurrentControlSet is named); "
        "--no-...: only the default one",
    )
    _add_destination(parser)


def _add_destination(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show the difference and prove it; write nothing")
    parser.add_argument("--overlay", metavar="OUT.qcow2", help="leave the image alone, write a qcow2 on top of it")


def take_request(given: dict[str, Any]) -> None:
    """Put the request that parsed arguments ask for into them, in place of what only it needs."""
    action = RegistryAction(given["action"])
    key = given.get("key", "")
    if action is RegistryAction.IMPORT:
        given["reg"] = [key]
        key = ""
    value = "" if given.get("default_value") else given.get("value")
    kind, data = 1, ""
    if action is RegistryAction.SET:
        kind, data = _value_of(given, value)
    given["registry"] = RegistryRequest(
        action,
        key,
        given.get("hive"),
        value,
        given.get("recursive", False),
        given.get("ansi", False),
        given["json"],
        kind,
        data,
        given.get("all_control_sets"),
    )


def _value_of(given: dict[str, Any], value: str | None) -> tuple[int, str]:
    """The type and, in hex, the bytes that ``set`` gives a value."""
    texts: list[str] = list(given["data"] or [])
    kind = _type_of(given["type"])
    if value is None and texts:
        raise UsageError("--data is given, but no value", where="--data", advice="Give --value NAME or --default-value")
    if len(texts) > 1 and kind != ValueType.REG_MULTI_SZ:
        raise UsageError("--data is given twice", where="--data", advice="Only REG_MULTI_SZ has several strings")
    try:
        return kind, _encode(kind, texts).hex()
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{texts[0]!r} is no data of this type",
            where="--data",
            advice="Numbers are decimal or 0x...; every other type takes hexadecimal bytes",
        ) from error


def _type_of(text: str) -> int:
    kind = _NAMED_TYPES.get(text.upper())
    if kind is None:
        try:
            kind = int(text, 0)
        except ValueError:
            kind = -1
    if not 0 <= kind <= 0xFFFFFFFF:
        raise UsageError(
            f"{text} is no type", where="--type", advice=f"Give one of {', '.join(_NAMED_TYPES)}, or a number"
        )
    return kind


def _encode(kind: int, texts: list[str]) -> bytes:
    if kind == ValueType.REG_MULTI_SZ:
        return multi_data(texts)
    text = texts[0] if texts else ""
    if kind in _TEXTS:
        return text_data(text)
    if kind == ValueType.REG_DWORD:
        return dword_data(int(text, 0))
    if kind == ValueType.REG_DWORD_BIG_ENDIAN:
        return int(text, 0).to_bytes(4, "big")
    if kind == ValueType.REG_QWORD:
        return int(text, 0).to_bytes(8, "little")
    return bytes.fromhex(text.replace(",", " "))
