"""A C library that meets hostile bytes crashes in the middle of a command: one error, and the image is as it was.

The crash comes from an interpreter that is made to crash where the library is called: no volume is known that makes the
installed one do it.
"""

from pathlib import Path

import pytest
from tests.endtoend.refusals import TARGET, Run, refused
from tests.machines.build import BuiltMachine

_CRASH = """
import ctypes, os

from bootgraft.filesystems.ntfs.volume import NtfsVolume

read, calls = NtfsVolume.read, []

def crash(*arguments):
    calls.append(arguments)
    if len(calls) == {at}:
        {how}
    return read(*arguments)

NtfsVolume.read = crash
"""
_MEMORY, _ABORT = "ctypes.string_at(1)", "os.close(2); ctypes.CDLL(None).abort()"


@pytest.mark.parametrize(("how", "at"), [(_MEMORY, 1), (_ABORT, 8), (_MEMORY, 15)])
def test_one_error_whatever_the_command_was_doing(
    how: str, at: int, tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run
) -> None:
    (tmp_path / "crash").mkdir()
    (tmp_path / "crash" / "sitecustomize.py").write_text(_CRASH.format(how=how, at=at))
    command = ("repair", server1.disk, *TARGET, "--drivers", donor.disk)
    refusal = refused(
        bootgraft, command, watch=server1.disk.parent, environment={"PYTHONPATH": str(tmp_path / "crash")}
    )
    assert "was killed (SIG" in refusal.what
    assert refusal.where == str(server1.disk)
    assert "Nothing was written" in refusal.advice
