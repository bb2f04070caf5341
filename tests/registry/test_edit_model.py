"""Random edits of hives, new and real, against a model of dictionaries and against other people's readers."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from tests.registry.checker import check
from tests.registry.support import FILETIME, Memory, built_hive, exported, open_bytes, real_file, tree

from bootgraft.registry.hive import Hive
from bootgraft.registry.integrity.survey import DefectSeverity, verify

NAMES = st.sampled_from(["a", "B", "c", "Services", "services", "Größe", "GRÖSSE", "中", "x" * 60, "Z9"])
VALUE_NAMES = st.sampled_from(["", "Start", "START", "Größe", "ß", "y" * 70, "\u03c2", "v"])
TYPES = st.sampled_from([0, 1, 3, 4, 0xFFFF0012])
SIZES = st.sampled_from([0, 1, 3, 4, 5, 12, 13, 40, 200, 4050, 4060, 9000, 16344, 16345, 33000, 70000])
SETTINGS = settings(
    phases=(Phase.explicit, Phase.generate),
    max_examples=8,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)

Model = dict[tuple[str, ...], tuple[str, dict[str, tuple[str, int, bytes]]]]
"""By upper-case path: the path as written, and by upper-case name the values as written."""


def fold(name: str) -> str:
    """Upper case of the names above, by hand: only these differ from what str.upper does."""
    return "".join(char if char in "ß\u03c2" else char.upper() for char in name)


def model_of(content: dict[str, dict[str, tuple[int, bytes]]]) -> Model:
    return {
        tuple(map(fold, path.split("\\"))) if path else (): (
            path,
            {fold(name): (name, kind, data) for name, (kind, data) in values.items()},
        )
        for path, values in content.items()
    }


class Edits(RuleBasedStateMachine):
    """Edits one hive; ``base`` is set by a subclass."""

    base: bytes

    @initialize()
    def start(self) -> None:
        self.memory = Memory(self.base)
        self.hive = Hive.open(self.memory, name="SYSTEM")
        self.model = model_of(tree(self.hive))
        self.before = check(self.base)

    def pick(self, data: st.DataObject) -> tuple[str, ...]:
        return data.draw(st.sampled_from(sorted(self.model)[:400]))

    @rule(data=st.data(), names=st.lists(NAMES, min_size=1, max_size=3))
    def create(self, data: st.DataObject, names: list[str]) -> None:
        place = self.pick(data)
        path = self.model[place][0]
        asked = "\\".join(filter(None, [path, *names]))
        for name in names:
            place = (*place, fold(name))
            path = self.model.setdefault(place, (f"{path}\\{name}" if path else name, {}))[0]
        assert self.hive.create_key(asked).path == path

    @rule(
        data=st.data(),
        name=VALUE_NAMES,
        kind=TYPES,
        size=SIZES,
        byte=st.integers(0, 255),
    )
    def set_value(self, data: st.DataObject, name: str, kind: int, size: int, byte: int) -> None:
        path, values = self.model[self.pick(data)]
        content = bytes([byte]) * size
        self.hive.set_value(path, name, kind, content)
        old = values.get(fold(name))
        values[fold(name)] = (old[0] if old else name, kind, content)

    @rule(data=st.data())
    def delete_value(self, data: st.DataObject) -> None:
        path, values = self.model[self.pick(data)]
        if values:
            name = data.draw(st.sampled_from(sorted(values)))
            self.hive.delete_value(path, name)
            del values[name]

    @rule(data=st.data())
    def delete_key(self, data: st.DataObject) -> None:
        place = self.pick(data)
        if place:
            self.hive.delete_key("\\".join(place))
            for other in [other for other in self.model if other[: len(place)] == place]:
                del self.model[other]

    @precondition(lambda self: self.hive.is_changed)
    @rule()
    def commit(self) -> None:
        self.hive.commit(filetime=FILETIME)

    @precondition(lambda self: not self.hive.is_changed)
    @rule()
    def reopen(self) -> None:
        self.hive = Hive.open(self.memory, name="SYSTEM")

    def teardown(self) -> None:
        if not hasattr(self, "hive"):
            return
        self.hive.commit(filetime=FILETIME)
        data = bytes(self.memory.data)
        wanted = {path: {name: value for name, *value in values.values()} for path, values in self.model.values()}
        plain = {path: {name: tuple(value) for name, value in values.items()} for path, values in wanted.items()}
        assert tree(open_bytes(data)) == plain
        with tempfile.TemporaryDirectory() as folder:
            assert exported(data, Path(folder)) == plain
        after = check(data)
        assert set(after.faults) <= set(self.before.faults)
        assert after.unreachable <= self.before.unreachable
        assert self.harm(data) <= self.harm(self.base)
        self.untouched_pages_are_equal(data)

    def harm(self, data: bytes) -> set[tuple[str, str | None]]:
        """What bootgraft's own strict reader finds, which the proof of every edit relies on."""
        defects = verify(open_bytes(data))
        return {(each.kind, each.key) for each in defects if each.severity is not DefectSeverity.HARMLESS}

    def untouched_pages_are_equal(self, data: bytes) -> None:
        written = {page for at, size in self.memory.writes for page in range(at // 4096, -(-(at + size) // 4096))}
        for page in range(len(self.base) // 4096):
            if page not in written:
                assert data[page * 4096 :][:4096] == self.base[page * 4096 :][:4096]


def run(base: bytes, **changes: Any) -> None:
    machine = type("EditsOfOneHive", (Edits,), {"base": base})
    run_state_machine_as_test(machine, settings=settings(SETTINGS, **changes))


@pytest.mark.parametrize("minor", [2, 3, 4, 5, 6])
def test_new_hives(minor: int, tmp_path: Path) -> None:
    run(built_hive(tmp_path, minor=minor))


@pytest.mark.parametrize(
    ("name", "examples"),
    [
        ("bcd/templates/bcd-sys/BCD", 6),
        ("bcd/uefi/w10-zh-two-winre/BCD", 6),
        ("hives-other/setup-media/xp-sp3-x86-nlite-media/SETUPREG.HIV", 3),
        ("hives-other/yarp/BigDataHive", 5),
        ("hives-system/nt4-sp3-server-dc-vmware-buslogic/SYSTEM", 2),
        ("hives-system/xp-sp3-x86-virtualpc-iecompat/SYSTEM", 1),
    ],
)
def test_real_hives(name: str, examples: int) -> None:
    run(real_file(name).read_bytes(), max_examples=examples)
