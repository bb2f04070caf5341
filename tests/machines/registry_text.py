"""The content of a hive, composed as .reg text for hivexregedit."""

from collections.abc import Mapping

from msgspec import Struct


class Expand(Struct, frozen=True):
    """REG_EXPAND_SZ."""

    text: str


class Multi(Struct, frozen=True):
    """REG_MULTI_SZ."""

    items: tuple[str, ...]


RegistryValue = int | str | bytes | Expand | Multi
Keys = Mapping[str, Mapping[str, RegistryValue]]


def reg_text(keys: Keys, *, version_line: bool = False, root: str = "") -> str:
    """The keys as .reg text in a fixed order, every parent named before its children.

    ``root`` goes before each path ("HKEY_LOCAL_MACHINE\\SYSTEM"); hivexregedit wants none.
    """
    paths: dict[str, str] = {}
    for path in keys:
        names = path.split("\\")
        for depth in range(1, len(names) + 1):
            parent = "\\".join(names[:depth])
            paths.setdefault(parent.lower(), parent)
    lines = ["Windows Registry Editor Version 5.00", ""] if version_line else []
    for path in sorted(paths.values(), key=lambda name: name.lower().split("\\")):
        lines.append(f"[{root}\\{path}]")
        lines += [f"{_name(name)}={_data(value)}" for name, value in keys.get(path, {}).items()]
        lines.append("")
    return "\n".join(lines)


def _name(name: str) -> str:
    return "@" if name == "" else '"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"'))


def _data(value: RegistryValue) -> str:
    match value:
        case int():
            return f"dword:{value:08x}"
        case str():
            return '"{}"'.format(value.replace("\\", "\\\\").replace('"', '\\"'))
        case bytes():
            return "hex:" + _hex(value)
        case Expand(text):
            return "hex(2):" + _hex((text + "\0").encode("utf-16-le"))
        case Multi(items):
            return "hex(7):" + _hex("".join(item + "\0" for item in (*items, "")).encode("utf-16-le"))


def _hex(data: bytes) -> str:
    return ",".join(f"{byte:02x}" for byte in data)
