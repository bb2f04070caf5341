"""Driver sources of many packages: one drives the new controller, the others are for other devices of other vendors."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.drivers.inf.infs import GOOD, driver
from tests.machines.tools import run

_MODELS = 24
"""Devices in an INF; with their descriptions that makes some 5 KB of text, as vendors' INFs have."""
_FITTING = "PCI\\VEN_1AF4&DEV_1001"


def make_source(packages: int, container: str, path: Path, cache: Path) -> None:
    """Write a source of so many packages: an "ISO" or a "ZIP" file, or a "folder"."""
    folder = path.with_name(f"{path.name}.folder")
    shutil.rmtree(folder, ignore_errors=True)
    for number in range(packages - 1):
        _write(folder / f"vendor{number % 40:02}" / f"device{number:04}" / "x86", f"dev{number:04}", _other(number))
    fitting = folder / "viostor" / "2k3" / "x86"
    _write(fitting, "vdisk", GOOD, driver(cache))
    _CONTAINERS[container](folder, path)
    shutil.rmtree(folder, ignore_errors=True)


def _write(folder: Path, name: str, text: str, binary: bytes = b"MZ stands for a driver" * 100) -> None:
    folder.mkdir(parents=True)
    (folder / f"{name}.inf").write_text(text.replace("\n", "\r\n"), encoding="ascii")
    (folder / f"{name}.sys").write_bytes(binary)


def _other(number: int) -> str:
    """An INF for devices that the machine does not have; every fourth writes its ids as %strings%."""
    vendor = 0x1B00 + number % 900
    ids = [f"PCI\\VEN_{vendor:04X}&DEV_{device:04X}" for device in range(number, number + _MODELS)]
    written = ids
    strings = [f'Name{index} = "Storage controller of series {number}, model {index}"' for index in range(_MODELS)]
    if number % 4 == 0:
        written = [f"%Id{index}%" for index in range(_MODELS)]
        strings += [f'Id{index} = "{each}"' for index, each in enumerate(ids)]
    models = "\n".join(f"%Name{index}% = Install, {each}" for index, each in enumerate(written))
    head, _, rest = GOOD.partition("[Models.NTx86]")
    _, _, tail = rest.partition("[Install]")
    text = f"{head}[Models.NTx86]\n{models}\n\n[Models.NTamd64]\n{models}\n\n[Install]{tail}" + "\n".join(strings)
    return text.replace("vdisk.sys", f"dev{number:04}.sys").replace(_FITTING, ids[0]) + "\n"


def _iso(folder: Path, path: Path) -> None:
    run("genisoimage", "-quiet", "-J", "-r", "-V", "DRIVERS", "-o", path, ".", cwd=folder)


def _zip(folder: Path, path: Path) -> None:
    run("zip", "-q", "-r", path, ".", cwd=folder)


def _folder(folder: Path, path: Path) -> None:
    folder.rename(path)


_CONTAINERS: dict[str, Callable[[Path, Path], None]] = {"ISO": _iso, "ZIP": _zip, "folder": _folder}
