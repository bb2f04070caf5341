"""Running the outside programs that make and judge images."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

# Debian keeps sfdisk, mkntfs and mkfs.fat where an ordinary user's PATH does not look.
_ENVIRONMENT = {
    **os.environ,
    "PATH": os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin",
    "LC_ALL": "C.UTF-8",
    "MTOOLS_SKIP_CHECK": "1",
}


class ToolError(Exception):
    """An outside program is missing or failed; the text carries its own words."""


def run(
    *command: str | Path,
    stdin: bytes = b"",
    expect: Sequence[int] = (0,),
    pass_fds: Sequence[int] = (),
    cwd: Path | None = None,
) -> bytes:
    """Run a program to its end and return its standard output.

    Raises ToolError, with everything the program said, where its exit status is not one of ``expect``.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, input=stdin, capture_output=True, env=_ENVIRONMENT, pass_fds=pass_fds, check=False, cwd=cwd
        )
    except FileNotFoundError as error:
        message = f"{words[0]} is not installed; ./test installs what the tests need"
        raise ToolError(message) from error
    if done.returncode not in expect:
        said = (done.stdout + done.stderr).decode(errors="replace")
        message = f"{' '.join(words)} ended with {done.returncode}: {said}"
        raise ToolError(message)
    return done.stdout
