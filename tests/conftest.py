"""Fixtures shared by all tests: machines built once per run, the command line, the shared test data."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from msgspec import Struct

from tests.machines.build import BuiltMachine, build
from tests.machines.cache import kept_folder, prune
from tests.machines.formats import ImageForm, convert
from tests.machines.spec import MachineSpec
from tests.machines.windows2003 import donor as donor_spec
from tests.machines.windows2003 import server1 as server1_spec
from tests.report.schemas import schema_faults
from tests.screen import Shown
from tests.trust import trust_roots_of_fixtures
from tests.warm import WarmInterpreter

# A busy machine is no fault of the code: what an example may take is not timed.
settings.register_profile("unhurried", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each of hundreds of interpreters would compile all that it loads

_SHARED_TESTDATA = Path(__file__).parents[2] / "shared" / "testdata"
_COMMAND_SECONDS = 120


class CommandResult(Struct, frozen=True):
    """How one run of the command line ended and what it said."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output; it must be what its schema says."""
        document = json.loads(self.stdout)
        assert schema_faults(document) == []
        return document


def pytest_sessionfinish() -> None:
    """Bound what is kept for the next run, when all workers have ended."""
    folder = kept_folder()
    if "PYTEST_XDIST_WORKER" not in os.environ and folder is not None and folder.exists():
        prune(folder)


@pytest.fixture(scope="session")
def machine_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where built disks are kept, for further runs if possible; the workers of a parallel run share it."""
    base = tmp_path_factory.getbasetemp()
    return kept_folder() or (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "machines"


@pytest.fixture
def build_machine(machine_cache: Path, tmp_path: Path) -> Callable[[MachineSpec], BuiltMachine]:
    """A function that gives the test its own raw images of any machine."""

    def make(spec: MachineSpec) -> BuiltMachine:
        return build(spec, tmp_path / spec.name, cache=machine_cache)

    return make


@pytest.fixture
def build_server1(build_machine: Callable[[MachineSpec], BuiltMachine]) -> Callable[..., BuiltMachine]:
    """A function that builds the dead server, with any keyword of ``Server1``."""
    return lambda **variant: build_machine(server1_spec(**variant))


@pytest.fixture
def build_donor(build_machine: Callable[[MachineSpec], BuiltMachine]) -> Callable[..., BuiltMachine]:
    """A function that builds the donor, with any keyword of ``donor``."""
    return lambda **variant: build_machine(donor_spec(**variant))


@pytest.fixture
def server1(build_server1: Callable[..., BuiltMachine]) -> BuiltMachine:
    """The dead server of the story."""
    return build_server1()


@pytest.fixture
def donor(build_donor: Callable[..., BuiltMachine]) -> BuiltMachine:
    """The healthy machine that has what the dead one lacks."""
    return build_donor()


@pytest.fixture
def convert_image(tmp_path: Path) -> Callable[[Path, ImageForm], Path]:
    """A function that writes a raw image in another container format, in a folder of its own."""
    return lambda raw, form: convert(raw, form, tmp_path / f"{raw.stem}-{form.name.lower()}")


@pytest.fixture(scope="session", autouse=True)
def state_homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Names of folders, none of which is there yet. What several tests share may write before the first of them."""
    base = tmp_path_factory.mktemp("state")
    os.environ["XDG_STATE_HOME"] = str(base / "shared")
    return (base / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def state_home(state_homes: Iterator[Path]) -> Path:
    """Where a test's commands keep the index of unfinished journals: for each test another place, never the user's."""
    home = next(state_homes)
    os.environ["XDG_STATE_HOME"] = str(home)
    return home


@pytest.fixture(scope="session", autouse=True)
def _trusted_roots(machine_cache: Path) -> None:
    """The roots that fixtures are signed under count, in this process as in those of the warm interpreter."""
    trust_roots_of_fixtures(machine_cache)


@pytest.fixture(scope="session")
def warm_interpreter(machine_cache: Path) -> Iterator[WarmInterpreter]:
    """What the commands of this worker are forked from."""
    with WarmInterpreter(machine_cache) as warm:
        yield warm


@pytest.fixture
def bootgraft(tmp_path: Path, warm_interpreter: WarmInterpreter) -> Callable[..., CommandResult]:
    """A function that runs the command line: ``bootgraft("check", image, "--target", "vmware:lsilogic")``.

    A change of the environment is one for an interpreter that starts with it.
    """

    def run(
        *arguments: str | Path, cwd: Path | None = None, environment: dict[str, str] | None = None
    ) -> CommandResult:
        words = [str(word) for word in arguments]
        folder = cwd or tmp_path
        whole = {**os.environ, "NO_COLOR": "1", **(environment or {})}
        if environment is None:
            return CommandResult(*warm_interpreter.run(words, folder, whole, _COMMAND_SECONDS))
        done = subprocess.run(
            [sys.executable, "-m", "bootgraft.cli.main", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=folder,
            env=whole,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        return CommandResult(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def on_terminal(tmp_path: Path, warm_interpreter: WarmInterpreter) -> Callable[..., Shown]:
    """A function that runs the command line on a terminal: ``on_terminal("check", image, columns=40)``."""

    def run(*arguments: str | Path, columns: int, cwd: Path | None = None, **environment: str) -> Shown:
        words = [str(word) for word in arguments]
        whole = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": "", **environment}
        return Shown(
            *warm_interpreter.run_on_terminal(words, cwd or tmp_path, whole, _COMMAND_SECONDS, columns), columns
        )

    return run


@pytest.fixture(scope="session")
def shared_testdata() -> Path:
    """The folder of real Windows artefacts that lies beside the project; a test that wants it is skipped without."""
    if not _SHARED_TESTDATA.is_dir():
        pytest.skip(f"the shared test data is not here: {_SHARED_TESTDATA}")
    return _SHARED_TESTDATA
