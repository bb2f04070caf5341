"""Where a host refuses what cages are made of, work goes on, and it is said."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm

from bootgraft.confinement import landlock
from bootgraft.confinement.reader import NO_GIVING_UP, NO_LANDLOCK, NO_NEW_PRIVILEGES, NO_SECCOMP
from bootgraft.confinement.syscalls import this_architecture

ROOT = Path(__file__).parents[2]
LANDLOCK = "landlock_create_ruleset,landlock_add_rule,landlock_restrict_self"
EVERYTHING = f"seccomp,{LANDLOCK},prctl,capset,capget"
SENTENCES = {
    "no_new_privs": NO_NEW_PRIVILEGES,
    "Landlock": NO_LANDLOCK,
    "capabilities": NO_GIVING_UP,
    "seccomp": NO_SECCOMP,
}

pytestmark = pytest.mark.skipif(this_architecture() is None, reason="no filter was written for this architecture")


def refused(number: int, calls: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run bootgraft where these calls end with this error."""
    command = (sys.executable, "-m", "bootgraft.cli.main", *map(str, arguments))
    return subprocess.run(
        [sys.executable, "-m", "tests.confinement.refusing", str(number), calls, *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS])
def test_everything_refused(
    number: int, server1: BuiltMachine, convert_image: Callable[[Path, ImageForm], Path]
) -> None:
    image = convert_image(server1.disk, ImageForm.MONOLITHIC_SPARSE)
    done = refused(number, EVERYTHING, "inspect", image, "--verbose")
    assert done.returncode == 0, done.stderr
    assert [each for each in SENTENCES.values() if each not in done.stderr] == []
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
@pytest.mark.parametrize(
    ("calls", "missing"),
    [
        ("seccomp", {"seccomp"}),
        ("landlock_create_ruleset", {"Landlock"}),
        ("landlock_restrict_self", {"Landlock"}),
        ("prctl", {"no_new_privs"}),
        ("capset", {"capabilities"}),
        (EVERYTHING, set(SENTENCES)),
    ],
)
def test_doctor_says_what_is_refused(calls: str, missing: set[str]) -> None:
    done = refused(errno.EPERM, calls, "doctor", "--json")
    cage = {each["name"]: each["fault"] for each in json.loads(done.stdout)["cage"]}
    assert {name: fault for name, fault in cage.items() if fault} == {name: SENTENCES[name] for name in missing}
    assert cage.keys() == SENTENCES.keys()
