r"""Which Windows a boot.ini means that leads nowhere: never a guess, and what is proposed leads to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.boot.ntldr.test_freeldr import ini, reactos
from tests.boot.test_chain import DamagedFileSystem, entry, loader, menu, path, windows
from tests.checks.guests import followed
from tests.fakes import SIGNATURE, FakeFileSystem, FakePartition, machine_of, volume_of

from bootgraft.changes import WriteFile
from bootgraft.checks.chain.ntldr.boot_menu import FREELDR_WRONG_PARTITION, NOT_IN_MENU, UNSUPPORTED_PATH, find
from bootgraft.checks.finding import Finding, Severity
from bootgraft.checks.guest import Guest
from bootgraft.machine import Disk, Machine

DATA = volume_of("\\accounts.mdb")


def machine(boot_ini: bytes, *volumes: FakeFileSystem | None) -> Machine:
    """One disk: the loader's partition first, then these."""
    return machine_of([FakePartition(loader(boot_ini), active=True), *(FakePartition(each) for each in volumes)])


def findings(machine: Machine) -> list[Finding]:
    return list(find(followed(machine)))


def fault_of(machine: Machine) -> Finding:
    (fault,) = findings(machine)
    return fault


def data_of(fault: Finding) -> bytes:
    """The boot.ini that the finding's change writes."""
    (change,) = fault.changes
    assert isinstance(change, WriteFile)
    return change.data


def wrong(disk: int, partition: int) -> bytes:
    return menu(path(disk, partition), entry(disk, partition))


def assert_refused(fault: Finding, reason: str) -> None:
    assert fault.changes == ()
    assert reason in "; ".join(fault.evidence)


def test_a_menu_that_leads_somewhere_has_no_fault() -> None:
    assert findings(machine(wrong(0, 2), windows("\\WINDOWS"))) == []


def test_no_windows_of_that_directory_is_no_proposal() -> None:
    assert findings(machine(wrong(0, 3), windows("\\WINNT"))) == []


def test_a_damaged_windows_in_the_right_place_is_not_replaced_by_another() -> None:
    damaged = volume_of("\\WINDOWS\\explorer.exe")
    assert findings(machine(wrong(0, 2), damaged, windows("\\WINDOWS"))) == []


def test_vista_is_nothing_that_ntldr_could_start() -> None:
    vista = windows("\\WINDOWS")
    vista.files["\\Windows\\System32\\winload.exe"] = b""
    assert findings(machine(wrong(0, 3), vista)) == []
    assert fault_of(machine(wrong(0, 5), vista, windows("\\WINDOWS"))).changes


def test_a_volume_that_cannot_be_searched_may_be_the_one() -> None:
    damaged = DamagedFileSystem({"\\x": b""})
    assert_refused(fault_of(machine(wrong(0, 5), windows("\\WINDOWS"), damaged)), "could not be searched")


def test_a_volume_that_boot_ini_names_and_that_cannot_be_read_may_be_the_one() -> None:
    assert_refused(fault_of(machine(wrong(0, 3), windows("\\WINDOWS"), None)), "cannot be read: it may be there")


def test_two_disks_with_one_signature() -> None:
    text = f"signature({SIGNATURE:x})disk(0)rdisk(0)partition(2)\\WINDOWS"
    boot_ini = menu(text, text + "=x")
    disks = [[FakePartition(loader(boot_ini), active=True), FakePartition(windows("\\WINDOWS"))], [FakePartition(DATA)]]
    two = machine_of(*disks)
    fault = fault_of(two)  # only one of them has it there
    assert (fault.id, bool(fault.changes)) == (UNSUPPORTED_PATH, True)
    disks[1] = [FakePartition(DATA), FakePartition(windows("\\WINDOWS"))]
    assert_refused(fault_of(machine_of(*disks)), "more than one disk has that signature")


@pytest.mark.parametrize(
    "gone",
    ["signature(1234abcd)disk(0)rdisk(0)partition(1)\\WINDOWS", "multi(0)disk(0)rdisk(1)partition(1)\\WINDOWS"],
)
def test_a_disk_that_exists_no_more_by_the_users_word_is_not_waited_for(gone: str) -> None:
    built = machine(menu(gone, gone + "=x"), windows("\\WINDOWS"))
    assert_refused(fault_of(built), "if there is no such disk any more, give --these-are-all-disks")
    built.is_complete = True
    data = data_of(fault_of(built))
    assert data == menu(path(0, 2), path(0, 2) + "=x")
    assert findings(machine(data, windows("\\WINDOWS"))) == []


