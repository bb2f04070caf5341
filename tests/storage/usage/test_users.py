"""Who uses a file, in words."""

from pathlib import Path

import pytest
from tests.storage.openers import holding, loop_device

from bootgraft.storage.usage.users import Users, find_users


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "disk.raw"
    path.write_bytes(bytes(8192))
    return path


def test_nobody(file: Path) -> None:
    assert find_users(file) == Users() == find_users(file.with_name("nowhere"))
    assert find_users(file).advice == "End that use of it, then try again"


def test_many_are_not_all_named(file: Path) -> None:
    with holding(file, "r"), holding(file, "r"), holding(file, "rw"), holding(file, "r"), holding(file, "r"):
        users = find_users(file)
    assert len(users.names) == 5
    assert str(users) == f"{users.names[0]}; {users.names[1]}; {users.names[2]} and 2 more"


def test_a_loop_device_and_who_has_that_open(file: Path) -> None:
    with loop_device(file, "-r") as device, holding(device, "r") as number:
        assert find_users(file) == Users((f"the loop device {device} (read-only)",), (f"losetup -d {device}",))
        assert find_users(device) == Users((f"cat (pid {number}, for reading)",), ())
