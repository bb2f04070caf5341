"""Keys and values for people and for programs: what ``reg`` prints."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from bootgraft.changes import CreateKey, DeleteKey, DeleteValue, RegistryChange, SetValue
from bootgraft.registry.hive import Key
from bootgraft.registry.regfile import format_key, format_value
from bootgraft.registry.values import Value, ValueType
from bootgraft.report.documents.registry import KeyDocument, ValueDocument
from bootgraft.report.layout.lines import LineRole, PrintedLine, Tone

_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_TONES = {"-": Tone.BAD, "+": Tone.GOOD}


def key_document(key: Key, name: str) -> KeyDocument:
    """A key that is called ``name`` in full."""
    return KeyDocument(
        key=name,
        last_written=time_text(key.last_written),
        class_name=key.class_name(),
        values=tuple(map(value_document, key.values())),
        subkeys=tuple(child.name for child in key.keys()),  # noqa: SIM118  a registry key, no dict
    )


def value_document(value: Value) -> ValueDocument:
    """A value with what it means."""
    return ValueDocument(
        name=value.name,
        type=int(value.type),
        type_name=type_name(value.type),
        data=value.data,
        value=_meaning(value),
    )


def key_lines(key: Key, name: str, *, subkeys: bool) -> Iterator[str]:
    """A key as ``reg query`` of Windows prints it: its name, its values, then its sub-keys."""
    yield name
    yield from (value_line(value) for value in key.values())
    yield ""
    if subkeys:
        yield from (f"{name}\\{child.name}" for child in key.keys())  # noqa: SIM118


def value_line(value: Value) -> str:
    """``    Start    REG_DWORD    0x0``."""
    kind = type_name(value.type) or f"0x{value.type:x}"
    return f"    {value.name or '(Default)'}    {kind}    {data_text(value)}"


def data_text(value: Value) -> str:
    """A value's data in one line; bytes in hex where they are not what the type says."""
    meaning = _meaning(value)
    if isinstance(meaning, int):
        return f"0x{meaning:x}"
    if isinstance(meaning, tuple):
        return "\\0".join(meaning)
    return value.data.hex() if meaning is None else meaning


def type_name(number: int) -> str | None:
    """``REG_SZ``; None for a type without a name."""
    return ValueType(number).name if number in set(ValueType) else None


def time_text(filetime: int) -> str | None:
    """A FILETIME as ISO 8601 in UTC; None for none, and for one beyond the year 9999."""
    try:
        return (_EPOCH + timedelta(microseconds=filetime // 10)).isoformat() if filetime else None
    except OverflowError:
        return None


def _meaning(value: Value) -> str | int | tuple[str, ...] | None:
    if value.type == ValueType.REG_QWORD:
        return int.from_bytes(value.data, "little") if len(value.data) == 8 else None
    multi = value.multi()
    if multi is not None:
        return tuple(multi)
    number = value.dword()
    return value.text() if number is None else number


def diff_lines(changes: Iterable[RegistryChange]) -> Iterator[PrintedLine]:
    """What changes in each hive: lines of .reg text, ``-`` before what goes and ``+`` before what comes."""
    return (PrintedLine(line, LineRole.CODE, _TONES.get(line[:1], Tone.PLAIN)) for line in _diff_lines(changes))


def _diff_lines(changes: Iterable[RegistryChange]) -> Iterator[str]:
    shown: tuple[object, str] = (None, "")
    for change in changes:
        if change.hive != shown[0]:
            shown = (change.hive, "")
            yield f"--- {change.hive}"
        # The name under which a running Windows mounts the hive: what `reg import` and people expect.
        path = f"HKEY_LOCAL_MACHINE\\{change.hive.path.rpartition(chr(92))[2].upper()}\\{change.key}"
        match change:
            case CreateKey():
                shown = (change.hive, change.key)
                yield f"+{format_key(path)}"
            case DeleteKey():
                yield f"-{format_key(path)}   and all that is below it"
            case SetValue() | DeleteValue():
                if change.key != shown[1]:
                    shown = (change.hive, change.key)
                    yield f" {format_key(path)}"
                yield from _value_diff(change)


def _value_diff(change: SetValue | DeleteValue) -> Iterator[str]:
    if change.before is not None:
        yield from _marked("-", format_value(change.name, change.before.type, change.before.data))
    if isinstance(change, SetValue):
        yield from _marked("+", format_value(change.name, change.value.type, change.value.data))


def _marked(mark: str, text: str) -> Iterator[str]:
    return (mark + line for line in text.split("\n"))
