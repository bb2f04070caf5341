"""Files in memory as a source."""

import pytest

from bootgraft.drivers.archives.memory_archive import MemoryArchive
from bootgraft.errors import FileMissingError


def test_files_by_their_paths_in_any_case() -> None:
    files = MemoryArchive([("a.inf", b"1"), ("B\\c.sys", b"22")], "memory")
    assert [(member.path, member.size) for member in files.members()] == [("a.inf", 1), ("B\\c.sys", 2)]
    assert files.read("b\\C.SYS") == b"22"
    with pytest.raises(FileMissingError) as caught:
        files.read("c.sys")
    assert caught.value.where == "memory"
