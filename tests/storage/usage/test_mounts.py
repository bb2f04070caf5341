"""The table of mounts."""

from pathlib import Path

import pytest
from tests.machines.tools import run
from tests.storage.openers import mounted

from bootgraft.storage.usage import mounts
from bootgraft.storage.usage.mounts import Mount, read_mounts


def test_a_mount_whose_names_have_blanks(tmp_path: Path) -> None:
    point = tmp_path / "a b\tc\\d\ne"
    with mounted("my disk", point, "-t", "tmpfs"):
        (found,) = [mount for mount in read_mounts() if mount.point == str(point)]
        assert (found.type, found.source, found.writable) == ("tmpfs", "my disk", True)
        assert found.device == run("mountpoint", "-d", point).decode().strip()
    assert not [mount for mount in read_mounts() if mount.point == str(point)]


def test_a_read_only_mount_of_what_is_written_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines as proc_pid_mountinfo(5) shows them: the file system's own options are the last field."""
    table = tmp_path / "mountinfo"
    table.write_text(
        "36 35 98:0 /mnt1 /mnt2 ro,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
        "40 35 8:17 / /media/\\303\\244 ro,relatime - ntfs3 /dev/sdb1 ro,uid=0\n"
    )
    monkeypatch.setattr(mounts, "_MOUNTINFO", table)
    assert read_mounts() == (
        Mount("98:0", "/mnt2", "ext3", "/dev/root", writable=True),
        Mount("8:17", "/media/\xc3\xa4", "ntfs3", "/dev/sdb1", writable=False),
    )


def test_without_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "_MOUNTINFO", tmp_path / "nowhere")
    assert read_mounts() == ()
