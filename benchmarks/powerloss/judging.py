"""Whether the commands find the way back, or on, from what a power loss left; qemu-img says what the disk holds."""

import io
import random
import subprocess
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from tests.storage.containers import AFTER, BEFORE, Container

from bootgraft.cli.main import main
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.journalsearch import find_journals

_ERRORS = 2
"""What qemu-img check ends with where an image is damaged; 3 are clusters that nobody uses."""


class NoWayError(Exception):
    """A state from which the commands do not lead where they say."""


def judge(container: Container, files: dict[Path, bytes], chance: random.Random) -> str:
    """Say what the state is, after all ways that lead on from it were tried.

    Raises:
        NoWayError: one does not.
    """
    container.restore(files)
    image = container.location
    journals = find_journals([image])
    if not journals:
        _expect(container, BEFORE, "no journal is there")
        _run(["undo", image], 3, "nothing to undo", "no undo journal")
        return "before it"
    (journal,) = journals
    if journal.state is JournalState.SEALED:
        _expect(container, AFTER, "the journal is sealed")
        _undo(container)
        return "done"
    said = "an undo" if journal.state is JournalState.UNDOING else "a repair"
    _run(["check", image, "--target", "vmware:lsilogic"], 3, f"{said} of this machine", "interrupted")
    if journal.state is JournalState.UNFINISHED and chance.random() < 0.5:
        _run(["repair", image, "--resume"], 0)
        _expect(container, AFTER, "resumed")
    _undo(container)
    return f"interrupted, {journal.state}"


def _undo(container: Container) -> None:
    _run(["undo", container.location], 0)
    _expect(container, BEFORE, "taken back")
    left = [path.name for path in container.folder.iterdir() if path.name.endswith(".journal")]
    if left:
        raise NoWayError(f"after the undo there is still {left}")


def _expect(container: Container, content: bytes, why: str) -> None:
    found = container.content()
    if found != content:
        at = next(at for at in range(0, len(content), 512) if found[at : at + 512] != content[at : at + 512])
        side = {AFTER: "after", BEFORE: "before"}
        other = next((name for whole, name in side.items() if whole[at : at + 512] == found[at : at + 512]), "neither")
        raise NoWayError(f"{why}, and the disk is not as {side[content]} it: byte {at} is as {other}")
    _check(container)


def _check(container: Container) -> None:
    """qemu-img check knows neither raw nor VHD: a VHD must at least end with its footer."""
    if container.driver == "vpc":
        if not container.image.read_bytes()[-512:].startswith(b"conectix"):
            raise NoWayError("the VHD has no footer")
    elif container.driver != "raw":
        command = ["qemu-img", "check", "-f", container.driver, str(container.image)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == _ERRORS:
            raise NoWayError(f"qemu-img check: {done.stdout}{done.stderr}")
    if container.preserved() != container.descriptors:
        raise NoWayError("the descriptor is another: a child disk would no longer open")


def _run(words: Sequence[str], status: int, *said: str) -> None:
    """Run a command, which must end so and say one of these."""
    out, error = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(error):
        ended = main([*words, "--quiet"])
    text = out.getvalue() + error.getvalue()
    if ended != status or "Traceback" in text or (said and not any(each in text for each in said)):
        raise NoWayError(f"{words[0]} ended with {ended}: {text}")
