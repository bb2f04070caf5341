"""Two users in one folder: root, who runs the test, and nobody, who gets there first."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


def require_root() -> None:
    """Skip the test where only one user can be had."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to act as two users")


@contextmanager
def shared_folder(*, owner: int = 0, mode: int = 0o1777) -> Iterator[Path]:
    """A folder that nobody can reach too, unlike pytest's own: a sticky one of root's, as /tmp, or nobody's own."""
    require_root()
    folder = Path(tempfile.mkdtemp(dir="/tmp")).resolve()
    try:
        folder.chmod(mode)
        os.chown(folder, owner, -1)
        yield folder
    finally:
        shutil.rmtree(folder)


def as_nobody(folder: Path, script: str, *arguments: str | Path) -> str:
    """Run a shell script in the folder as the user nobody, whose files all may write to; return what it printed."""
    words = [*AS_NOBODY, "sh", "-euc", f"umask 0; {script}", "sh", *map(str, arguments)]
    done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
