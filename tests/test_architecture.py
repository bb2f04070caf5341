"""The house rules that a machine can hold: imports go one way, modules stay small, no name twice, one broad except."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "bootgraft"
LAYERS = (
    "version",
    "errors",
    "jsontext",
    "events",
    "changes",
    "text",
    "sharedlibrary",
    "explain",
    "confinement",
    "storage",
    "filesystems",
    "registry",
    "machine",
    "windows",
    "boot",
    "targets",
    "drivers",
    "checks",
    "repair",
    "kit",
    "report",
    "worker",
    "cli",
    "api",
)
"""From left to right: nothing imports from its right."""
STORAGE_WINGS = ("usage", "devices", "disks", "images", "journal")
"""Likewise; what lies in none of them is below them all."""
MODULES_IN_A_FOLDER = 20
GENERATED = {"_libntfs.py", "_libnbd.py", "_libarchive.py", "_libwim.py", "_libc.py"}
POSSESSIVE = re.compile(r"\)([*+?]|\{[0-9,]+\})\+|\(\?>")
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name not in GENERATED)


@cache
def _nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


def _layer(module: str) -> str | None:
    names = module.split(".")
    return names[1] if names[0] == "bootgraft" and len(names) > 1 else None


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in _nodes(path):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                yield node.lineno, f"{node.module}.{name.name}"
        elif isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name


def test_nothing_imports_from_its_right() -> None:
    wrong = [
        f"{path}:{line} imports {module}"
        for path in MODULES
        if (own := path.relative_to(PACKAGE).with_suffix("").parts[0]) != "__init__"
        for line, module in _imports(path)
        if (layer := _layer(module)) in LAYERS and LAYERS.index(layer) > LAYERS.index(own)
    ]
    assert wrong == []


def _wing(module: str) -> int:
    """The place of a module of storage among its wings, from 1; 0 for what they all stand on."""
    wing = module.split(".")[2] if module.count(".") > 1 else ""
    return STORAGE_WINGS.index(wing) + 1 if wing in STORAGE_WINGS else 0


def test_no_wing_of_storage_imports_from_its_right() -> None:
    wrong = []
    for path in (path for path in MODULES if path.is_relative_to(PACKAGE / "storage")):
        own = _wing(_module_name(path))
        for line, module in _imports(path):
            if module.startswith("bootgraft.storage.") and _wing(module) > own:
                wrong.append(f"{path}:{line} imports {module}")
    assert not wrong


def _module_name(path: Path) -> str:
    parts = ("bootgraft", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not even for types, and not inside functions."""
    known = {_module_name(path): path for path in MODULES}
    graph = {
        name: {each if each in known else each.rpartition(".")[0] for _, each in _imports(path)} & known.keys() - {name}
        for name, path in known.items()
    }
    left = dict(graph)
    while leaves := [name for name, imported in left.items() if not imported & left.keys()]:
        for name in leaves:
            del left[name]
    assert not left, f"in circles, or above one: {sorted(left)}"


def test_every_part_of_the_package_has_its_place() -> None:
    parts = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in MODULES} - {"__init__"}
    assert parts == set(LAYERS)


def test_no_folder_is_a_hall() -> None:
    modules = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    assert [f"{folder}: {number}" for folder, number in modules.items() if number > MODULES_IN_A_FOLDER] == []


def test_every_wing_says_what_it_is() -> None:
    silent = [
        path for path in MODULES if path.name == "__init__.py" and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_modules_stay_rooms_one_can_live_in() -> None:
    assert [str(path) for path in MODULES if len(path.read_text().splitlines()) > 600] == []


def _handlers(path: Path) -> Iterator[str]:
    for node in _nodes(path):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            if caught in ("everything", "Exception") or (caught == "BaseException" and not _raises_again(node)):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}"


def _raises_again(node: ast.ExceptHandler) -> bool:
    return isinstance(node.body[-1], ast.Raise)


def test_one_broad_except_at_the_boundary() -> None:
    found = [place for path in MODULES for place in _handlers(path)]
    assert [place.partition(":")[0] for place in found] == ["worker/child.py"]


def test_library_code_neither_prints_nor_exits() -> None:
    for path in MODULES:
        if path.relative_to(PACKAGE).parts[0] in ("cli",) or path.name == "child.py":
            continue
        for node in _nodes(path):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("print", "sys.exit", "exit"), f"{path}:{node.lineno}"


def test_no_pattern_repeats_a_group_possessively() -> None:
    """Before Python 3.11.5 such a repetition keeps what a failed one had matched (CPython's issue 106052)."""
    found = [
        f"{path}:{node.lineno}"
        for path in MODULES
        for node in _nodes(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and POSSESSIVE.search(node.value)
    ]
    assert found == []


def test_no_public_class_is_called_as_another_one() -> None:
    seen: dict[str, Path] = {}
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                assert node.name not in seen, f"{node.name} is in {seen[node.name]} and in {path}"
                seen[node.name] = path


def test_values_are_structs() -> None:
    """A dataclass is generated as text and compiled whenever its module is imported: ten times a Struct's cost."""
    found = {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        for _, module in _imports(path)
        if module.partition(".")[0] == "dataclasses"
    }
    assert not found
