"""Driver sources that do not hold what is needed, and journals that cannot be written: nothing is touched."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.endtoend.ntfs_marks import compress_with_wof, encrypt
from tests.endtoend.refusals import TARGET, Photograph, Refusal, Run, prefixed, read_refusal, refused, unprivileged
from tests.machines.build import BuiltMachine
from tests.machines.spec import Architecture, HiveState
from tests.machines.tools import run
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import ControlSet, Symmpi

Build = Callable[..., BuiltMachine]
DRIVER = r"\WINNT\system32\drivers\symmpi.sys"


def _with_donor(run_bootgraft: Run, machine: BuiltMachine, donor: Path, watch: Path) -> Refusal:
    return refused(run_bootgraft, ("repair", machine.disk, *TARGET, "--drivers", donor), watch=watch)


BAD_DONORS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no file": (
        {"driver": DriverFile.ABSENT},
        "this donor's service symmpi has no driver file",
        "Give a donor on which this driver works",
    ),
    "no binary": (
        {"driver": DriverFile.GARBAGE},
        "this donor's driver file cannot be used: it lacks the MZ header",
        "--reg and --file",
    ),
    "another architecture": (
        {"arch": Architecture.X64},
        "this donor's driver is built for x64; Microsoft Windows Server 2003 is x86",
        "Give a donor with an x86 Windows",
    ),
    "no binding": (
        {"control_sets": (ControlSet(1, Symmpi.READY), ControlSet(2))},
        r"this donor has no driver for PCI\VEN_1000&DEV_0030: ControlSet001 binds no service to it",
        "Give a donor that runs on vmware:lsilogic",
    ),
    "no service": (
        {"control_sets": (ControlSet(1, binding=True), ControlSet(2))},
        "to the service symmpi, which it does not have",
        "Give another donor",
    ),
}


@pytest.mark.parametrize("kind", BAD_DONORS)
def test_a_donor_without_the_driver(
    kind: str, tmp_path: Path, server1: BuiltMachine, build_donor: Build, bootgraft: Run
) -> None:
    options, what, advice = BAD_DONORS[kind]
    donor = build_donor(**options)
    refusal = _with_donor(bootgraft, server1, donor.disk, tmp_path)
    assert refusal.where.startswith(f"{donor.disk}: ")
    assert what in refusal.what
    assert advice in refusal.advice


@pytest.mark.parametrize(
    ("mark", "told"),
    [(compress_with_wof, "the stream WofCompressedData"), (encrypt, "the file is encrypted with EFS")],
)
def test_a_donor_whose_driver_file_cannot_be_read(
    mark: Callable[[BuiltMachine, str], None],
    told: str,
    tmp_path: Path,
    server1: BuiltMachine,
    donor: BuiltMachine,
    bootgraft: Run,
) -> None:
    mark(donor, DRIVER)
    refusal = _with_donor(bootgraft, server1, donor.disk, tmp_path)
    assert DRIVER.lower() in refusal.where.lower()
    assert f"this donor's driver file cannot be used: {told}" in refusal.what


def test_a_donor_whose_driver_needs_what_this_windows_lacks(
    tmp_path: Path, server1: BuiltMachine, build_donor: Build, bootgraft: Run
) -> None:
    """That is a diagnosis: the driver could be grafted, and would not load."""
    donor = build_donor(driver=DriverFile.MISSING_IMPORT)
    before = Photograph.of(tmp_path)
    done = bootgraft("repair", server1.disk, *TARGET, "--drivers", donor.disk, "--json")
    assert done.status == 1
    assert not done.json["committed"]
    assert done.json["journal"] is None
    told = {each["id"] for each in done.json["after"][0]["findings"] if each["severity"] == "blocker"}
    assert told == {"driver-import-missing"}
    assert before.differences(Photograph.of(tmp_path)) == []


@pytest.mark.parametrize(
    ("variant", "what"),
    [
        ({"system_state": HiveState.DIRTY}, "pending"),
        ({"system_state": HiveState.NOT_A_HIVE}, "this donor cannot be read: this is not a registry hive"),
        ({"system_missing": True}, "no Windows boots from this donor"),
    ],
)
def test_a_donor_that_is_no_whole_windows(
    variant: dict[str, object], what: str, tmp_path: Path, server1: BuiltMachine, build_server1: Build, bootgraft: Run
) -> None:
    donor = build_server1(name="donor", **variant)
    refusal = _with_donor(bootgraft, server1, donor.disk, tmp_path)
    assert refusal.where.startswith(str(donor.disk))
    assert what in refusal.what
    assert refusal.advice.startswith("Give ")


def test_a_donor_that_is_no_image(tmp_path: Path, server1: BuiltMachine, bootgraft: Run) -> None:
    donor = tmp_path / "donor.vmdk"
    assert "there is no such file" in _with_donor(bootgraft, server1, donor, tmp_path).what
    donor.write_text("I am on the other server\n")
    assert "this is a text file" in _with_donor(bootgraft, server1, donor, tmp_path).what
    donor.write_bytes(bytes(1 << 20))
    refusal = _with_donor(bootgraft, server1, donor, tmp_path)
    assert "no Windows boots from this donor (disk 0 has no partition table" in refusal.what
    assert refusal.where == str(donor)


def test_no_source_at_all(tmp_path: Path, server1: BuiltMachine, bootgraft: Run) -> None:
    """A diagnosis, with the two commands that would repair it."""
    before = Photograph.of(tmp_path)
    done = bootgraft("repair", server1.disk, *TARGET)
    assert (done.status, "Traceback" in done.stderr) == (1, False)  # a slow machine tells its progress there
    assert done.stdout.startswith("Nothing was written.\n")
    assert f"bootgraft repair {server1.disk} --target vmware:lsilogic --drivers SOURCE" in done.stdout
    assert before.differences(Photograph.of(tmp_path)) == []


def test_manual_files_that_are_no_use(tmp_path: Path, server1: BuiltMachine, bootgraft: Run) -> None:
    reg, sys = tmp_path / "symmpi.reg", tmp_path / "symmpi.sys"
    before = Photograph.of(server1.disk.parent)

    def told() -> Refusal:
        command = ("repair", server1.disk, *TARGET, "--reg", reg, "--file", sys, "--json")
        return read_refusal(bootgraft(*command, "--quiet"))

    assert told().where == str(reg)
    reg.write_text("this is not a registry export\n")
    assert str(reg) in told().where
    reg.write_text("REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft]\r\n")
    assert told().where == f"{reg}, line 3"
    reg.write_text("REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\symmpi]\r\n")
    assert told().where == str(sys)
    sys.write_text("no driver\n")
    assert told() == Refusal(
        "this is no driver: it lacks the MZ header of a Windows binary", str(sys), "Give the .sys file itself, expanded"
    )
    assert before.differences(Photograph.of(server1.disk.parent)) == []


# The journal.


def _repair(server1: BuiltMachine, donor: BuiltMachine, *options: str | Path) -> tuple[str | Path, ...]:
    return ("repair", server1.disk, *TARGET, "--drivers", donor.disk, *options)


@contextmanager
def _small_file_system(folder: Path, *options: str) -> Iterator[Path]:
    """A file system of its own at ``folder``."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", ",".join(("size=64k", *options)), "tmpfs", folder)
    try:
        yield folder
    finally:
        run("umount", folder)


