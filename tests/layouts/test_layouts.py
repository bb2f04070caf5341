"""The matrix of layouts: each one's boot chain, verdict and repaired state, as ``goldens/`` has it.

To take over what was changed on purpose: ``WRITE_GOLDENS=1 pytest tests/layouts``, then read the diff.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.layouts import nt5, nt6
from tests.layouts.layout import Layout
from tests.layouts.story import tell
from tests.machines.build import BuiltMachine
from tests.machines.spec import MachineSpec

GOLDENS = Path(__file__).with_name("goldens")
LAYOUTS: dict[str, Layout] = {**dict(nt5.layouts()), **dict(nt6.layouts())}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_followed_judged_and_repaired(
    name: str, build_machine: Callable[[MachineSpec], BuiltMachine]
) -> None:
    told = tell(LAYOUTS[name], build_machine(LAYOUTS[name].machine))
    golden = GOLDENS / f"{name}.txt"
    if "WRITE_GOLDENS" in os.environ:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(told)
    assert told == golden.read_text()


def test_every_golden_has_its_layout() -> None:
    assert {path.stem for path in GOLDENS.glob("*.txt")} == set(LAYOUTS)


def test_there_are_enough_of_them() -> None:
    assert len(LAYOUTS) >= 60
