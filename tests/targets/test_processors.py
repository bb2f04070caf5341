"""What models of processors lack, against what qemu says of its own."""

import json
import shutil
from itertools import starmap

import pytest
from tests.machines.tools import run

from bootgraft.targets.descriptions.hardware import Processor
from bootgraft.targets.processors import CX16, FEATURES, LACKING, NX, POPCNT, SSE42, lacking

QEMU = "qemu-system-x86_64"
_OF_THE_HOST = {"host", "max", "base"}


def processor(model: str, added: tuple[str, ...] = (), removed: tuple[str, ...] = ()) -> Processor:
    return Processor(model, "", 1, "", added, removed)


@pytest.mark.parametrize(
    ("given", "lacks"),
    [
        (processor("kvm64"), {SSE42, POPCNT}),
        (processor("Conroe-v1"), {SSE42, POPCNT, CX16}),
        (processor("kvm64", added=("sse4_2", "popcnt")), set()),
        (processor("Nehalem"), set()),
        (processor("Nehalem", removed=("sse4-2", "xd", "avx")), {SSE42, NX}),
        (processor("x86-64-v2-AES"), set()),
        (processor("NobodyKnowsIt"), set()),
        (processor("", removed=("cx16",)), {CX16}),
        (processor(""), set()),
    ],
)
def test_what_a_processor_lacks(given: Processor, lacks: set[str]) -> None:
    assert lacking(given) == lacks


def answers(*commands: dict[str, object]) -> list[object]:
    """What qemu returns to these commands, without a machine."""
    asked = [{"execute": "qmp_capabilities"}, *commands, {"execute": "quit"}]
    words = [QEMU, "-S", "-nodefaults", "-display", "none", "-machine", "none", "-accel", "tcg", "-qmp", "stdio"]
    said = run(*words, stdin="".join(f"{json.dumps(each)}\n" for each in asked).encode())
    return [line["return"] for line in map(json.loads, said.splitlines()) if "return" in line][1 : 1 + len(commands)]


@pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"{QEMU} is not installed")
def test_the_table_says_what_qemu_says_of_every_model() -> None:
    (models,) = answers({"execute": "query-cpu-definitions"})
    assert isinstance(models, list)
    names = [model["name"] for model in models if model["name"] not in _OF_THE_HOST]

    def asked(name: str) -> dict[str, object]:
        return {"execute": "query-cpu-model-expansion", "arguments": {"type": "full", "model": {"name": name}}}

    properties = [answer["model"]["props"] for answer in answers(*map(asked, names))]  # type: ignore[index]

    def missing(name: str, values: dict[str, bool]) -> tuple[str, set[str]]:
        return name, {feature for feature in FEATURES if not values[feature]}

    found = dict(starmap(missing, zip(names, properties, strict=True)))
    assert found == {name: lacking(processor(name)) for name in names}
    assert {name.casefold() for name in names} >= LACKING.keys()
