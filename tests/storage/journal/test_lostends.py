"""A power loss between two flushes, over every container that grows: what reached the disk, and the way back."""

import random
import shutil
from pathlib import Path

import pytest
from tests.storage.containers import AFTER, BEFORE, GROWING, MIB, SIZE, Container

from bootgraft.cli.main import main
from bootgraft.errors import DamagedImageError
from bootgraft.events import silent
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.journalsearch import require_journal
from bootgraft.storage.journal.lostends import restore_ends
from bootgraft.storage.journal.undo import resume, undo

pytestmark = pytest.mark.skipif(
    shutil.which("qemu-nbd") is None or shutil.which("qemu-img") is None, reason="qemu-utils is not installed"
)

Files = dict[Path, bytes]


class Interrupted:
    """A container with an unfinished journal over it, and all its files before the repair and after it."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.before = self.container.files()
        with self.container.open() as image:
            self.container.commit(image)
        self.after = self.container.files()
        journal = require_journal([self.container.location]).path
        self.journal = self.after.pop(journal)
        self.journal = self.journal[:256] + bytes(64) + self.journal[320:]  # no longer sealed
        self.path = journal

    def leave(self, files: Files) -> None:
        """Leave the container as the power loss left it."""
        self.container.restore({**files, self.path: self.journal})
        assert require_journal([self.container.location]).state is JournalState.UNFINISHED

    def cut(self) -> Files:
        """What was overwritten has arrived, with the tables; nothing behind the old end."""
        return {path: data[: len(self.before[path])] for path, data in self.after.items()}

    def zeros(self) -> Files:
        """As ``cut``, and the file has its new length."""
        return {path: data[: len(self.before[path])].ljust(len(data), b"\0") for path, data in self.after.items()}

    def untold(self) -> Files:
        """All that was written behind the old end has arrived, and none of the tables that name it."""
        return {path: self.before[path] + data[len(self.before[path]) :] for path, data in self.after.items()}

    def mixed(self, seed: int) -> Files:
        """Of each sector what was there before or after, and any length in sectors (no write of qemu's ends in one)."""
        chance, mixed = random.Random(seed), {}
        for path, new in self.after.items():
            old = self.before[path].ljust(len(new), b"\0")
            sides = [chance.choice((old, new))[at : at + 512] for at in range(0, len(new), 512)]
            mixed[path] = b"".join(sides)[: chance.randrange(len(self.before[path]), len(new) + 1, 512)]
        return mixed


@pytest.mark.parametrize("kind", GROWING)
def test_every_state_has_a_way_back_and_a_way_on(tmp_path: Path, kind: str) -> None:
    machine = Interrupted(Container(tmp_path / "vm", kind))
    states = [(machine.cut(), undo), (machine.cut(), resume), (machine.zeros(), undo), (machine.untold(), resume)]
    if kind not in ("vhdx", "qcow2"):  # of these qemu brings the tables to the disk in their order
        states += [(machine.mixed(1), undo), (machine.mixed(2), resume)]
    for files, work in states:
        machine.leave(files)
        machine.container.recover(work)


@pytest.mark.parametrize(("driver", "options"), [("vmdk", ()), ("qcow2", ("-o", "cluster_size=2M"))])
def test_what_was_copied_from_the_parent_comes_back_too(tmp_path: Path, driver: str, options: tuple[str, ...]) -> None:
    """A new cluster of an image that is built on another has the parent's bytes around what was changed."""
    machine = Interrupted(Container.built_on_another(tmp_path / "vm", driver, *options))
    states = [(machine.cut(), undo), (machine.zeros(), resume)]
    if driver == "vmdk":
        states += [(machine.mixed(2), undo), (machine.mixed(2), resume)]
    for files, work in states:
        machine.leave(files)
        machine.container.recover(work)


@pytest.mark.parametrize("work", ["undo", "repair"])
def test_as_it_is_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str], work: str) -> None:
    machine = Interrupted(Container(tmp_path / "vm", "vmdk-sparse"))
    image = machine.container.location
    machine.leave(machine.cut())
    cut = machine.container.image.read_bytes()
    assert main(["check", image]) == 3
    assert main(["undo", image, "--dry-run"]) == 3
    assert machine.container.image.read_bytes() == cut
    said = capsys.readouterr().err
    assert "a repair of this machine was interrupted" in said
    assert "cannot be determined without writing" in said
    assert "opy" not in said
    assert main([work, image, *(["--resume"] if work == "repair" else []), "-v"]) == 0
    assert "lost its end: it is put back as zeros" in capsys.readouterr().err
    assert machine.container.content() == (BEFORE if work == "undo" else AFTER)


def test_what_was_there_before_the_repair_is_not_made_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = Interrupted(Container(tmp_path / "vm", "vmdk-sparse"))
    (image,) = machine.before
    machine.leave({image: machine.after[image][: len(machine.before[image]) - MIB]})
    cut = image.read_bytes()
    for command in (["undo", str(image)], ["repair", str(image), "--resume"]):
        assert main(command) == 3
        said = capsys.readouterr().err
        assert "more is lost than what the repair was writing" in said
        assert f"Do not copy it anew: a new copy would not fit its undo journal {machine.path}" in said
    assert image.read_bytes() == cut


def test_a_table_that_names_more_than_was_written_is_refused(tmp_path: Path) -> None:
    machine = Interrupted(Container(tmp_path / "vm", "vdi"))
    (image,) = machine.before
    files = machine.cut()
    last = files[image].rindex(b"\xff\xff\xff\xff", 0, MIB)  # the map of the blocks: the last is not in use
    files[image] = files[image][:last] + (SIZE // MIB - 1).to_bytes(4, "little") + files[image][last + 4 :]
    machine.leave(files)
    with pytest.raises(DamagedImageError, match="more is lost"):
        restore_ends(require_journal([str(image)]), [str(image)], monitor=silent)
    assert image.read_bytes() == files[image]


def test_a_vhd_that_is_too_long_loses_what_nothing_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = Interrupted(Container(tmp_path / "vm", "vhd-dynamic"))
    (image,) = machine.before
    machine.leave({image: machine.before[image][:-512] + bytes(5 * MIB)})  # two blocks and the footer never arrived
    assert main(["undo", str(image), "-v"]) == 0
    assert "ends in what no table names: it is cut off" in capsys.readouterr().err
    assert image.read_bytes()[-512:].startswith(b"conectix")
    assert machine.container.content() == BEFORE


def test_a_finished_repair_explains_no_lost_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    container = Container(tmp_path / "vm", "vhd-dynamic")
    with container.open() as image:
        container.commit(image)
    container.image.write_bytes(container.image.read_bytes()[:-MIB])
    cut = container.image.read_bytes()
    for command in ("undo", "check", "inspect"):
        assert main([command, container.location]) == 3
        said = capsys.readouterr().err
        assert "cut short" in said
        assert f"{container.location}.bootgraft-1.journal is of the repaired image: put that back" in said
        assert "opy the whole file again" not in said
    assert container.image.read_bytes() == cut


def test_an_older_journal_says_nothing_of_lengths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bootgraft.storage.journal import transaction

    monkeypatch.setattr(transaction, "_length", lambda _path: pytest.fail("asked"))
    monkeypatch.setattr(transaction, "is_behind_qemu", lambda _info: False)
    machine = Interrupted(Container(tmp_path / "vm", "vmdk-sparse"))
    journal = require_journal([machine.container.location])
    assert journal.path.read_bytes()[16] == 1
    assert [disk.lengths for disk in journal.head.disks] == [()]
    machine.leave(machine.after)
    machine.container.recover(undo)
