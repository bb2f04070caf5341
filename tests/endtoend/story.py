"""What the end-to-end tests share: the story's target, fingerprints of folders, and outside judges of a repair."""

import base64
import os
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from tests.conftest import CommandResult
from tests.machines import oracles
from tests.machines.bindings import SCSI_ADAPTER
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm
from tests.machines.tools import ToolError, run
from tests.machines.windows_hives import LSI_LOGIC_DEVICE

LSI_LOGIC = ("--target", "vmware:lsilogic")
LOADER, WINDOWS = 0, 1
"""The two partitions of the dead server; in the donor, WINDOWS is Windows' own too."""
_REG_DWORD = 4
_IMAGE_PATH = ("EXPAND_SZ", r"system32\DRIVERS\symmpi.sys")

Build = Callable[..., BuiltMachine]
Convert = Callable[[Path, ImageForm], Path]
Span = tuple[int, int]


class Bootgraft(Protocol):
    """The fixture that runs the command line."""

    def __call__(
        self, *arguments: str | Path, cwd: Path | None = None, environment: dict[str, str] | None = None
    ) -> CommandResult:
        """Run it to its end."""


def grafting(donor: BuiltMachine) -> tuple[str | Path, ...]:
    """The options that repair the dead server with this donor."""
    return (*LSI_LOGIC, "--drivers", donor.disk)


def hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file in a folder by its path there: equal ones mean that nothing came, went or changed."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): oracles.sha256(path) for path in files}


def findings(check: CommandResult) -> list[tuple[str, str]]:
    """The (severity, id) of each finding of ``check --json``, in order."""
    return [(each["severity"], each["id"]) for each in check.json["findings"]]


# Judges of a repaired disk. ``span`` is where the Windows volume lies in the raw disk.


def system_hive(raw: Path, span: Span, folder: Path, *, directory: str = "WINDOWS") -> Path:
    """The SYSTEM hive, taken off the volume by sleuthkit."""
    hive = folder / f"SYSTEM-{os.urandom(4).hex()}"
    hive.write_bytes(oracles.read_file(raw, span, rf"\{directory}\system32\config\SYSTEM"))
    return hive


def driver(machine: BuiltMachine, *, partition: int = WINDOWS, directory: str = "WINNT") -> bytes:
    """The content of symmpi.sys on a machine, by sleuthkit."""
    path = rf"\{directory}\system32\drivers\symmpi.sys"
    return oracles.read_file(machine.disk, machine.span(partition), path)


def key_values(hive: Path, key: str) -> dict[str, tuple[str, str]]:
    """The values of one key by reglookup: name → (type, text)."""
    path = "/" + key.replace("\\", "/")
    found = {}
    for line in oracles.reglookup(hive, path):
        name, kind, text, *_ = line.split(",")
        if kind != "KEY" and name.rpartition("/")[0] == path:
            found[name.rpartition("/")[2]] = (kind, text)
    return found


def require_grafted(hive: Path, control_sets: Iterable[int] = (1, 2)) -> None:
    """Assert by reglookup that every one of these control sets starts symmpi at boot and binds the controller to it."""
    for number in control_sets:
        prefix = f"ControlSet{number:03d}"
        service = key_values(hive, rf"{prefix}\Services\symmpi")
        assert service["Start"] == ("DWORD", "0x00000000")
        assert service["Type"] == ("DWORD", "0x00000001")
        assert service["Group"] == ("SZ", "SCSI miniport")
        # A boot driver without an ImagePath is looked for in the same place.
        kind, path = service.get("ImagePath", _IMAGE_PATH)
        assert (kind, path.casefold()) == (_IMAGE_PATH[0], _IMAGE_PATH[1].casefold())
        binding = key_values(hive, rf"{prefix}\Control\CriticalDeviceDatabase\{LSI_LOGIC_DEVICE}")
        assert binding == {"ClassGUID": ("SZ", SCSI_ADAPTER), "Service": ("SZ", "symmpi")}


def require_repaired(raw: Path, span: Span, donor: BuiltMachine, folder: Path) -> None:
    """Assert by outside tools that the raw disk of the dead server carries the whole graft on a sound volume."""
    oracles.ntfs_is_consistent(raw, span)
    assert oracles.read_file(raw, span, r"\WINDOWS\system32\drivers\symmpi.sys") == driver(donor)
    require_grafted(system_hive(raw, span, folder))


def applied(registry: oracles.Registry, changes: Iterable[dict[str, Any]], *, hive: str = "SYSTEM") -> oracles.Registry:
    """What an export of that hive shows once these changes (of ``repair --json``) were made, and nothing else."""
    after = {path: dict(values) for path, values in registry.items()}
    for change in changes:
        if not change.get("hive", hive).upper().endswith(hive):
            continue
        match change["kind"]:
            case "write-file" | "create-directory":
                continue
            case "create-key":
                names = change["key"].split("\\")
                for depth in range(1, len(names) + 1):
                    path = "\\".join(names[:depth])
                    if _spelling(after, path) is None:
                        after[path] = {}
            case "set-value":
                values = after[_spelling(after, change["key"]) or change["key"]]
                values[_spelling(values, change["name"]) or change["name"]] = _in_reg_notation(change["value"])
            case "delete-value":
                values = after[_spelling(after, change["key"]) or change["key"]]
                del values[_spelling(values, change["name"]) or change["name"]]
            case other:
                raise AssertionError(other)
    return after


def _spelling(names: Iterable[str], wanted: str) -> str | None:
    """The name as it is spelt there, if it is there at all; the registry does not know case."""
    return next((name for name in names if name.lower() == wanted.lower()), None)


def _in_reg_notation(value: dict[str, Any]) -> str:
    """A value of the JSON contract as hivexregedit writes it."""
    data = base64.b64decode(value["data"])
    if value["type"] == _REG_DWORD and len(data) == 4:
        return f"dword:{int.from_bytes(data, 'little'):08x}"
    return f"hex({value['type']}):" + ",".join(f"{byte:02x}" for byte in data)


@contextmanager
def loop_device(raw: Path) -> Any:
    """The raw image as a block device; skips the test where none can be had."""
    try:
        device = run("losetup", "--find", "--show", raw).decode().strip()
    except ToolError as error:
        pytest.skip(f"no loop device can be had here: {error}")
    try:
        yield Path(device)
    finally:
        run("losetup", "--detach", device)
