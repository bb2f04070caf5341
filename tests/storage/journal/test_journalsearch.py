"""Finding journals: beside disk 0, by --journal, by pointers; and telling which disks are missing."""

import json
import os
from pathlib import Path

import pytest
from tests.storage.journal.test_commit import A_JOURNAL, B_POINTER, repair
from tests.storage.journal_machine import RawMachine, crash, noise, two_disks

from bootgraft.errors import ImageError, JournalError, UsageError
from bootgraft.storage.journal.head import JournalDisk, JournalHead, JournalState
from bootgraft.storage.journal.journaldisks import Journal, command, match_disks
from bootgraft.storage.journal.journalsearch import (
    find_journal,
    new_journal_path,
    require_journal,
    require_no_unfinished,
)
from bootgraft.storage.journal.pointers import pointer_beside, read_pointer


def test_any_disk_finds_the_journal(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    assert find_journal(machine.locations) is None
    path = repair(machine)
    for locations in (machine.locations, machine.locations[::-1], *([one] for one in machine.locations)):
        found = find_journal(locations)
        assert found is not None
        assert found.path == path
        assert not found.explicit


def test_other_names_of_a_disk_find_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = two_disks(tmp_path / "vm")
    path = repair(machine)
    (tmp_path / "link.img").symlink_to(tmp_path / "vm" / "a.img")
    monkeypatch.chdir(tmp_path / "vm")
    for name in ("a.img", "../vm/a.img", str(tmp_path / "link.img")):
        assert require_journal([name, "b.img"]).path == path


def test_the_bare_extent_of_a_flat_vmdk_finds_the_descriptors_journal(tmp_path: Path) -> None:
    machine = RawMachine(tmp_path)
    machine.add("vm.vmdk", noise(1, 4096), [(0, noise(2, 512), False)])
    (tmp_path / "vm-flat.vmdk").write_bytes(b"")
    path = repair(machine)
    found = require_journal([str(tmp_path / "vm-flat.vmdk")])
    assert found.path == path
    with pytest.raises(JournalError, match=r"missing .*/vm\.vmdk"):
        match_disks(found, [str(tmp_path / "vm-flat.vmdk")])


def test_the_descriptor_of_a_flat_vmdk_finds_the_bare_extents_journal(tmp_path: Path) -> None:
    machine = RawMachine(tmp_path)
    machine.add("vm-flat.vmdk", noise(1, 4096), [(0, noise(2, 512), False)])
    (tmp_path / "vm.vmdk").write_bytes(b"")
    steps = iter(range(100))
    while not (tmp_path / "vm-flat.vmdk.bootgraft-1.journal").exists():
        assert crash(next(steps), lambda: repair(machine))
    with pytest.raises(JournalError, match=r"(?s)interrupted.*bootgraft undo .*/vm-flat\.vmdk"):
        require_no_unfinished([str(tmp_path / "vm.vmdk")])


def test_journals_of_disks_with_like_names_are_not_mixed_up(tmp_path: Path) -> None:
    machine = RawMachine(tmp_path)
    machine.add("a.img", noise(1, 4096), [(0, noise(2, 512), False)])
    repair(machine)
    for name in ("a", "img", "aXimg", "a.img2", "b.a.img"):
        (tmp_path / name).write_bytes(b"")
        assert find_journal([str(tmp_path / name)]) is None


def test_without_a_journal_the_user_is_told(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    with pytest.raises(JournalError, match=r"no undo journal lies beside these disks.*--journal PATH"):
        require_journal(machine.locations)
    with pytest.raises(JournalError, match="there is no such undo journal"):
        require_journal(machine.locations, tmp_path / "nothing")


def test_uris_and_block_devices_want_a_journal_path(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    for location in ("nbd://host/disk", "nbd+unix:///?socket=/tmp/s", "/dev/loop0"):
        if location.startswith("/dev") and not Path(location).is_block_device():
            continue
        with pytest.raises(UsageError, match="--journal PATH"):
            new_journal_path([*machine.locations, location])
    assert new_journal_path(["nbd://host/disk"], tmp_path / "j") == tmp_path / "j"
    assert find_journal(["nbd://host/disk"]) is None


def test_disks_repaired_separately_are_told_apart(tmp_path: Path) -> None:
    machines = []
    for name in ("a.img", "b.img"):
        machine = RawMachine(tmp_path)
        machine.add(name, noise(1, 4096), [(0, noise(2, 512), False)])
        repair(machine)
        machines.append(machine)
    both = [machine.locations[0] for machine in machines]
    with pytest.raises(JournalError, match="repaired separately"):
        find_journal(both)
    require_no_unfinished(both)
    assert new_journal_path(both).name == "a.img.bootgraft-2.journal"


def test_a_later_repair_must_be_undone_first(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    first = repair(machine)
    repair(machine, changes={"a.img": ((0, noise(7, 512), False),), "b.img": ()})
    with pytest.raises(JournalError, match=r"a later repair.*undone first"):
        find_journal(machine.locations, first)


def test_a_journal_given_by_path_that_nothing_points_to_stays_explicit(tmp_path: Path) -> None:
    machine = two_disks(tmp_path / "vm")
    path = repair(machine)
    moved = path.rename(tmp_path / "kept.journal")
    with pytest.raises(JournalError, match=r"is not there.*Give --journal PATH"):
        find_journal(machine.locations)
    found = require_journal(machine.locations, moved)
    assert found.explicit
    assert command("undo", found, machine.locations).endswith(f"--journal {moved}")


def head(*disks: JournalDisk) -> JournalHead:
    return JournalHead("bootgraft", "2026-01-02", 1, "", disks, ())


def disk(location: str, path: Path | None) -> JournalDisk:
    return JournalDisk(location, path, "raw", "", 512, (), ())


def test_disks_are_matched_by_path_then_name_then_place(tmp_path: Path) -> None:
    a, b, c = (tmp_path / name / "d.img" for name in "abc")
    for path in (a, b, c):
        path.parent.mkdir()
        path.write_bytes(b"")
    journal = Journal(tmp_path / "j", head(disk("d", a), disk("d", b)), JournalState.SEALED, explicit=False)
    assert match_disks(journal, [str(b), str(a)]) == (1, 0)
    assert match_disks(journal, [str(c), str(b), str(a)]) == (2, 1)
    with pytest.raises(JournalError, match=f"covers 2 disks.*missing {b}"):
        match_disks(journal, [str(a)])
    uris = Journal(
        tmp_path / "j", head(disk("nbd://h:1/", None), disk("nbd://h:2/", None)), JournalState.SEALED, explicit=True
    )
    assert match_disks(uris, ["nbd://h:2/", "nbd://h:1/"]) == (1, 0)
    assert match_disks(uris, ["nbd://h:7/", "nbd://h:1/"]) == (1, 0)
    assert match_disks(uris, ["nbd://h:7/", "nbd://h:8/"]) == (0, 1)
    with pytest.raises(JournalError, match="missing nbd://h:2/"):
        match_disks(uris, ["nbd://h:1/"])


def test_names_in_commands_are_quoted(tmp_path: Path) -> None:
    (tmp_path / "a b").touch()
    journal = Journal(tmp_path / "j", head(disk("a b", tmp_path / "a b")), JournalState.SEALED, explicit=False)
    assert command("undo", journal, ["a b; rm"]) == f"bootgraft undo '{tmp_path / 'a b'}'"


GOOD = {"pointer": "bootgraft-journal", "version": 1, "journals": ["j"]}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff",
        b"[" * 60000,
        b"[]",
        json.dumps({**GOOD, "version": 2}).encode(),
        json.dumps({**GOOD, "more": 2}).encode(),
        json.dumps({**GOOD, "journals": []}).encode(),
        json.dumps({**GOOD, "journals": ["../j"]}).encode(),
        json.dumps({**GOOD, "journals": [".."]}).encode(),
        json.dumps({**GOOD, "journals": [""]}).encode(),
        json.dumps({**GOOD, "journals": ["a\0b"]}).encode(),
        json.dumps({**GOOD, "journals": [5]}).encode(),
        json.dumps({**GOOD, "journals": ["\ud800"]}).encode(),
        json.dumps({**GOOD, "journals": ["j"] * 257}).encode(),
        json.dumps(GOOD).encode() + b" " * 70000,
    ],
)
def test_a_pointer_of_another_shape_is_damaged(tmp_path: Path, document: bytes) -> None:
    pointer = pointer_beside(tmp_path / "a.img")
    pointer.write_bytes(document)
    with pytest.raises(JournalError, match="damaged"):
        find_journal([str(tmp_path / "a.img")])
    assert pointer.read_bytes() == document


def test_a_pointer_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(pointer_beside(tmp_path / "a.img"))
    with pytest.raises(JournalError, match="not a plain file"):
        find_journal([str(tmp_path / "a.img")])


def test_a_pointer_names_a_journal_in_its_own_folder_without_the_folder(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    repair(machine)
    assert json.loads((tmp_path / B_POINTER).read_bytes())["journals"] == [A_JOURNAL]
    assert read_pointer(tmp_path / B_POINTER) == (tmp_path / A_JOURNAL,)


def test_a_pointer_to_what_is_no_journal_is_an_error(tmp_path: Path) -> None:
    pointer_beside(tmp_path / "a.img").write_text(json.dumps({**GOOD, "journals": ["/dev/zero"]}))
    with pytest.raises(JournalError, match="not a plain file"):
        find_journal([str(tmp_path / "a.img")])


def test_what_is_no_path_at_all_is_told_apart_from_a_disk_without_a_journal(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="there is no such file"):
        require_journal([str(tmp_path / "nothing.img")])
    with pytest.raises(ImageError, match="it cannot be looked at"):
        require_journal([str(tmp_path / ("n" * 300))])
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(ImageError):
        require_journal([str(tmp_path / "circle")])
    machine = two_disks(tmp_path)
    assert find_journal(machine.locations, tmp_path / ("n" * 300)) is None
