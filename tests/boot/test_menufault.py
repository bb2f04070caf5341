r"""Which Windows a boot.ini means that leads nowhere: never a guess, and what is proposed leads to it."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.boot.test_chain import DamagedFileSystem, entry, loader, menu, path, windows
from tests.fakes import SIGNATURE, FakeFileSystem, FakePartition, machine_of, volume_of

from bootgraft.boot.chain import BootChain, follow
from bootgraft.boot.menufault import MenuFault, MenuFaultKind
from bootgraft.machine import Disk, Machine

DATA = volume_of("\\accounts.mdb")


def machine(boot_ini: bytes, *volumes: FakeFileSystem | None) -> Machine:
    """One disk: the loader's partition first, then these."""
    return machine_of([FakePartition(loader(boot_ini), active=True), *(FakePartition(each) for each in volumes)])


def fault_of(followed: Machine) -> MenuFault:
    fault = follow(followed).menu_fault
    assert fault is not None
    return fault


def wrong(disk: int, partition: int) -> bytes:
    return menu(path(disk, partition), entry(disk, partition))


def assert_refused(fault: MenuFault, reason: str) -> None:
    assert fault.change is None
    assert reason in "; ".join(fault.evidence)


def test_a_menu_that_leads_somewhere_has_no_fault() -> None:
    assert follow(machine(wrong(0, 2), windows("\\WINDOWS"))).menu_fault is None


def test_no_windows_of_that_directory_is_no_proposal() -> None:
    assert follow(machine(wrong(0, 3), windows("\\WINNT"))).menu_fault is None


def test_a_damaged_windows_in_the_right_place_is_not_replaced_by_another() -> None:
    damaged = volume_of("\\WINDOWS\\explorer.exe")
    assert follow(machine(wrong(0, 2), damaged, windows("\\WINDOWS"))).menu_fault is None


def test_vista_is_nothing_that_ntldr_could_start() -> None:
    vista = windows("\\WINDOWS")
    vista.files["\\Windows\\System32\\winload.exe"] = b""
    assert follow(machine(wrong(0, 3), vista)).menu_fault is None
    assert fault_of(machine(wrong(0, 5), vista, windows("\\WINDOWS"))).change is not None


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
    assert (fault.kind, fault.change is None) == (MenuFaultKind.UNSUPPORTED_PATH, False)
    disks[1] = [FakePartition(DATA), FakePartition(windows("\\WINDOWS"))]
    assert_refused(fault_of(machine_of(*disks)), "more than one disk has that signature")


def test_a_signature_of_zero_names_no_disk() -> None:
    text = "signature(0)disk(0)rdisk(0)partition(2)\\WINDOWS"
    built = machine(menu(text, text + "=x"), windows("\\WINDOWS"))
    (disk,) = built.disks
    unsigned = Machine((Disk(0, disk.device, replace(disk.table, signature=0), disk.volumes),))
    assert_refused(fault_of(unsigned), "no given disk has the signature 00000000")


def test_a_default_that_cannot_be_understood_takes_the_only_entry_that_leads_to_the_only_windows() -> None:
    broken = menu("multi(0)disk(0)partition(2)\\WINDOWS", entry(0, 2))
    fault = fault_of(machine(broken, windows("\\WINDOWS")))
    assert fault.kind is MenuFaultKind.NOT_IN_MENU
    assert fault.change is not None
    assert b"default=multi(0)disk(0)rdisk(0)partition(2)\\WINDOWS\r\n" in fault.change.data
    assert_refused(fault_of(machine(broken, windows("\\WINDOWS"), windows("\\WINNT"))), "\\WINNT on disk 0 partition 3")


def test_a_default_outside_the_menu_that_boots_is_told_even_where_nothing_can_be_done() -> None:
    chain = follow(machine(menu(path(0, 2), entry(0, 2, "\\W2")), windows("\\WINDOWS", "\\W2")))
    assert chain.default is not None
    assert chain.menu_fault is not None
    assert chain.menu_fault.change is None


def test_long_and_strange_names_fit_into_a_title() -> None:
    name = "\\" + "x" * 200 + "\x1b"
    fault = fault_of(machine(menu(path(0, 3, name), entry(0, 3, name)), windows(name)))
    assert len(fault.what) < 120
    assert fault.what.isprintable()


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
    def followed(boot_ini: bytes) -> BootChain:
        first = [FakePartition(loader(boot_ini), active=True), *(FakePartition(windows(*each)) for each in volumes)]
        return follow(machine_of(first, [FakePartition(windows(*second))]))

    fault = followed(menu(default, *(f"{each}=x" for each in entries))).menu_fault
    if fault is None or fault.change is None:
        return
    mended = followed(fault.change.data)
    assert mended.default is not None
    left = mended.menu_fault
    assert left is None or (left.kind, left.change) == (MenuFaultKind.NOT_IN_MENU, None)
    if not default.startswith("signature") and fault.kind is not MenuFaultKind.NOT_IN_MENU:
        directory = default.rpartition("\\")[2].casefold()
        assert [name[1:].casefold() for each in (*volumes, second) for name in each].count(directory) == 1
        assert mended.default.directory[1:].casefold() == directory
