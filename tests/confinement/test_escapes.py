"""Out of the cage of the process that reads volumes there is no way, whoever it runs as, on older kernels neither.

Without any cage the same attempts succeed, as far as the machine that the tests run on lets them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.confinement.captivity import ESCAPED
from tests.confinement.escapes import ESCAPES

from bootgraft.confinement import landlock
from bootgraft.confinement.syscalls import this_architecture

ROOT = Path(__file__).parents[2]
NOBODY = 65534
READING = {"read_a_secret", "read_the_shadow"}
"""What only Landlock keeps it from."""
PRIVILEGED = {
    "read_the_shadow",
    "open_the_image_by_its_handle",
    "raise_its_own_limit",
    "mount_something",
    "type_into_the_terminal",
}
"""What others than root cannot do outside either, or what a machine may keep root from too."""
OFTEN_FORBIDDEN = {"attach_to_the_parent", "become_root_of_a_namespace", "have_calls_made_by_a_ring", "use_the_keyring"}
"""What containers and settings of the kernel keep everybody from."""

pytestmark = pytest.mark.skipif(this_architecture() is None, reason="no filter was written for this architecture")


def attempts(version: str, user: int | None = None, sources: str | None = None, cage: str = "reader") -> dict[str, str]:
    """Try all escapes: with what of Landlock, and as whom; what came of each."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as name:  # pytest's own are for its user only
        folder = Path(name)
        uid = os.getuid() if user is None else user
        os.chown(folder, uid, -1)
        given = [str(folder / sources)] if sources else []
        done = subprocess.run(
            [sys.executable, "-m", "tests.confinement.captivity", cage, name, version, str(uid), *given],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
            stdout=subprocess.PIPE,
            text=True,
            timeout=100,
            check=True,
        )
        if version == "none":
            subprocess.run(["umount", str(folder / "mountpoint")], stderr=subprocess.DEVNULL, check=False)
    told: dict[str, str] = json.loads(done.stdout)
    assert told.keys() == ESCAPES.keys()
    return told


def escaped(told: dict[str, str]) -> set[str]:
    assert not [each for each in told.values() if each.startswith("silent")], told
    return {name for name, came_to in told.items() if came_to == ESCAPED}


@pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
@pytest.mark.parametrize("version", ["", "2"])
def test_there_is_no_way_out(version: str) -> None:
    assert escaped(attempts(version)) == set()


def test_without_landlock_it_can_read_and_no_more() -> None:
    assert escaped(attempts("0")) <= READING


def test_without_a_cage_it_could_do_it_all() -> None:
    assert escaped(attempts("none")) >= ESCAPES.keys() - PRIVILEGED - OFTEN_FORBIDDEN


@pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
@pytest.mark.parametrize("version", ["", "2"])
def test_a_command_that_only_prints_has_no_way_out_either(version: str) -> None:
    assert escaped(attempts(version, sources="secret", cage="command")) == {"read_a_secret"}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_nor_does_another_user_get_out() -> None:
    """Who has no privileges has none to give up: the memory of the parent is kept from it all the same."""
    if landlock.version():
        assert escaped(attempts("", NOBODY)) == set()
    assert escaped(attempts("0", NOBODY)) <= READING
    assert escaped(attempts("none", NOBODY)) >= ESCAPES.keys() - PRIVILEGED - OFTEN_FORBIDDEN


@pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
@pytest.mark.parametrize("version", ["", "2"])
def test_a_server_of_images_gets_at_its_image_and_no_further(version: str) -> None:
    """It may start programs and processes: what comes of it is in the same cage."""
    starting = {"become_another_program", "start_a_program", "start_a_process"}
    assert escaped(attempts(version, cage="server")) == {*starting, "open_the_image_for_writing"}


@pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
def test_what_it_is_given_it_can_read_and_no_more() -> None:
    """Root keeps the privilege to read it, wherever it lies; what lies beside it is out of reach."""
    assert escaped(attempts("", sources="secret")) == {"read_a_secret"}
    assert escaped(attempts("", sources="disk.raw")) == set()
