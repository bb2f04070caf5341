"""What bootgraft is asked: the one beside this Python, and that of another checkout."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from msgspec import Struct
from tests.storage.nbdservers import nbdkit

from benchmarks.disks import Case
from benchmarks.measure import Words
from benchmarks.subjects import NOTHING, SMALLEST, Question
from benchmarks.tasks import Program, Task

NAME = "bootgraft"
_WOULD_STOP = 1
_KEY = "HKLM\\SYSTEM\\Select"


class Tree(Struct, frozen=True):
    """A checkout with an environment of its own (tools/setup.sh makes one)."""

    folder: Path
    program: Program

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return self.folder / ".venv" / "bin" / "python"

    @property
    def command(self) -> Path:
        """Its ``bootgraft``."""
        return self.python.with_name(NAME)


class MissingEnvironmentError(Exception):
    """A checkout has no environment of its own."""


def this_tree() -> Tree:
    """The tree of these benchmarks."""
    folder = Path(__file__).parents[1]
    found = Tree(folder, Program(NAME, _commit(folder)))
    if found.python.resolve() != Path(sys.executable).resolve() or not found.command.exists():
        raise MissingEnvironmentError(f"run this with {found.python}, which ./test makes")
    return found


def other_tree(folder: Path) -> Tree:
    """Another checkout, to be measured before this one in each round."""
    found = Tree(folder, Program(NAME, _commit(folder), is_before=True))
    if not found.command.exists():
        raise MissingEnvironmentError(f"in {folder}: source tools/setup.sh; make_environment '[dev]'")
    return found


def version_task(tree: Tree) -> Task:
    """What the start of the interpreter and of the command line take."""
    return Task(tree.program, Question.VERSION, NOTHING, (tree.command, "--version"))


def tasks(tree: Tree, case: Case, image: str, *, compare: bool) -> Iterator[Task]:
    """The questions about a case; ``image`` is where that is, and ``compare`` asks for answers as JSON too.

    Undo comes after repair, so that each round finds the image as the one before found it.
    """
    if not case.subject.disk_gb:
        yield from _hive_tasks(tree, case)
        return
    target = ("--target", "kvm:virtio-blk" if _is_of_packages(case) else "vmware:lsilogic")
    journal = ("--journal", case.folder / "journal") if image.startswith("nbd") else ()
    source = () if case.source is None else ("--drivers", case.source)
    questions: list[tuple[Question, Words, int, Words]] = [
        (Question.INSPECT, ("inspect", image), 0, ()),
        (Question.CHECK, ("check", image, *target), _WOULD_STOP, ("--json",)),
        (Question.REPAIR, ("repair", image, *target, *source, *journal), 0, ("--json", "--dry-run")),
        (Question.UNDO, ("undo", image, *journal), 0, ()),
    ]
    for question, words, expect, as_json in questions:
        if (question is Question.INSPECT and case.subject != SMALLEST) or (
            question is Question.CHECK and case.subject.packages
        ):
            continue
        document = (tree.command, *words, *as_json) if compare and as_json else None
        words = (tree.command, *words, "--quiet")
        yield Task(tree.program, question, case.subject, words, expect=expect, document=document)


def location(case: Case) -> AbstractContextManager[str | None]:
    """The case's image, or the URI of an NBD server with its latency; None where nbdkit is not installed."""
    latency = case.subject.latency_ms
    if latency is None or shutil.which("nbdkit") is None:
        return nullcontext(str(case.image) if latency is None else None)
    delays = [f"{what}={latency}ms" for what in ("rdelay", "wdelay", "delay-zero", "delay-trim", "delay-extents")]
    return nbdkit(case.folder, "--filter=delay", "file", str(case.image), *delays)


def _hive_tasks(tree: Tree, case: Case) -> Iterator[Task]:
    value = ("--value", "Benchmark", "--type", "REG_DWORD", "--data", "1")
    for question, words, before in (
        (Question.SET_VALUE, ("reg", "set", case.image, _KEY, *value, "--quiet"), case.restore),
        (Question.EXPORT, ("reg", "export", case.image, "HKLM\\SYSTEM"), None),
        (Question.VERIFY, ("reg", "verify", case.image, "--quiet"), None),
    ):
        yield Task(tree.program, question, case.subject, (tree.command, *words), before=before)


def _is_of_packages(case: Case) -> bool:
    return case.source is not None and case.source.suffix != ".raw"


def _commit(folder: Path) -> str:
    """The commit of a checkout, with a + where something in its sources was changed since."""
    git = ("git", "-C", str(folder))
    done = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    changed = subprocess.run([*git, "status", "--porcelain", "src"], capture_output=True, text=True, check=False)
    return done.stdout.strip() + ("+" if changed.stdout.strip() else "")
