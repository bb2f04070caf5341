"""Mistakes that people make on the command line, each answered with the command that works when it is pasted."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import CommandResult
from tests.machines.build import build
from tests.machines.formats import ImageForm, convert
from tests.machines.windows2003 import donor, server1

from bootgraft.cli.main import _parser
from bootgraft.cli.mistakes import CHECKS, REPAIRS, WITH_VALUE
from bootgraft.cli.mistakes import advised as advised_by
from bootgraft.errors import PartitionTableError

Command = Callable[..., CommandResult]
VMX = """config.version = "8"
virtualHW.version = "4"
scsi0.present = "TRUE"
scsi0.virtualDev = "lsilogic"
scsi0:0.present = "TRUE"
scsi0:0.fileName = "split.vmdk"
"""
DRY = "--target vmware:lsilogic --dry-run"
MISTAKES = [
    # what was typed, what is printed to be typed instead
    ("chek server1.raw", "check server1.raw"),
    ("fix server1.raw --target kvm:ide --dry-run", "repair server1.raw --target kvm:ide --dry-run"),
    ("rollback server1.raw --help", "undo server1.raw --help"),
    ("server1.raw", "check server1.raw"),
    ("help", "--help"),
    ("check server1.raw --traget kvm:ide", "check server1.raw --target kvm:ide"),
    ("check server1.raw --these_are_all_disks", "check server1.raw --these-are-all-disks"),
    ("check server1.raw --target kvm:virtio-sci", "check server1.raw --target kvm:virtio-scsi"),
    ("check server1.raw --target=vmwar:ide", "check server1.raw --target vmware:ide"),
    ("check server1.raw --target sata", "check server1.raw --target kvm:ahci"),
    ("check server1.raw --target hyperv", "check server1.raw --target hyperv:gen1"),
    ("check server1.raw --drivers donor.raw --target vmware:lsilogic",
     "repair server1.raw --drivers donor.raw --target vmware:lsilogic --dry-run"),
    ("check server1.raw --target kvm:ide --fix safe-mode --why",
     "repair server1.raw --target kvm:ide --fix safe-mode --dry-run"),
    ("check server1.raw --drivers donor.raw", "check server1.raw"),
    ("check server1.raw --dry-run", "check server1.raw"),
    ("inspect server1.raw --target kvm:ide", "check server1.raw --target kvm:ide"),
    ("inspect server1.raw --drivers donor.raw", "inspect server1.raw"),
    ("history server1.raw --target kvm:ide", "history server1.raw"),
    ("targets vmware", "targets"),
    ("repair server1.raw", "check server1.raw"),
    (f"repair server1.raw --fix saef-mode {DRY}", f"repair server1.raw --fix safe-mode {DRY}"),
    ("check server1.raw --format vhdk", "check server1.raw --format vhd"),
    ("check server1.raw --windows disk0-partition2-WINDOW", "check server1.raw --windows disk0-partition2-WINDOWS"),
    ("check server1.raw --symptom logn-loop", "check server1.raw --symptom 'logon loop'"),
    ("check server.raw", "check FOLDER/server1.raw"),
    ("check .", "check FOLDER/donor.raw"),
    ("check vm.vmx", "check --vm FOLDER/vm.vmx"),
    ("check --vm server1.raw", "check server1.raw"),
    ("check split-s001.vmdk", "check FOLDER/split.vmdk"),
    ("check --vm order.conf", "check --vm order.conf server1.raw donor.raw"),
    (f"repair server1.raw --drivers harvested {DRY}",
     f"repair server1.raw --reg harvested/symmpi.reg --file harvested/symmpi.sys {DRY}"),
    ("drivers harvested", "drivers list harvested"),
    ("drivers list donor.raw", "check donor.raw"),
    ("reg server1.raw verify", "reg verify server1.raw"),
    ("reg query server1.raw SYSTEM --recursiv", "reg query server1.raw SYSTEM --recursive"),
    ("explain device-bindin-missing", "explain device-binding-missing"),
    ("explain-log", "explain-log -"),
    ("check server1.raw server1.raw --target kvm:ide", "check server1.raw --target kvm:ide"),
    (f"repair server1.raw donor.raw --drivers donor.raw {DRY}", f"repair server1.raw --drivers donor.raw {DRY}"),
    (f"repair server1.raw --drivers server1.raw {DRY}", f"repair server1.raw {DRY}"),
]  # fmt: skip
REFUSED = {"check server1.raw --format vhd"}  # the format is one now, but not this image's
EMPTY = {"explain-log -"}  # nothing comes down the pipe here


def options_of(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """The options in a command's help."""
    with pytest.raises(SystemExit):
        _parser([command]).parse_args([command, "--help"])
    return {word.strip(",[]") for word in capsys.readouterr().out.split() if word.strip(",[]").startswith("--")}


