"""The machines that are measured, built with outside tools and kept in a folder for the next time."""

import os
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from tests.machines.build import build
from tests.machines.formats import ImageForm, convert
from tests.machines.tools import run
from tests.machines.windows2003 import donor, server1

from benchmarks.fill import fill

SYSTEM_MIB = 100
_LARGEST_MIB = 2 * 1024 * 1024 - SYSTEM_MIB - 16
"""The Windows volume of the largest disk that an MBR can describe: 2 TiB less the system partition and alignment."""


class Case(Struct, frozen=True):
    """One machine: what the table calls it, its disk and the donor's, ready to be checked."""

    name: str
    form: ImageForm
    folder: Path
    image: Path
    donor: Path

    def restore(self) -> None:
        """Put pristine sparse copies of the disks into the case's folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for copy in (self.image, self.donor):
            run("cp", "--sparse=always", "--reflink=auto", _pristine(self.folder, copy), copy)


class _Size(Struct, frozen=True):
    name: str
    windows_mib: int
    full: bool = False
    hive: Path | None = None


_SIZES = (
    _Size("2 GB", 2000),
    _Size("200 GB", 200_000),
    _Size("2 TB nearly full", _LARGEST_MIB, full=True),
)
_FORMS = (ImageForm.RAW, ImageForm.MONOLITHIC_SPARSE)


def cases(folder: Path, hives: Sequence[Path]) -> list[Case]:
    """All cases, smallest first; what an earlier call built in ``folder`` is used again.

    Each of ``hives`` is a real SYSTEM hive, which takes the place of the made one in one more machine of 2 GB.
    """
    real = [_Size(f"2 GB, real hive of {each.stat().st_size / 1e6:.0f} MB", 2000, hive=each) for each in hives]
    return [_case(size, form, folder) for size in (*_SIZES, *real) for form in _FORMS]


def _case(size: _Size, form: ImageForm, folder: Path) -> Case:
    hive = "" if size.hive is None else f"-{zlib.crc32(size.hive.read_bytes()):08x}"
    made = folder / "made" / f"{size.windows_mib}{hive}-{form.name.lower()}"
    if not made.exists():
        unfinished = made.with_name(f"{made.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        _build(size, form, folder, unfinished)
        unfinished.rename(made)
    server, other = (next(made.glob(f"{name}.*")) for name in ("server1", "donor"))
    place = folder / "work" / made.name
    kind = "raw" if form is ImageForm.RAW else f"{form} VMDK"
    return Case(f"{size.name}, {kind}", form, place, place / server.name, place / other.name)


def _pristine(folder: Path, copy: Path) -> Path:
    return folder.parent.parent / "made" / folder.name / copy.name


def _build(size: _Size, form: ImageForm, folder: Path, target: Path) -> None:
    raw = folder / "raw"
    spec = server1(system_mib=SYSTEM_MIB, windows_mib=size.windows_mib, system_file=size.hive)
    machine = build(spec, raw, cache=folder / "cache")
    if size.full:
        span = machine.span(1)
        fill(machine.disk, span)
        _must_be_consistent(machine.disk, span)
    convert(machine.disk, form, target)
    convert(build(donor(windows_mib=2000), raw, cache=folder / "cache").disk, form, target)
    shutil.rmtree(raw)


def _must_be_consistent(disk: Path, span: tuple[int, int]) -> None:
    """Have ntfsresize count the volume's clusters; it wants the volume in a device or file of its own."""
    if os.geteuid() != 0:
        print("not root: ntfsresize is not asked whether the filled volume is consistent")
        return
    offset, length = span
    where = ("--offset", str(offset), "--sizelimit", str(length))
    device = run("losetup", "--find", "--show", "--read-only", *where, disk).decode().strip()
    try:
        run("ntfsresize", "-f", "-i", "--no-progress-bar", device)
    finally:
        run("losetup", "--detach", device)
