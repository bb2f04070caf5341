"""Saved sessions: found where Windows keeps them, and dropped by zeroing the page that makes them one."""

import pytest
from tests.fakes import FakePartition, machine_of
from tests.memory_windows import MemoryFileSystem

from bootgraft.checks.machine.saved_session import saved_sessions
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Machine
from bootgraft.repair.resume import resume_changes

PAGE = 4096


class Contiguous(MemoryFileSystem):
    """Every file at the first sector of the volume."""

    def extents(self, path: str, /) -> tuple[tuple[int, int], ...]:
        return ((0, len(self.find(path))),)


def machine_with(content: bytes, *, active: bool = False, on_disk: bytes | None = None, kind: str = "ntfs") -> Machine:
    sleeping = Contiguous({"\\hiberfil.sys": content}, kind=FileSystemKind(kind))
    machine = machine_of(
        (
            FakePartition(MemoryFileSystem({"\\boot.ini": b""})),
            FakePartition(sleeping, active=active, boot_sector=b""),
        )
    )
    volume = list(machine.volumes())[1]
    machine.disks[0].device.write(volume.partition.start, on_disk if on_disk is not None else content[:PAGE])
    return machine


@pytest.mark.parametrize("signature", [b"hibr", b"HIBR", b"rstr", b"RSTR"])
def test_a_session_is_found_on_the_windows_volume_and_on_the_active_partition(signature: bytes) -> None:
    content = signature + bytes(8188)
    machine = machine_with(content)
    windows = list(machine.volumes())[1]
    assert saved_sessions(machine, ()) == ()  # neither active nor first: it is another Windows' own affair
    (session,) = saved_sessions(machine, (windows,))
    assert (session.volume, session.signature, session.obstacle) == (windows, signature.decode(), None)
    (change,) = session.changes
    assert (change.offset, change.before, change.data) == (windows.partition.start, content[:PAGE], bytes(PAGE))
    (again,) = saved_sessions(machine_with(content, active=True), ())
    assert again.signature == session.signature


@pytest.mark.parametrize("content", [b"wake" + bytes(8188), bytes(8192)])
def test_a_session_that_is_over_is_none(content: bytes) -> None:
    assert saved_sessions(machine_with(content, active=True), ()) == ()


@pytest.mark.parametrize(
    ("content", "on_disk", "told"),
    [
        (b"link" + bytes(60), None, "only names the volume"),
        (b"hibr" + bytes(8188), b"compressed", "compressed or sparse"),
    ],
)
def test_a_session_that_cannot_be_dropped_says_why(content: bytes, on_disk: bytes | None, told: str) -> None:
    (session,) = saved_sessions(machine_with(content, active=True, on_disk=on_disk), ())
    assert session.changes == ()
    assert told in (session.obstacle or "")


def test_on_fat_a_short_file_without_a_signature_is_no_session() -> None:
    assert saved_sessions(machine_with(b"short", active=True, kind="fat16"), ()) == ()
    assert len(saved_sessions(machine_with(b"link", active=True, kind="fat16"), ())) == 1


def test_a_machine_without_a_store_has_nothing_to_change() -> None:
    assert resume_changes(machine_with(bytes(8192), active=True)) == ()
