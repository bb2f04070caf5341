"""The machines and hive files that are measured, built with outside tools and kept in a folder for the next time."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from msgspec import Struct
from tests.drivers.inf.infs import driver
from tests.endtoend.test_real_hives import WINDOWS_7, XP, real_machine
from tests.machines.build import build, content
from tests.machines.formats import ImageForm, convert
from tests.machines.spec import File, MachineSpec
from tests.machines.tools import run
from tests.machines.windows2003 import donor, server1

from benchmarks.fill import fill
from benchmarks.hivefill import fill_hive
from benchmarks.packages import make_source
from benchmarks.subjects import Subject

SYSTEM_MIB = 100
WINDOWS_MIB = 2000
_LARGEST_MIB = 2 * 1024 * 1024 - SYSTEM_MIB - 16
"""The Windows volume of the largest disk that an MBR can describe: 2 TiB less the system partition and alignment."""
_SIZES = {2: WINDOWS_MIB, 200: 200_000, 2000: _LARGEST_MIB}
_FORMS = {each.value: each for each in ImageForm}
_REAL_HIVES = {
    4: ("xp-sp3-x86-vmware-buslogic-vmscsi", {**XP, "windows_mib": WINDOWS_MIB}),
    16: ("win7-sp1-x86-vmware-lsisas", {"release": WINDOWS_7, "windows_mib": WINDOWS_MIB}),
}
"""MB: the real hive among the shared test data, and the machine that it stands in."""
_SOURCES = Path(__file__).parents[1]
_TESTDATA = _SOURCES.parent / "shared" / "testdata"
SIZES = [Subject(disk_gb=size, full=size == 2000, form=form) for size in _SIZES for form in ("raw", "monolithicSparse")]
FORMATS = [Subject(disk_gb=2, form=form) for form in ("QCOW2", "VHDX", "VHD dynamic", "VDI")]
HIVES = [
    Subject(disk_gb=2, hive_mb=4),
    Subject(disk_gb=2, hive_mb=16),
    Subject(disk_gb=2, hive_mb=90, hive_is_made=True),
]
PACKAGES = [
    Subject(disk_gb=2, packages=count, container=container) for container in ("ISO", "ZIP") for count in (10, 500, 3000)
]
LATENCIES = [Subject(disk_gb=2, latency_ms=latency) for latency in (0, 5)]
HIVE_FILES = [Subject(hive_mb=4), Subject(hive_mb=16), Subject(hive_mb=90, hive_is_made=True)]
ALL = [*SIZES, *FORMATS, *HIVES, *PACKAGES, *LATENCIES, *HIVE_FILES]


class Case(Struct, frozen=True):
    """A subject on disk: the image or hive file to work on, and the donor's disk or the source of packages."""

    subject: Subject
    pristine: Path
    image: Path
    source: Path | None

    @property
    def folder(self) -> Path:
        """What lies in it is this case's alone."""
        return self.image.parent

    def restore(self) -> None:
        """Put a pristine sparse copy of the image into the case's folder, and remove all else that lies there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        run("cp", "--sparse=always", "--reflink=auto", self.pristine, self.image)


def is_available(subject: Subject) -> bool:
    """Whether it can be built here: the real hives are nobody's to publish."""
    return not subject.hive_mb or subject.hive_is_made or _real_hive(subject).exists()


def prepare(subject: Subject, folder: Path, whose: str) -> Case:
    """Build the subject, or use what an earlier call built of the same sources, and copy it for one program."""
    known = hashlib.sha256(repr(subject).encode()).hexdigest()[:16]
    made = _of_these_sources(folder / "made") / known
    if not made.exists():
        unfinished = made.with_name(f"{known}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _build(subject, folder, unfinished)
        unfinished.rename(made)
    image, *source = sorted(made.iterdir(), key=lambda path: not path.name.startswith("subject"))
    case = Case(subject, image, folder / whose / known / image.name, source[0] if source else None)
    case.restore()
    return case


@cache
def _of_these_sources(folder: Path) -> Path:
    """Where builds of the present sources lie; those of others are removed."""
    paths = [*_SOURCES.glob("tests/machines/*.py"), *Path(__file__).parent.glob("*fill.py")]
    paths += [Path(__file__), Path(__file__).with_name("packages.py"), _SOURCES / "tests/drivers/inf/infs.py"]
    text = b"".join(path.read_bytes() for path in sorted(paths))
    current = folder / hashlib.sha256(text).hexdigest()[:16]
    current.mkdir(parents=True, exist_ok=True)
    for other in folder.iterdir():
        if other != current:
            shutil.rmtree(other)
    return current


def _real_hive(subject: Subject) -> Path:
    name, _ = _REAL_HIVES[subject.hive_mb]
    return _TESTDATA / "hives-system" / name / "SYSTEM"


def _build(subject: Subject, folder: Path, target: Path) -> None:
    kept = folder / "cache"
    if not subject.disk_gb:
        _copy_hive(subject, kept, target / "subject.hive")
        return
    raw = folder / "raw"
    machine = build(_spec(subject, folder), raw, cache=kept)
    disk = machine.disk.rename(raw / "subject.raw")
    if subject.full:
        span = machine.span(1)
        fill(disk, span)
        _must_be_consistent(disk, span)
    convert(disk, _FORMS[subject.form], target)
    if subject.packages:
        make_source(subject.packages, subject.container, target / f"drivers.{subject.container.lower()}", kept)
    elif subject.hive_mb == 16:
        make_source(10, "folder", target / "drivers", kept)
    else:
        convert(build(donor(windows_mib=WINDOWS_MIB), raw, cache=kept).disk, ImageForm.RAW, target)
    shutil.rmtree(raw)


def _spec(subject: Subject, folder: Path) -> MachineSpec:
    kept = folder / "cache"
    if subject.hive_mb and not subject.hive_is_made:
        name, variant = _REAL_HIVES[subject.hive_mb]
        return real_machine(_TESTDATA, name, system_mib=SYSTEM_MIB, extra=_shell(kept), **variant)
    variant = {"system_mib": SYSTEM_MIB, "windows_mib": _SIZES[subject.disk_gb], "extra": _shell(kept)}
    if subject.hive_mb:
        hive = folder / "large.hive"
        _copy_hive(subject, kept, hive)
        variant["system_file"] = hive
    return server1(**variant)


def _shell(kept: Path) -> tuple[File, ...]:
    """By this file libguestfs knows a Windows, and its architecture."""
    return (File(r"\WINDOWS\system32\cmd.exe", driver(kept)),)


def _copy_hive(subject: Subject, kept: Path, path: Path) -> None:
    if not subject.hive_is_made:
        shutil.copyfile(_real_hive(subject), path)
        return
    (disk,) = server1().disks
    path.write_bytes(next(_systems(disk.partitions[1].volume.files, kept)))  # type: ignore[union-attr]
    fill_hive(path, subject.hive_mb * 1_000_000)


def _systems(files: tuple[File, ...], kept: Path) -> Iterator[bytes]:
    return (content(file, kept) for file in files if file.path.lower().endswith(r"\config\system"))


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
