"""Fixtures shared by all tests: machines built once per run, the command line, the shared test data."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.machines.build import BuiltMachine, build
from tests.machines.formats import ImageForm, convert
from tests.machines.spec import MachineSpec
from tests.machines.windows2003 import donor as donor_spec
from tests.machines.windows2003 import server1 as server1_spec
from tests.report.schemas import schema_faults

# A busy machine is no fault of the code: what an example may take is not timed.
settings.register_profile("unhurried", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

_SHARED_TESTDATA = Path(__file__).parents[2] / "shared" / "testdata"
_COMMAND_SECONDS = 120


@dataclass(frozen=True, slots=True)
class CommandResult:
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


@pytest.fixture(scope="session")
def machine_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where built disks are kept for the whole run; the workers of a parallel run share it."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "machines"


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


@pytest.fixture
def bootgraft(tmp_path: Path) -> Callable[..., CommandResult]:
    """A function that runs the command line: ``bootgraft("check", image, "--target", "vmware:lsilogic")``."""

    def run(
        *arguments: str | Path, cwd: Path | None = None, environment: dict[str, str] | None = None
    ) -> CommandResult:
        done = subprocess.run(
            [sys.executable, "-m", "bootgraft.cli.main", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=cwd or tmp_path,
            env={**os.environ, "NO_COLOR": "1", **(environment or {})},
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        return CommandResult(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def shared_testdata() -> Path:
    """The folder of real Windows artefacts that lies beside the project; a test that wants it is skipped without."""
    if not _SHARED_TESTDATA.is_dir():
        pytest.skip(f"the shared test data is not here: {_SHARED_TESTDATA}")
    return _SHARED_TESTDATA
