"""Which processes have a file open."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.storage.openers import folder_for_all, holding, holding_as, loop_device, mounted, without_leases

from bootgraft.storage.usage import processes
from bootgraft.storage.usage.processes import Process, processes_with


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "disk.raw"
    path.write_bytes(bytes(8192))
    return path


@pytest.mark.parametrize(("mode", "writes"), [("r", False), ("w", True), ("rw", True)])
def test_a_process_is_named_with_what_it_may_do(file: Path, mode: str, writes: bool) -> None:
    with file.open("rb"):  # we ourselves are no other
        assert processes_with(file, file.stat()) == ()
        with holding(file, mode) as number:
            assert processes_with(file, file.stat()) == (Process("cat", number, writes),)


def test_one_that_has_it_open_twice_is_one(file: Path) -> None:
    with holding_as('exec 8<"$1" 9<>"$1"', file) as number:
        assert processes_with(file, file.stat()) == (Process("cat", number, writes=True),)


def test_by_another_name_or_from_another_mount(file: Path, tmp_path: Path) -> None:
    link = file.with_name("link")
    link.hardlink_to(file)
    with holding(link, "r") as number:
        assert [each.number for each in processes_with(file, file.stat())] == [number]
    with mounted(tmp_path, tmp_path / "mount", "--bind") as point, holding(point / "disk.raw", "r") as number:
        assert [each.number for each in processes_with(file, file.stat())] == [number]


def test_a_file_of_the_same_name_is_another(file: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / file.name
    other.write_bytes(b"x")
    with holding(other, "rw"):
        assert processes_with(file, file.stat()) == ()


def test_a_kernel_that_does_not_tell_the_inode(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_facts", lambda _file: {"flags": "0100002"})  # before Linux 5.14
    with holding(file, "rw") as number:
        assert processes_with(file, file.stat()) == (Process("cat", number, writes=True),)


def test_a_block_device(file: Path) -> None:
    with loop_device(file) as device, holding(device, "r") as number:
        assert processes_with(device, device.stat()) == (Process("cat", number, writes=False),)


def test_the_search_ends_however_much_there_is_to_search(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def endless(folder: object) -> Iterator[str]:
        while True:
            asked.append(folder)
            yield str(os.getppid())

    monkeypatch.setattr(processes, "_PATIENCE", 0.01)
    monkeypatch.setattr(os, "listdir", endless)
    assert processes_with(file, file.stat()) == ()
    assert asked


def test_a_user_sees_its_own_only(file: Path) -> None:
    script = "import sys; from pathlib import Path; from bootgraft.storage.usage.processes import processes_with; "
    script += "path = Path(sys.argv[1]); print(processes_with(path, path.stat()))"
    with folder_for_all() as folder:
        shared = file.rename(folder / "disk.raw")
        line = [*without_leases(), sys.executable, "-c", script, str(shared)]
        with holding(shared, "r"):
            assert subprocess.run(line, capture_output=True, text=True, check=True).stdout == "()\n"
