"""Where allocation begins: the same clusters as libntfs-3g comes to by itself, in far fewer reads of ``$Bitmap``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.filesystems.ntfs.images import CLUSTER, CountingDevice, blank

from bootgraft.filesystems.ntfs import content, create
from bootgraft.filesystems.ntfs.volume import NtfsVolume, mount_ntfs
from bootgraft.storage.devices.overlay import Overlay

SIZE = 4 << 30
BITS = SIZE // CLUSTER
WINDOW = 8 * 4096
ZONE = BITS // 8 // WINDOW
"""Windows that are kept for the MFT: the eighth that mkntfs and libntfs-3g take."""
FILE = 5 * CLUSTER
Rooms = list[tuple[int, int]]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blank(tmp_path_factory.mktemp("freespace") / "volume.raw", size=SIZE)


@contextmanager
def nearly_full(image: Path, rooms: Rooms) -> Iterator[tuple[CountingDevice, NtfsVolume]]:
    """The volume with no cluster free but so many (second number) from each of some on (first)."""
    device = CountingDevice(image)
    overlay = Overlay(device)
    with mount_ntfs(overlay, writable=False, name="before") as volume:
        ((start, length),) = volume.extents("\\$Bitmap")
    used = int.from_bytes(overlay.read(start, length), "little")
    free = sum(((1 << count) - 1) << first for first, count in rooms) & ~used
    overlay.write(start, (~free & ((1 << 8 * length) - 1)).to_bytes(length, "little"))
    device.reads.clear()
    with mount_ntfs(overlay, writable=True, name="nearly full") as volume:
        yield device, volume


def places(image: Path, rooms: Rooms, *, grown: bool) -> list[tuple[tuple[int, int], ...]]:
    """Where three files come to lie, one after the other; ``grown`` from empty ones."""
    found = []
    with nearly_full(image, rooms) as (_, volume):
        for name in ("\\one", "\\two", "\\three"):
            volume.create(name, b"" if grown else bytes(FILE))
            if grown:
                volume.write(name, 0, bytes(FILE))
            found.append(volume.extents(name))
    return found


@pytest.mark.parametrize("grown", [False, True])
@pytest.mark.parametrize(
    "rooms",
    [
        [(ZONE * WINDOW, 1000)],
        [(ZONE * WINDOW + 999, 3), (20 * WINDOW + 5, 40)],
        [(11 * WINDOW - 4, 8), (29 * WINDOW, 60)],
        [(BITS - 90, 80)],
        [(2 * WINDOW + 9, 200)],
        [(2 * WINDOW, 9), (BITS - 30, 27)],
        [(0, BITS - 1)],
    ],
)
def test_the_same_clusters_are_allocated(
    image: Path, rooms: Rooms, monkeypatch: pytest.MonkeyPatch, *, grown: bool
) -> None:
    skipping = places(image, rooms, grown=grown)
    for module in (create, content):
        monkeypatch.setattr(module, "skip_full", lambda _handles: None)
    assert places(image, rooms, grown=grown) == skipping


def test_a_full_zone_is_read_in_few_pieces(image: Path) -> None:
    """28 windows, which the library would ask for one by one, are two reads: a short one, and the rest."""
    calls: list[int] = []
    with nearly_full(image, [(2 * WINDOW + 9, 200)]) as (_, volume):
        operations = volume._operations
        ask = operations._device.read

        def read(offset: int, length: int) -> bytes:
            calls.append(length)
            return ask(offset, length)

        operations._device.read = read  # type: ignore[method-assign]
        volume.create("\\new", bytes(FILE))
    assert sum(calls) < 2 * BITS // 8
    assert sum(length == WINDOW // 8 for length in calls) < 28
    assert max(calls) > 10 * WINDOW // 8
