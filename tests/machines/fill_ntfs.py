"""Put a folder's files on an NTFS volume image through the ntfs-3g driver.

A program of its own, because it runs inside a private mount namespace (``unshare``): no mount outlives it, whatever
happens. Arguments: the image, the folder, an empty directory to mount on. The folder's ``attributes.json`` maps each
path on the volume to its attribute bits; ``descriptor.bin`` is the security descriptor that everything gets. Only
root may set descriptors; for a user, files keep the ones that ntfs-3g gives them.
"""

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

_WHEN = 1_171_710_000  # 17 February 2007: every file's time


def main() -> None:
    image, folder, mount_point = (Path(word) for word in sys.argv[1:4])
    # The far end of this pipe is open in the driver until it has written everything back and ended.
    ended, alive = os.pipe()
    owner = f"uid={os.getuid()},gid={os.getgid()}"
    subprocess.run(["ntfs-3g", "-o", owner, image, mount_point], pass_fds=[alive], check=True)
    os.close(alive)
    try:
        _fill(folder, mount_point)
    finally:
        _unmount(mount_point)
        os.read(ended, 1)


def _unmount(mount_point: Path) -> None:
    # Not umount(8): it refuses everyone but root, whatever their capabilities in this namespace are.
    if ctypes.CDLL(None, use_errno=True).umount2(os.fsencode(mount_point), 0) != 0:
        raise OSError(ctypes.get_errno(), "umount2", str(mount_point))


def _fill(folder: Path, volume: Path) -> None:
    attributes: dict[str, int] = json.loads((folder / "attributes.json").read_text())
    descriptor = (folder / "descriptor.bin").read_bytes()
    tree = folder / "tree"
    is_root = os.geteuid() == 0
    if is_root:
        os.setxattr(volume, "system.ntfs_acl", descriptor)
    for source in sorted(tree.rglob("*")):
        name = source.relative_to(tree)
        target = volume / name
        if source.is_dir():
            target.mkdir()
        else:
            target.write_bytes(source.read_bytes())
        if is_root:
            os.setxattr(target, "system.ntfs_acl", descriptor)
        if not source.is_dir():
            os.setxattr(target, "system.ntfs_attrib_be", attributes[str(name)].to_bytes(4, "big"))
        os.utime(target, (_WHEN, _WHEN))


if __name__ == "__main__":
    main()
