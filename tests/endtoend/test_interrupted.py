"""Killed in the middle: the next command says so and names what ends it; and undo only what nobody has used since."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.endtoend.processes import kill_at, steps, writes_of
from tests.endtoend.refusals import TARGET, Photograph, Run, digest, read_refusal, refused
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm
from tests.machines.spec import SECTOR
from tests.machines.tools import run

Convert = Callable[[Path, ImageForm], Path]
Words = tuple[str | Path, ...]
WINDOWS = 1
FORMATS = {ImageForm.RAW: "raw", ImageForm.MONOLITHIC_SPARSE: "vmdk", ImageForm.QCOW2: "qcow2"}


class Image:
    """A copy of the dead server in some format, and how it was in the beginning."""

    def __init__(self, path: Path, driver: str) -> None:
        self.path = path
        self.driver = driver
        self.original = path.with_suffix(".original")
        run("cp", "--sparse=always", path, self.original)

    def begin_again(self) -> None:
        """Put it back, and remove what lies beside it."""
        for other in self.path.parent.iterdir():
            if other not in (self.path, self.original):
                other.unlink()
        run("cp", "--sparse=always", self.original, self.path)

    def is_original(self) -> bool:
        """Whether it reads as in the beginning: byte for byte where it is raw, else what the guest sees."""
        if self.driver == "raw":
            return digest(self.path) == digest(self.original)
        oracles.container_is_consistent(self.path, self.driver)
        said = run("qemu-img", "compare", "-f", self.driver, "-F", self.driver, self.path, self.original, expect=(0, 1))
        return b"identical" in said

    def journals(self) -> list[str]:
        """The names of the files that lie beside it."""
        return sorted(path.name for path in self.path.parent.iterdir() if path not in (self.path, self.original))


def _sample(names: list[str]) -> list[tuple[int, str]]:
    """Some steps of a repair, and in which state a kill before them leaves the machine."""
    published = names.index("rename")
    first, seal = writes_of(names)
    return [
        (published - 3, "untouched"),
        (published + 1, "not begun"),
        ((first + seal) // 2, "unfinished"),
        (seal, "unfinished"),
    ]


@pytest.fixture
def repair(donor: BuiltMachine) -> Callable[[Image], Words]:
    """A function that gives the command which repairs an image."""
    return lambda image: ("repair", image.path, *TARGET, "--drivers", donor.disk)


@pytest.mark.parametrize("form", FORMATS)
def test_a_repair_that_was_killed(
    form: ImageForm,
    server1: BuiltMachine,
    convert_image: Convert,
    repair: Callable[[Image], Words],
    bootgraft: Run,
) -> None:
    """It is reverted or finished, in turn, whatever step it was killed at."""
    image = Image(convert_image(server1.disk, form), FORMATS[form])
    for turn, (step, state) in enumerate(_sample(steps(*repair(image)))):
        image.begin_again()
        kill_at(step, *repair(image))
        if state == "untouched":
            assert image.is_original()
            assert [name.rpartition(".")[2] for name in image.journals()] == ["partial"]
            assert bootgraft("check", image.path, *TARGET).status == 1
            assert bootgraft(*repair(image)).status == 0
        else:
            if state == "not begun":
                _require_said(image, repair(image), bootgraft)
            else:
                _require_told(image, repair(image), bootgraft)
            finish: Words = ("repair", image.path, "--resume") if turn % 2 else ("undo", image.path)
            done = bootgraft(*finish, "--quiet")
            assert (done.status, done.stderr) == (0, ""), done
            if "--resume" not in finish:
                assert image.is_original()
                assert image.journals() == []
                continue
        assert bootgraft("check", image.path, *TARGET).status == 0
        oracles.container_is_consistent(image.path, image.driver)
        assert bootgraft("undo", image.path).status == 0
        assert image.is_original()
        assert image.journals() == []


def _require_told(image: Image, repair: Words, bootgraft: Run) -> None:
    """Check, inspect and repair say that a repair was interrupted, and what to type."""
    (journal,) = (image.path.with_name(name) for name in image.journals())
    refusal = refused(bootgraft, ("check", image.path, *TARGET), repair, watch=image.path.parent)
    assert refusal.where == str(journal)
    assert refusal.what == "a repair of this machine was interrupted, and its disks hold old and new content mixed"
    assert f"bootgraft undo {image.path}" in refusal.advice
    assert f"bootgraft repair {image.path} --resume" in refusal.advice


def _require_said(image: Image, repair: Words, bootgraft: Run) -> None:
    """Nothing was written yet: check says so and goes on, repair asks for an undo first."""
    told = bootgraft("check", image.path, *TARGET)
    assert told.status == 1
    assert "a repair of this disk was interrupted; the disk reads as before it" in told.stderr
    assert told.stderr.endswith(f"To forget that repair, run:\n    bootgraft undo {image.path}\n")
    refusal = refused(bootgraft, repair, watch=image.path.parent)
    assert f"bootgraft undo {image.path}" in refusal.advice


def test_an_undo_that_was_killed(server1: BuiltMachine, repair: Callable[[Image], Words], bootgraft: Run) -> None:
    image = Image(server1.disk, "raw")
    assert bootgraft(*repair(image)).status == 0
    kill_at(10, "undo", image.path)
    refusal = refused(bootgraft, ("check", image.path, *TARGET), repair(image), watch=image.path.parent)
    assert "an undo of this machine's repair was interrupted" in refusal.what
    assert refusal.advice.endswith(f"run:\n    bootgraft undo {image.path}")
    refused(bootgraft, ("repair", image.path, "--resume"), watch=image.path.parent)
    assert bootgraft("undo", image.path).status == 0
    assert image.is_original()
    assert image.journals() == []


# The virtual machine has run.


def _first_cluster(disk: Path, start: int, number: str) -> int:
    """Where a file's content begins, in bytes on the disk, by sleuthkit's istat."""
    report = run("istat", "-o", str(start // SECTOR), disk, number).decode()
    clusters = re.search(r"Type: \$DATA [^\n]*Non-Resident[^\n]*\n(\d+)", report)
    assert clusters is not None, report
    with disk.open("rb") as file:
        file.seek(start)
        bytes_per_sector, sectors_per_cluster = struct.unpack_from("<HB", file.read(SECTOR), 11)
    return start + int(clusters[1]) * int(bytes_per_sector) * int(sectors_per_cluster)


def _places(machine: BuiltMachine) -> dict[str, int]:
    """Two places that Windows writes whenever it runs: the hive's base block, the second restart page of $LogFile."""
    start, _ = machine.span(WINDOWS)
    path = "/WINDOWS/system32/config/SYSTEM"
    hive = run("ifind", "-o", str(start // SECTOR), "-n", path, machine.disk).decode().split("-")[0].strip()
    return {
        "base block": _first_cluster(machine.disk, start, hive) + 4,
        "log": _first_cluster(machine.disk, start, "2") + 4096 + 0x20,
    }


@pytest.mark.parametrize("form", [ImageForm.RAW, ImageForm.MONOLITHIC_SPARSE])
def test_a_machine_that_has_run_since_is_not_undone(
    form: ImageForm,
    server1: BuiltMachine,
    convert_image: Convert,
    repair: Callable[[Image], Words],
    bootgraft: Run,
) -> None:
    places = _places(server1)
    image = Image(convert_image(server1.disk, form), FORMATS[form])
    for place in places.values():
        image.begin_again()
        assert bootgraft(*repair(image)).status == 0
        run("qemu-io", "-f", image.driver, "-c", f"write -q -P 0x5a {place} 2", image.path)
        refusal = refused(bootgraft, ("undo", image.path), watch=image.path.parent)
        assert re.search(r"has run.*since the repair", refusal.what), refusal.what
        assert "would destroy its volume" in refusal.what + refusal.advice


def test_an_interrupted_repair_of_a_machine_that_has_run(
    server1: BuiltMachine, repair: Callable[[Image], Words], bootgraft: Run
) -> None:
    image = Image(server1.disk, "raw")
    place = _places(server1)["log"]
    names = steps(*repair(image))
    image.begin_again()
    kill_at(writes_of(names)[1], *repair(image))
    run("qemu-io", "-f", "raw", "-c", f"write -q -P 0x5a {place} 2", image.path)
    for command in (("undo", image.path), ("repair", image.path, "--resume")):
        assert "has run" in refused(bootgraft, command, watch=image.path.parent).what


# In order.


def test_undo_twice(server1: BuiltMachine, repair: Callable[[Image], Words], bootgraft: Run) -> None:
    image = Image(server1.disk, "raw")
    assert bootgraft(*repair(image)).status == 0
    again = bootgraft("repair", image.path, "--resume")
    assert (again.status, again.stdout) == (0, "Nothing to do: the repair was finished already.\n")
    assert bootgraft("undo", image.path).status == 0
    refusal = refused(bootgraft, ("undo", image.path), ("repair", image.path, "--resume"), watch=image.path.parent)
    assert "nothing to undo" in refusal.advice
    assert image.is_original()


BUSLOGIC = """REGEDIT4

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\BusLogic]
"Type"=dword:00000001
"Start"=dword:00000000
"ErrorControl"=dword:00000001
"Group"="SCSI miniport"
"ImagePath"=hex(2):73,79,73,74,65,6d,33,32,5c,64,72,69,76,65,72,73,5c,62,75,73,6c,6f,67,69,63,2e,73,79,73,00

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\CriticalDeviceDatabase\\pci#ven_104b&dev_1040]
"ClassGUID"="{4D36E97B-E325-11CE-BFC1-08002BE10318}"
"Service"="BusLogic"
"""


def test_repairs_on_one_another_are_undone_newest_first(
    tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, repair: Callable[[Image], Words], bootgraft: Run
) -> None:
    reg, sys = tmp_path / "buslogic.reg", tmp_path / "buslogic.sys"
    reg.write_text(BUSLOGIC.replace("\n", "\r\n"))
    sys.write_bytes(oracles.read_file(donor.disk, donor.span(WINDOWS), r"\WINNT\system32\drivers\symmpi.sys"))
    image = Image(server1.disk, "raw")
    assert bootgraft(*repair(image)).status == 0
    middle = digest(image.path)
    second = ("repair", image.path, "--target", "vmware:buslogic", "--reg", reg, "--file", sys)
    assert bootgraft(*second).status == 0
    assert [name.split(".")[-2] for name in image.journals()] == ["bootgraft-1", "bootgraft-2"]
    for target in ("vmware:lsilogic", "vmware:buslogic"):
        assert bootgraft("check", image.path, "--target", target).status == 0
    assert bootgraft("undo", image.path).status == 0
    assert digest(image.path) == middle
    assert bootgraft("undo", image.path).status == 0
    assert image.is_original()
    assert image.journals() == []


def test_an_older_repair_is_not_undone_first(
    tmp_path: Path, server1: BuiltMachine, repair: Callable[[Image], Words], bootgraft: Run
) -> None:
    """Its journal is moved away and named: the later one beside the disk comes first."""
    image = Image(server1.disk, "raw")
    assert bootgraft(*repair(image), "--journal", tmp_path / "first.journal").status == 0
    before = Photograph.of(image.path.parent)
    again = bootgraft(*repair(image))
    assert (again.status, again.stdout.split("\n")[0]) == (0, "Nothing to do: nothing was changed.")
    assert before.differences(Photograph.of(image.path.parent)) == []
    told = read_refusal(bootgraft(*repair(image), "--journal", tmp_path / "first.journal", "--quiet"))
    assert "first.journal" in told.what
    assert bootgraft("undo", image.path).status == 0
    assert image.is_original()
