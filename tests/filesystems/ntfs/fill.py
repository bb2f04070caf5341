"""Do a list of things on an NTFS image through the ntfs-3g driver.

A program of its own, so that it can run in a private mount namespace (``unshare --mount``): no mount outlives it.
Arguments: the image, a JSON file with the list, an empty directory to mount on, mount options.
"""

import json
import os
import subprocess
import sys
from pathlib import Path


def _do(volume: Path, what: str, name: str, rest: list[str]) -> None:
    path = volume / name
    if what == "directory":
        path.mkdir(parents=True)
    elif what == "file":
        path.write_bytes(bytes.fromhex(rest[0]))
    elif what == "attribute":
        os.setxattr(path, rest[0], bytes.fromhex(rest[1]))
    elif what == "hole":
        os.truncate(path, int(rest[0]))
    elif what == "link":
        os.link(path, volume / rest[0])
    elif what == "delete":
        path.unlink()
    elif what == "files":
        for number in range(int(rest[1])):
            (path / rest[0].format(number)).write_bytes(b"")
    else:
        raise ValueError(what)


def main() -> None:
    image, jobs, mount_point, options = sys.argv[1:5]
    # The far end of this pipe stays open in the driver until it has written everything back and ended.
    ended, alive = os.pipe()
    subprocess.run(["ntfs-3g", *(["-o", options] if options else []), image, mount_point], pass_fds=[alive], check=True)
    os.close(alive)
    try:
        for what, name, *rest in json.loads(Path(jobs).read_text()):
            _do(Path(mount_point), what, name, rest)
    finally:
        subprocess.run(["umount", mount_point], check=True)
        os.read(ended, 1)


if __name__ == "__main__":
    main()
