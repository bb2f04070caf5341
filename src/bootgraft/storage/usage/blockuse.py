"""Who uses a block device, and which loop devices and mounts use a file, as Linux says in /sys and mountinfo.

A block device's folder under /sys holds its partitions and, in ``holders``, the devices that are built on it: LVM,
dm-crypt, multipath, RAID. What is mounted may be any of them (Linux, Documentation/ABI/testing/sysfs-block,
stable/sysfs-block; ``dm/name`` in sysfs-block-dm; ``loop/backing_file`` in drivers/block/loop.c).
"""

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bootgraft.storage.usage.mounts import Mount, read_mounts

_SYS = Path("/sys")


class Use(NamedTuple):
    """One use of a device or file: in words, whether it may write there (None: not known), how it is ended."""

    what: str
    writes: bool | None
    release: str


def device_uses(number: int) -> tuple[Use, ...]:
    """Return the uses of the block device with this number (``st_rdev``)."""
    folder = _SYS / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}"
    return tuple(_uses(folder.resolve(), read_mounts(), set()))


def file_uses(path: Path, status: os.stat_result) -> tuple[Use, ...]:
    """Return a use for each loop device over the file at ``path``, which ``status`` describes, and each mount of it."""
    mounts = read_mounts()
    found = []
    for folder in sorted((_SYS / "block").glob("loop*")):
        backing = _read(folder / "loop" / "backing_file")
        if backing and _is_same(backing, path, status):
            found.append(_loop_use(folder.resolve(), mounts))
    return (*found, *(_mount_use("it", mount) for mount in mounts if mount.source == str(path)))


def _is_same(backing: str, path: Path, status: os.stat_result) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.stat(backing), status)  # noqa: PTH116 - a name of the kernel's, not of ours
    return backing == str(path)  # in a mount namespace of its own, where only the name can agree


def _loop_use(folder: Path, mounts: Sequence[Mount]) -> Use:
    name = f"/dev/{folder.name}"
    above = tuple(_uses(folder, mounts, set()))
    what = f" ({'; '.join(use.what for use in above)})" if above else ""
    release = [*(use.release for use in above if use.release), f"losetup -d {name}"]
    return Use(f"the loop device {name}{what}", _read(folder / "ro") != "1", "; ".join(release))


def _mount_use(name: str, mount: Mount) -> Use:
    return Use(f"{name} is mounted at {mount.point}", mount.writable, f"umount {shlex.quote(mount.point)}")


def _uses(folder: Path, mounts: Sequence[Mount], seen: set[str]) -> Iterator[Use]:
    """Yield the uses of the device with this folder under /sys: of itself, its partitions, and what is built on it."""
    if folder.name in seen:
        return
    seen.add(folder.name)
    number = _read(folder / "dev")
    for mount in mounts:
        if number and number in (mount.device, _source_device(mount)):
            yield _mount_use(_label(folder), mount)
    for partition in _entries(folder):
        if (partition / "partition").exists():
            yield from _uses(partition, mounts, seen)
    for holder in _entries(folder / "holders"):
        above = tuple(_uses(holder.resolve(), mounts, seen))
        yield from above or (Use(f"{_label(holder)} is built on {_label(folder)}", None, ""),)


def _source_device(mount: Mount) -> str:
    """Return the number of the device that is mounted, where the file system has one of its own (btrfs), else ''."""
    if mount.device.startswith("0:") and mount.source.startswith("/dev/"):
        with suppress(OSError, ValueError):
            number = os.stat(mount.source).st_rdev  # noqa: PTH116 - a name of the kernel's, not of ours
            return f"{os.major(number)}:{os.minor(number)}"
    return ""


def _label(folder: Path) -> str:
    """Return a device as administrators know it: ``/dev/dm-0 (vg0-root)``."""
    name = _read(folder / "dm" / "name")
    return f"/dev/{folder.name} ({name})" if name else f"/dev/{folder.name}"


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _read(file: Path) -> str:
    """Return what a file under /sys says, '' where there is none."""
    try:
        return file.read_bytes().decode("utf-8", "surrogateescape").removesuffix("\n")
    except OSError:
        return ""
