"""What a peer is, and how one is found."""

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from benchmarks.disks import Case
from benchmarks.measure import Words
from benchmarks.subjects import Question

SYSTEM_PYTHON = Path("/usr/bin/python3")
"""Debian's packages of Python modules are for Debian's Python."""


class Peer(Struct, frozen=True):
    """A program, and how it is asked.

    ``find`` is the file that must be there; ``installed_by`` says where that comes from. ``questions`` give the command
    for a case, or None where the peer has no answer to that. ``changes`` are the questions after which the image is
    another. ``is_virtual``: it works in a virtual machine of its own, whose speed depends on KVM; ``is_slow``: it takes
    many seconds without.
    """

    name: str
    installed_by: str
    find: Callable[[], Path | None]
    version: Callable[[], str]
    questions: Mapping[Question, Callable[[Case], Words | None]]
    changes: Sequence[Question] = ()
    is_virtual: bool = False
    is_slow: bool = False
    environment: Mapping[str, str] | None = None


def found(program: str) -> Path | None:
    """Where a program is, if it is installed."""
    path = shutil.which(program)
    return None if path is None else Path(path)


def python_module(name: str) -> Path | None:
    """Debian's Python, if it has the module."""
    done = subprocess.run([SYSTEM_PYTHON, "-c", f"import {name}"], capture_output=True, check=False)
    return SYSTEM_PYTHON if done.returncode == 0 else None


def said(*words: str | Path) -> str:
    """The first line that a program prints: its version."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    lines = (done.stdout or done.stderr).strip().splitlines()
    return " ".join(lines[0].split()) if lines else "unknown"


def version_beside(program: str, package: str) -> str:
    """The version of the package that was installed into the environment of a program."""
    path = found(program)
    code = f"from importlib.metadata import version; print('{package}', version('{package}'))"
    return "unknown" if path is None else said(path.with_name("python"), "-c", code)
