"""What a repair is committed to: one image of each format, or a machine of two disks with its description.

The machine has its journal in a folder of its own, so that pointers lead to it, and its description is edited: all of
the names that change in a transaction change there.
"""

import subprocess
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from tests.storage.containers import AFTER, BEFORE, FORMATS, Container
from tests.storage.journal.test_editedfile import NEW, OLD

from benchmarks.powerloss.operations import Files

MACHINE = "machine"
_ON_ANOTHER = {
    "vmdk-on-another": ("vmdk",),
    "qcow2-on-another": ("qcow2", "-o", "cluster_size=2M"),
}
"""Images of one sector over their parents: the driver, and options of qemu-img create."""
_ERRORS = 2
"""What qemu-img check ends with where an image is damaged; 3 are clusters that nobody uses."""


class NoWayError(Exception):
    """A state from which the commands do not lead where they say."""


class Side(StrEnum):
    """Before the repair, or after it."""

    BEFORE = "before"
    AFTER = "after"


class Subject(Protocol):
    """What is repaired.

    ``folder`` holds all files, ``locations`` are ``disks`` and description, ``words`` the same as they are typed.
    """

    folder: Path
    disks: Sequence[str]
    locations: Sequence[str]
    words: Sequence[str]

    def committing(self) -> Sequence[str]:
        """The program that commits the changes."""

    def expect(self, side: Side, why: str) -> None:
        """Raise NoWayError where a disk is not as on this side, or damaged."""


class OneImage:
    """An image of one format, with its journal beside it."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.folder = container.folder
        self.disks: Sequence[str] = [container.location]
        self.locations: Sequence[str] = self.disks
        self.words: Sequence[str] = self.disks

    def committing(self) -> Sequence[str]:
        """One disk, and nothing else."""
        return [sys.executable, "-m", "benchmarks.powerloss.committing", *self.locations]

    def expect(self, side: Side, why: str) -> None:
        """Compare what the guest sees, and have qemu-img look at the container."""
        content, found = {Side.BEFORE: BEFORE, Side.AFTER: AFTER}[side], self.container.content()
        if found != content:
            at = next(at for at in range(0, len(content), 512) if found[at : at + 512] != content[at : at + 512])
            raise NoWayError(f"{why}, and byte {at} of {self.container.image.name} is not as {side} the repair")
        self._check()

    def _check(self) -> None:
        """qemu-img check knows neither raw nor VHD: a VHD must at least end with its footer."""
        container = self.container
        if container.driver == "vpc":
            if not container.image.read_bytes()[-512:].startswith(b"conectix"):
                raise NoWayError("the VHD has no footer")
        elif container.driver != "raw":
            command = ["qemu-img", "check", "-f", container.driver, str(container.image)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == _ERRORS:
                raise NoWayError(f"qemu-img check: {done.stdout}{done.stderr}")
        if container.preserved() != container.descriptors:
            raise NoWayError("the descriptor is another: a child disk would no longer open")


class DescribedMachine:
    """A raw disk and a sparse VMDK in folders of their own, a description, and a folder for the journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._images = [OneImage(Container(folder / kind, kind)) for kind in ("raw", "vmdk-sparse")]
        (folder / "source.raw").unlink()
        self._description = folder / "server1.vmx"
        self._description.write_bytes(OLD)
        self._journal = folder / "journals" / "the journal"
        self._journal.parent.mkdir()
        self.disks: Sequence[str] = [location for image in self._images for location in image.locations]
        self.locations: Sequence[str] = [*self.disks, str(self._description)]
        self.words: Sequence[str] = [*self.disks, "--vm", str(self._description)]

    def committing(self) -> Sequence[str]:
        """Both disks and the description under one journal."""
        return [sys.executable, "-m", "benchmarks.powerloss.committing", *self.locations, str(self._journal)]

    def expect(self, side: Side, why: str) -> None:
        """Compare disks and description."""
        for image in self._images:
            image.expect(side, why)
        (self.folder / "out.raw").unlink()
        if self._description.read_bytes() != {Side.BEFORE: OLD, Side.AFTER: NEW}[side]:
            raise NoWayError(f"{why}, and the description is not as {side} the repair")


SUBJECTS = (*FORMATS, *_ON_ANOTHER, MACHINE)


def make_subject(kind: str, folder: Path) -> Subject:
    """Make one of SUBJECTS in a folder that is not there yet."""
    if kind == MACHINE:
        return DescribedMachine(folder)
    if kind in _ON_ANOTHER:
        return OneImage(Container.built_on_another(folder, *_ON_ANOTHER[kind]))
    return OneImage(Container(folder, kind))


def files_of(subject: Subject) -> dict[Path, bytes]:
    """All files in the subject's folder."""
    return {path: path.read_bytes() for path in subject.folder.rglob("*") if path.is_file()}


def restore(subject: Subject, files: Files) -> None:
    """Leave these files there, and no others."""
    for path in files_of(subject):
        path.unlink()
    for path, data in files.items():
        path.write_bytes(data)
