"""``undo`` and ``repair --resume`` as they are typed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import CommandResult
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm, snapshot_child
from tests.machines.oracles import sha256
from tests.report.contract import faults

Command = Callable[..., CommandResult]
LSI = ("--target", "vmware:lsilogic")


@pytest.fixture
def repaired(bootgraft: Command, server1: BuiltMachine, donor: BuiltMachine) -> tuple[Path, str]:
    """A repaired image and what it was before."""
    before = sha256(server1.disk)
    assert bootgraft("repair", server1.disk, *LSI, "--drivers", donor.disk).status == 0
    assert sha256(server1.disk) != before
    return server1.disk, before


def test_undo_puts_every_byte_back(bootgraft: Command, repaired: tuple[Path, str]) -> None:
    image, before = repaired
    done = bootgraft("undo", image)
    assert done.status == 0
    assert done.stdout == f"Undone: 1 file and 32 registry changes; {image} is as it was before.\n"
    assert sha256(image) == before
    assert bootgraft("check", image, *LSI).status == 1


def test_undo_for_programs(bootgraft: Command, repaired: tuple[Path, str]) -> None:
    done = bootgraft("undo", repaired[0], "--json")
    assert done.status == 0
    assert faults(done.json, "undo") == []
    assert done.json["undone"] is True


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_dry_run_writes_nothing(bootgraft: Command, repaired: tuple[Path, str], more: tuple[str, ...]) -> None:
    image, _ = repaired
    now, files = sha256(image), {path.name for path in image.parent.iterdir()}
    done = bootgraft("undo", image, "--dry-run", *more)
    assert done.status == 0
    assert (sha256(image), {path.name for path in image.parent.iterdir()}) == (now, files)
    if more:
        assert faults(done.json, "undo") == []
        assert done.json["undone"] is False
    else:
        assert done.stdout.startswith("Dry run: 1 file and 32 registry changes can be reverted")


def test_nothing_to_undo(bootgraft: Command, server1: BuiltMachine) -> None:
    done = bootgraft("undo", server1.disk)
    assert done.status == 3
    assert str(server1.disk) in done.stderr


def test_nothing_to_undo_twice(bootgraft: Command, repaired: tuple[Path, str]) -> None:
    image, before = repaired
    assert bootgraft("undo", image).status == 0
    done = bootgraft("undo", image)
    assert done.status in (0, 3)
    assert sha256(image) == before


def test_a_machine_that_ran_since_is_left_alone(bootgraft: Command, repaired: tuple[Path, str]) -> None:
    image, _ = repaired
    data = bytearray(image.read_bytes())
    at = data.rindex(b"regf", 0, data.index(b"hbin", data.index(b"regf")))
    sequence = int.from_bytes(data[at + 4 : at + 8], "little") + 1
    for found in _base_blocks(data):  # as Windows leaves every hive that it had open
        data[found + 4 : found + 12] = sequence.to_bytes(4, "little") * 2
    image.write_bytes(data)
    now = sha256(image)
    done = bootgraft("undo", image)
    assert done.status == 3
    assert sha256(image) == now


def _base_blocks(data: bytearray) -> list[int]:
    found, at = [], data.find(b"regf")
    while at >= 0:
        if at % 512 == 0:
            found.append(at)
        at = data.find(b"regf", at + 1)
    return found


def test_a_repair_that_was_finished_has_nothing_to_resume(bootgraft: Command, repaired: tuple[Path, str]) -> None:
    image, _ = repaired
    now = sha256(image)
    done = bootgraft("repair", image, "--resume")
    assert done.status == 0
    assert done.stdout == "Nothing to do: the repair was finished already.\n"
    assert sha256(image) == now


def test_nothing_to_resume(bootgraft: Command, server1: BuiltMachine) -> None:
    assert bootgraft("repair", server1.disk, "--resume").status == 3


@pytest.mark.parametrize("command", [("undo",), ("undo", "--dry-run"), ("repair", "--resume", *LSI)])
def test_a_disk_with_a_snapshot_taken_since_is_left_alone(
    bootgraft: Command,
    server1: BuiltMachine,
    donor: BuiltMachine,
    convert_image: Callable[[Path, ImageForm], Path],
    command: tuple[str, ...],
) -> None:
    image = convert_image(server1.disk, ImageForm.MONOLITHIC_SPARSE)
    assert bootgraft("repair", image, *LSI, "--drivers", donor.disk).status == 0
    child = snapshot_child(image, image.parent)
    now = sha256(image)
    done = bootgraft(*command, image)
    assert done.status == 3
    assert f"{child} is built on it" in done.stderr
    assert sha256(image) == now
    child.unlink()
    assert bootgraft("undo", image).status == 0