def test_no_space_for_the_journal(tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    with _small_file_system(tmp_path / "small") as small:
        (small / "ballast").write_bytes(bytes(60_000))
        journal = small / "server1.journal"
        refusal = refused(bootgraft, _repair(server1, donor, "--journal", journal), watch=tmp_path)
        assert refusal.where == str(journal)
        assert (
            f"there is no space for the undo journal, which needs 1 MiB in {small}; nothing was written" in refusal.what
        )
        assert "--journal PATH on another file system" in refusal.advice


def test_a_limit_on_the_size_of_files(tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine) -> None:
    refusal = refused(prefixed("prlimit", "--fsize=4096"), _repair(server1, donor), watch=tmp_path)
    assert "there is no space for the undo journal" in refusal.what


def test_a_read_only_journal_folder(tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    with _small_file_system(tmp_path / "small", "ro") as small:
        refusal = refused(bootgraft, _repair(server1, donor, "--journal", small / "j"), watch=tmp_path)
        assert refusal.what == "writing the undo journal failed: Read-only file system"
        assert f"Make {small} readable and writable for this user" in refusal.advice


def test_a_journal_folder_that_this_user_may_not_write(
    tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine
) -> None:
    folder = server1.disk.parent
    folder.chmod(0o555)
    try:
        refusal = refused(unprivileged(), _repair(server1, donor), watch=tmp_path)
    finally:
        folder.chmod(0o755)
    assert refusal.what == "writing the undo journal failed: Permission denied"
    assert f"Make {folder} readable and writable" in refusal.advice


def test_a_journal_path_that_cannot_be(
    tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run
) -> None:
    journal = tmp_path / "nowhere" / "server1.journal"
    refusal = refused(bootgraft, _repair(server1, donor, "--journal", journal), watch=tmp_path)
    assert refusal.where == str(journal)
    assert refusal.advice.startswith(f"Create the folder {journal.parent}")
    refusal = refused(bootgraft, _repair(server1, donor, "--journal", tmp_path / ("j" * 300)), watch=tmp_path)
    assert "File name too long" in refusal.what
    taken = tmp_path / "notes.txt"
    taken.write_text("mine\n")
    refusal = refused(bootgraft, _repair(server1, donor, "--journal", taken), watch=tmp_path)
    assert refusal.where == str(taken)


def test_an_overlay_that_cannot_be(tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    taken = tmp_path / "out.qcow2"
    taken.write_text("mine\n")
    refusal = refused(bootgraft, _repair(server1, donor, "--overlay", taken), watch=tmp_path, status=2)
    assert refusal.what == "it exists already"
    refusal = refused(bootgraft, _repair(server1, donor, "--overlay", tmp_path / "nowhere" / "o"), watch=tmp_path)
    assert "No such file or directory" in refusal.what
    with _small_file_system(tmp_path / "small") as small:
        refusal = refused(bootgraft, _repair(server1, donor, "--overlay", small / "out.qcow2"), watch=tmp_path)
        assert "No space left on device" in refusal.what
        assert "Free space" in refusal.advice


def test_nothing_to_undo_and_nothing_to_resume(tmp_path: Path, server1: BuiltMachine, bootgraft: Run) -> None:
    for command in (("undo", server1.disk), ("undo", server1.disk, "--dry-run"), ("repair", server1.disk, "--resume")):
        refusal = refused(bootgraft, command, watch=tmp_path)
        assert refusal.what == "no undo journal lies beside it"
        assert "nothing to undo or to resume" in refusal.advice
    refusal = refused(bootgraft, ("undo", server1.disk, "--journal", tmp_path / "j"), watch=tmp_path)
    assert refusal.what == "there is no such undo journal"
    assert read_refusal(bootgraft("undo", tmp_path / "other.raw", "--quiet")).what.endswith("there is no such file")
