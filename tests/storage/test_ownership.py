"""Whose word counts: root's, the caller's, and that of the owner of everything that a file is about."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.twousers import NOBODY, as_nobody, require_root, shared_folder

from bootgraft.errors import ForeignFileError, JournalError
from bootgraft.storage import ownership
from bootgraft.storage.durable import open_regular
from bootgraft.storage.ownership import is_trusted_owner, name_passed_over, open_trusted, user_name

OTHER = 12345
"""A user that has no name."""


@pytest.fixture
def shared() -> Iterator[Path]:
    with shared_folder() as folder:
        yield folder


def make(path: Path, *, owner: int | None = None, group: int | None = None, mode: int = 0o600) -> Path:
    path.write_bytes(b"content")
    if owner is not None or group is not None:
        os.chown(path, -1 if owner is None else owner, -1 if group is None else group)
    path.chmod(mode)
    return path


def require_counts(path: Path, *about: Path) -> None:
    descriptor = open_trusted(path, os.O_RDONLY, about, kind="thing")
    try:
        assert os.pread(descriptor, 100, 0) == b"content"
    finally:
        os.close(descriptor)


def test_a_file_of_ones_own_counts(tmp_path: Path) -> None:
    require_counts(make(tmp_path / "file"))
    require_counts(make(tmp_path / "file", mode=0o644), make(tmp_path / "disk"))


def test_another_users_counts_for_that_users_disks_alone(tmp_path: Path) -> None:
    require_root()
    file = make(tmp_path / "file", owner=NOBODY)
    roots, nobodys, others = (make(tmp_path / f"disk{owner}", owner=owner, mode=0o666) for owner in (0, NOBODY, OTHER))
    require_counts(file, nobodys)
    require_counts(file, nobodys, tmp_path / "gone")
    for about in ((), (roots,), (nobodys, roots), (others,), (others, nobodys), (tmp_path / "gone",)):
        with pytest.raises(ForeignFileError, match=rf"this thing does not count: it belongs to .*{NOBODY}"):
            require_counts(file, *about)
    assert [is_trusted_owner(owner, (nobodys,)) for owner in (0, NOBODY, OTHER)] == [True, True, False]


def test_a_disk_that_may_not_be_looked_at_has_no_owner() -> None:
    assert not is_trusted_owner(OTHER, [Path("/" + "n" * 300)])


def test_another_users_is_not_opened_whatever_it_is(shared: Path) -> None:
    as_nobody(shared, "mkfifo pipe; ln -s /dev/zero link; mkdir folder; ln -s nowhere dangling; mknod -m 666 s p")
    for name in ("pipe", "link", "folder", "dangling"):
        with pytest.raises(ForeignFileError, match="belongs to"):
            open_trusted(shared / name, os.O_RDONLY, (), kind="thing")


def test_ones_own_that_is_no_plain_file_is_no_better(tmp_path: Path) -> None:
    make(tmp_path / "file")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(OSError, match="not a plain file"):
            open_trusted(tmp_path / name, os.O_RDONLY, (), kind="thing")


def test_a_second_name_makes_it_doubtful(tmp_path: Path) -> None:
    file = make(tmp_path / "file")
    (tmp_path / "second").hardlink_to(file)
    with pytest.raises(JournalError, match=r"2 names \(hard links\)") as caught:
        require_counts(file)
    assert not isinstance(caught.value, ForeignFileError), "it ends a command that only reads too"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o622, 0o666, 0o777])
def test_what_others_may_write_to_does_not_count(tmp_path: Path, mode: int) -> None:
    file, disk = make(tmp_path / "file", mode=mode), make(tmp_path / "disk", mode=0o644)
    for about in ((), (disk,)):
        with pytest.raises(JournalError, match=f"others than its owner may write to it .mode {mode:o}"):
            require_counts(file, *about)
    require_counts(file, make(tmp_path / "disk", mode=mode))
    with pytest.raises(JournalError, match="others than its owner"):
        require_counts(file, disk, make(tmp_path / "second", mode=0o644))


def test_the_same_group_must_be_meant(tmp_path: Path) -> None:
    require_root()
    file = make(tmp_path / "file", group=1, mode=0o660)
    require_counts(file, make(tmp_path / "disk", group=1, mode=0o660))
    with pytest.raises(JournalError, match="others than its owner"):
        require_counts(file, make(tmp_path / "disk", group=2, mode=0o666))


def test_what_an_acl_grants_is_seen(tmp_path: Path) -> None:
    file = make(tmp_path / "file")
    # acl(5) and linux/posix_acl_xattr.h: version 2, then entries of tag, permission and id, little-endian
    entries = [(1, 6, 0xFFFFFFFF), (2, 6, OTHER), (4, 0, 0xFFFFFFFF), (16, 6, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
    value = (2).to_bytes(4, "little")
    for tag, permission, user in entries:
        value += tag.to_bytes(2, "little") + permission.to_bytes(2, "little") + user.to_bytes(4, "little")
    try:
        os.setxattr(file, "system.posix_acl_access", value)
    except OSError as error:
        pytest.skip(f"no ACLs here: {error}")
    with pytest.raises(JournalError, match="others than its owner"):
        require_counts(file)


def test_what_is_opened_is_what_is_judged(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns the folder exchanges the file between the look at its name and the opening."""
    mine = make(shared / "file")
    as_nobody(shared, "echo content > theirs")

    def exchanged(path: Path, flags: int) -> int:
        (shared / "theirs").rename(mine)
        return open_regular(path, flags)

    monkeypatch.setattr(ownership, "open_regular", exchanged)
    with pytest.raises(ForeignFileError, match="belongs to"):
        require_counts(mine)


def test_users_are_named_with_their_number() -> None:
    assert user_name(0) == "root (0)"
    assert user_name(OTHER) == f"user {OTHER}"


def test_of_many_foreign_files_some_are_named() -> None:
    errors = [ForeignFileError("it does not count", where=f"/d/{number}", advice="") for number in range(5000)]
    assert [*name_passed_over(errors[:3])] == [f"passed over: /d/{number}: it does not count" for number in range(3)]
    assert [*name_passed_over(errors)][3:] == ["passed over: 4997 more like it"]
