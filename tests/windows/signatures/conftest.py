"""What the tests of signatures share."""

from pathlib import Path

import pytest
from tests.drivers.inf.infs import driver
from tests.machines.spec import Architecture
from tests.windows.signatures.signers import Signers


@pytest.fixture(scope="session")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Signers:
    """The signers of this run."""
    return Signers(tmp_path_factory.mktemp("signers"))


@pytest.fixture(scope="session")
def unsigned(machine_cache: Path) -> bytes:
    """A driver without a signature."""
    return driver(machine_cache, Architecture.X64)
