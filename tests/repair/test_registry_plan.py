"""Plans of wanted edits: what a sequence of edits comes to, against dictionaries; and nothing that is there already."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.registry.support import Memory, real_file, tree

from bootgraft.changes import CreateKey, DeleteKey, DeleteValue, FileId, RegistryData, SetValue
from bootgraft.registry.hive import Hive
from bootgraft.repair.apply import _edit, read_value
from bootgraft.repair.proof import _holds
from bootgraft.repair.registry_plan import WantedKey, plan_edits

PLACE = FileId(0, 0, "disk 0 partition 1", "\\SYSTEM")
START = {
    "A": {"v": (1, b"a")},
    "A\\One": {"v": (1, b"1"), "w": (3, b"2")},
    "A\\One\\Deep": {},
    "B": {},
}
Model = dict[str, dict[str, tuple[int, bytes]]]

KEYS = st.sampled_from(["A", "a", "A\\One", "A\\one\\Deep", "A\\Two", "B", "B\\New\\Deeper", "C"])
VALUES = st.dictionaries(
    st.sampled_from(["v", "w", ""]),
    st.none() | st.builds(RegistryData, st.sampled_from([1, 3]), st.sampled_from([b"a", b"1", b"longer than four"])),
    max_size=2,
)
EDITS = st.lists(
    st.tuples(KEYS, st.just(True), st.just({})) | st.tuples(KEYS, st.just(False), VALUES), min_size=1, max_size=8
)


def new_hive() -> Hive:
    hive = Hive.open(Memory(real_file("hives-other/yarp/EmptyHive").read_bytes()), name="SYSTEM")
    for path, values in START.items():
        hive.create_key(path)
        for name, (kind, data) in values.items():
            hive.set_value(path, name, kind, data)
    return hive


def folded(content: Model) -> Model:
    return {path.upper(): {name.upper(): value for name, value in values.items()} for path, values in content.items()}


def carried_out(model: Model, edits: list[tuple[str, bool, dict[str, RegistryData | None]]]) -> Model:
    """What regedit would make of the edits, one after the other."""
    for key, delete, values in edits:
        path = key.upper()
        if delete:
            for each in [each for each in model if each == path or each.startswith(path + "\\")]:
                del model[each]
            continue
        names = path.split("\\")
        for count in range(1, len(names) + 1):
            model.setdefault("\\".join(names[:count]), {})
        for name, data in values.items():
            if data is None:
                model[path].pop(name.upper(), None)
            else:
                model[path][name.upper()] = (data.type, data.data)
    return model


@given(EDITS)
@settings(max_examples=150, deadline=None)
def test_a_plan_comes_to_what_the_edits_come_to(edits: list[tuple[str, bool, dict[str, RegistryData | None]]]) -> None:
    hive = new_hive()
    wanted = [WantedKey(PLACE, key, delete, tuple(values.items())) for key, delete, values in edits]
    changes = plan_edits(wanted, lambda _: hive)
    model = carried_out(folded(tree(hive)), edits)
    for change in changes:
        if isinstance(change, SetValue | DeleteValue):
            assert read_value(hive, change.key, change.name) == change.before
        _edit(hive, change)
    assert folded(tree(hive)) == model
    assert all(_holds(hive, change) for change in changes)
    assert plan_edits([each for each in wanted if not each.delete][-1:], lambda _: hive) == () or edits[-1][1]


def planned(*wanted: WantedKey) -> list[object]:
    hive = new_hive()
    return list(plan_edits(wanted, lambda _: hive))


def test_what_is_there_already_is_left_out() -> None:
    value = RegistryData(1, b"a")
    assert planned(WantedKey(PLACE, "a", values=(("V", value),))) == []
    assert planned(WantedKey(PLACE, "a", values=(("none", None),))) == []
    assert planned(WantedKey(PLACE, "None", delete=True)) == []


def test_a_key_that_is_made_again_loses_only_what_is_not_given_again() -> None:
    one = RegistryData(1, b"1")
    changes = planned(WantedKey(PLACE, "A", delete=True), WantedKey(PLACE, r"A\One", values=(("v", one),)))
    assert changes == [
        DeleteValue(PLACE, "A", "v", RegistryData(1, b"a")),
        DeleteValue(PLACE, r"A\One", "w", RegistryData(3, b"2")),
        DeleteKey(PLACE, r"A\One\Deep"),
    ]


def test_a_value_of_the_root() -> None:
    value = RegistryData(1, b"a")
    assert planned(WantedKey(PLACE, "", values=(("x", value),))) == [SetValue(PLACE, "", "x", value, None)]


def test_a_new_key_is_deleted_again_before_it_is_made() -> None:
    assert planned(WantedKey(PLACE, "New"), WantedKey(PLACE, "New", delete=True)) == []
    assert planned(WantedKey(PLACE, "New")) == [CreateKey(PLACE, "New")]