def test_the_users_word_says_nothing_of_several_windows() -> None:
    gone = "signature(1234abcd)disk(0)rdisk(0)partition(1)\\WINDOWS"
    built = machine(menu(gone, gone + "=x"), windows("\\WINDOWS"), windows("\\WINDOWS"))
    built.is_complete = True
    assert_refused(fault_of(built), "more than one fits")


def test_a_signature_of_zero_names_no_disk() -> None:
    text = "signature(0)disk(0)rdisk(0)partition(2)\\WINDOWS"
    built = machine(menu(text, text + "=x"), windows("\\WINDOWS"))
    (disk,) = built.disks
    unsigned = Machine((Disk(0, disk.device, replace(disk.table, signature=0), disk.volumes),))
    assert_refused(fault_of(unsigned), "no given disk has the signature 00000000")


def test_a_default_that_cannot_be_understood_takes_the_only_entry_that_leads_to_the_only_windows() -> None:
    broken = menu("multi(0)disk(0)partition(2)\\WINDOWS", entry(0, 2))
    fault = fault_of(machine(broken, windows("\\WINDOWS")))
    assert fault.id == NOT_IN_MENU
    assert b"default=multi(0)disk(0)rdisk(0)partition(2)\\WINDOWS\r\n" in data_of(fault)
    assert_refused(fault_of(machine(broken, windows("\\WINDOWS"), windows("\\WINNT"))), "\\WINNT on disk 0 partition 3")


def test_a_default_outside_the_menu_that_boots_is_told_even_where_nothing_can_be_done() -> None:
    guest = followed(machine(menu(path(0, 2), entry(0, 2, "\\W2")), windows("\\WINDOWS", "\\W2")))
    assert guest.chain.default is not None
    (fault,) = find(guest)
    assert (fault.severity, fault.changes) == (Severity.WARNING, ())


def test_long_and_strange_names_fit_into_a_title() -> None:
    name = "\\" + "x" * 200 + "\x1b"
    fault = fault_of(machine(menu(path(0, 3, name), entry(0, 3, name)), windows(name)))
    assert len(fault.title) < 120
    assert fault.title.isprintable()


ARCS = st.builds(
    lambda kind, disk, partition, name: f"{kind}disk(0)rdisk({disk})partition({partition})\\{name}",
    st.sampled_from(["multi(0)", "multi(0)", "multi(0)", "scsi(0)", "multi(1)", f"signature({SIGNATURE:x})"]),
    st.integers(0, 2), st.integers(0, 5), st.sampled_from(["WINDOWS", "WINNT", "windows", "W2"]),
)  # fmt: skip
NAMES = st.lists(st.sampled_from(["\\WINDOWS", "\\WINNT", "\\W2"]), max_size=2, unique=True)


@settings(max_examples=300, deadline=None)
@given(default=ARCS, entries=st.lists(ARCS, max_size=4), volumes=st.lists(NAMES, max_size=4), second=NAMES)
def test_what_is_proposed_leads_to_the_only_windows_of_that_directory(
    default: str, entries: list[str], volumes: list[list[str]], second: list[str]
) -> None:
    def guest(boot_ini: bytes) -> Guest:
        first = [FakePartition(loader(boot_ini), active=True), *(FakePartition(windows(*each)) for each in volumes)]
        return followed(machine_of(first, [FakePartition(windows(*second))]))

    found = list(find(guest(menu(default, *(f"{each}=x" for each in entries)))))
    if not found or not found[0].changes:
        return
    (fault,) = found
    fixed = guest(data_of(fault))
    assert fixed.chain.default is not None
    left = list(find(fixed))
    assert [(each.id, each.changes) for each in left] in ([], [(NOT_IN_MENU, ())])
    if not default.startswith("signature") and fault.id != NOT_IN_MENU:
        directory = default.rpartition("\\")[2].casefold()
        assert [name[1:].casefold() for each in (*volumes, second) for name in each].count(directory) == 1
        assert fixed.chain.default.directory[1:].casefold() == directory


def test_both_entries_of_freeldr_ini_are_repaired_and_nothing_else() -> None:
    wrong = ini(path(0, 3, "\\ReactOS"))
    (fault,) = find(followed(reactos(wrong)))
    assert fault.id == FREELDR_WRONG_PARTITION
    assert fault.title == "freeldr.ini points at disk 0 partition 3, where there is no \\ReactOS"
    (change,) = fault.changes
    assert isinstance(change, WriteFile)
    assert change.file.path == "\\freeldr.ini"
    assert change.data == wrong.replace(b"partition(3)", b"partition(2)")
    assert list(find(followed(reactos(ini(path(0, 2, "\\reactos")))))) == []