def test_the_tables_of_options_are_those_of_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    inspect, check, repair = (options_of(each, capsys) for each in ("inspect", "check", "repair"))
    assert check - inspect == CHECKS
    assert repair - check - {"--dry-run", "--resume"} == REPAIRS
    for each in WITH_VALUE & (check | repair):
        command = "check" if each in check else "repair"
        with pytest.raises(Exception, match="expected one argument"):
            _parser([command]).parse_args([command, "x", each])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, machine_cache: Path) -> Path:
    """A dead server, its description, a donor, a disk in pieces, and a driver that was harvested."""
    made = tmp_path_factory.mktemp("mistakes")
    for name, spec in (("server1", server1()), ("donor", donor())):
        build(spec, made / name, cache=machine_cache).disk.rename(made / f"{name}.raw")
        (made / name).rmdir()
    split = convert(made / "server1.raw", ImageForm.TWO_GB_SPARSE, made / "vmdk")
    for each in split.parent.iterdir():
        each.rename(made / each.name.replace("server1", "split"))
    descriptor = made / "split.vmdk"
    descriptor.write_text(descriptor.read_text().replace("server1", "split"))
    (made / "vm.vmx").write_text(VMX)
    (made / "order.conf").write_text("ide0: server1.raw\nsata0: donor.raw\nname: x\n")
    return made


@pytest.fixture
def harvested(folder: Path, bootgraft: Command) -> Path:
    out = folder / "harvested"
    if not out.exists():
        words = ("drivers", "harvest", "donor.raw", "--target", "vmware:lsilogic", "--out", "harvested")
        assert bootgraft(*words, cwd=folder).status == 0
    return folder


def advised(told: CommandResult) -> list[str]:
    """The commands that an answer prints, each on a line of its own."""
    return re.findall(r"^ +bootgraft (.+)$", told.stdout + told.stderr, re.MULTILINE)


@pytest.mark.parametrize(("typed", "meant"), MISTAKES, ids=[typed for typed, _ in MISTAKES])
def test_a_mistake_is_answered_with_the_command_that_works(
    typed: str, meant: str, harvested: Path, bootgraft: Command
) -> None:
    told = bootgraft(*shlex.split(typed), cwd=harvested)
    assert told.status in (2, 3), told
    expected = meant.replace("FOLDER", str(harvested))
    assert expected in advised(told)
    if meant in REFUSED | EMPTY:
        return
    done = bootgraft(*shlex.split(expected), cwd=harvested)
    assert done.status in (0, 1), done


def test_a_command_that_writes_is_turned_on_no_disk_that_nobody_named(folder: Path, bootgraft: Command) -> None:
    for words in ("repair server.raw --target kvm:ide", "undo server.raw", "repair . --target kvm:ide"):
        told = bootgraft(*words.split(), cwd=folder)
        assert told.status == 3
        assert advised(told) == []


def test_a_journal_is_a_file_in_the_folder_that_was_given(folder: Path, bootgraft: Command) -> None:
    repair = ("repair", "server1.raw", "--target", "kvm:ide", "--journal", ".")
    told = bootgraft(*repair, cwd=folder)
    assert told.status == 2, told
    assert advised(told) == ["repair server1.raw --target kvm:ide --journal undo.journal"]
    assert not list(folder.glob("*.journal"))


def test_a_partition_is_answered_with_its_disk() -> None:
    pairs = (("/dev/sda2", "/dev/sda"), ("/dev/nvme0n1p3", "/dev/nvme0n1"), ("/dev/nbd0p1", "/dev/nbd0"))
    for partition, disk in pairs:
        error = PartitionTableError("it holds one NTFS volume", where=partition, advice="Give the whole disk")
        assert advised_by(error, ["check", partition]).advice.startswith(f"Did you mean:\n    bootgraft check {disk}\n")
    error = PartitionTableError("it holds one NTFS volume", where="/dev/sda", advice="Give the whole disk")
    assert advised_by(error, ["check", "/dev/sda"]).advice == "Give the whole disk"
