"""The Python API: the examples of its page, threads, and that a program that calls it stays as it was."""

import doctest
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import bootgraft
from bootgraft.errors import ImageError, UsageError
from bootgraft.events import Event
from bootgraft.jsontext import to_json
from tests.conftest import CommandResult
from tests.machines.build import BuiltMachine

PAGE = Path(__file__).parent.parent / "docs" / "api.md"
LSI = "vmware:lsilogic"


@pytest.fixture
def folder(server1: BuiltMachine, donor: BuiltMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a dead server and a donor."""
    server1.disk.rename(tmp_path / "server1.raw")
    donor.disk.rename(tmp_path / "donor.raw")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_of_the_page_run(folder: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) > 3
    test = doctest.DocTestParser().get_doctest("".join(blocks), {}, PAGE.name, str(PAGE), 0)
    told: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert result.failed == 0, "".join(told)


def test_a_call_gives_what_the_command_prints(
    folder: Path, bootgraft: Callable[..., CommandResult], capfd: pytest.CaptureFixture[str]
) -> None:
    from bootgraft import open_machine

    machine = open_machine("server1.raw")  # one path is one disk
    for document, words in (
        (machine.inspect(), ["inspect", "server1.raw"]),
        (machine.check(LSI, symptom="0x7b", why=True), ["check", "server1.raw", "--target", LSI, "--why"]),
        (machine.check(), ["check", "server1.raw"]),
        (machine.history(), ["history", "server1.raw"]),
    ):
        more = ["--symptom", "0x7b"] if "--why" in words else []
        assert json.loads(to_json(document)) == bootgraft(*words, *more, "--json", cwd=folder).json
    assert capfd.readouterr() == ("", "")


def test_machines_are_worked_on_in_several_threads(folder: Path) -> None:
    copies = [folder / f"copy{number}.raw" for number in range(3)]
    for each in copies:
        each.write_bytes((folder / "server1.raw").read_bytes())

    def repair_and_undo(image: Path) -> tuple[bool, bool]:
        machine = bootgraft.open_machine([image])
        repaired = machine.repair(LSI, drivers="donor.raw").committed
        return repaired, machine.undo().undone

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(repair_and_undo, copies)) == [(True, True)] * 3
    assert {each.read_bytes() for each in copies} == {(folder / "server1.raw").read_bytes()}


def test_the_program_stays_as_it_was(folder: Path) -> None:
    kept = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)]
    opened = len(list(Path("/proc/self/fd").iterdir()))
    events: list[Event] = []
    machine = bootgraft.open_machine(["server1.raw"], timeout=600, monitor=events.append)
    before = (folder / "server1.raw").read_bytes()
    assert machine.plan(LSI, drivers=["donor.raw"], fix=[], reset_journal=False).committed is False
    assert (folder / "server1.raw").read_bytes() == before
    now = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)]
    assert (now, len(list(Path("/proc/self/fd").iterdir()))) == (kept, opened)
    assert events


def test_what_does_not_go_together_is_refused_as_on_the_command_line(folder: Path) -> None:
    machine = bootgraft.open_machine(["server1.raw"])
    with pytest.raises(UsageError) as missing:
        machine.plan()
    assert missing.value.id == "target-missing"
    with pytest.raises(UsageError, match="no such target"):
        machine.check("vmware:lsi-logic-what")
    with pytest.raises(UsageError, match="no finding has the id"):
        machine.repair(LSI, fix=["no-such-finding"])
    with pytest.raises(UsageError, match="it is not known"):
        machine.check(LSI, symptom="green screen")
    with pytest.raises(UsageError, match="IMAGE"):
        bootgraft.open_machine().check(LSI)
    with pytest.raises(ImageError) as wrong:
        bootgraft.open_machine([folder]).inspect()
    assert wrong.value.id == "not-an-image"


def test_a_description_names_the_disks_and_the_target(folder: Path) -> None:
    (folder / "server1.vmx").write_text(
        'scsi0.present = "TRUE"\nscsi0.virtualDev = "lsilogic"\nscsi0:0.present = "TRUE"\n'
        'scsi0:0.fileName = "old.vmdk"\nethernet0.present = "TRUE"\n'
    )
    machine = bootgraft.open_machine(vm="server1.vmx", disks={"scsi0:0": "server1.raw"})
    assert machine.check().target == LSI
    repaired = machine.repair(drivers="donor.raw", isolate=True)
    assert (repaired.committed, machine.check().verdict.value) == (True, "boots")
    assert [each.vm for each in machine.history().changes] == [str(folder / "server1.vmx")]
    assert machine.undo(dry_run=True).undone is False
    assert machine.undo(all=True).undone is True


def test_names_are_loaded_when_they_are_asked_for() -> None:
    program = "import sys, bootgraft; print('msgspec' in sys.modules); bootgraft.open_machine; print(bootgraft.__all__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "False"
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = bootgraft.no_such_name
    assert all(getattr(bootgraft, each) for each in bootgraft.__all__)
