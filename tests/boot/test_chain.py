"""The boot chain on machines in memory: every link, broken in every way."""

from collections.abc import Sequence

import pytest
from msgspec import structs
from tests.fakes import SIGNATURE, FakeFileSystem, FakePartition, machine_of, volume_of

from bootgraft.boot.chain import BootChain, follow
from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import FileSystemKind, VolumeState
from bootgraft.machine import Machine
from bootgraft.storage.disks.partitions import PartitionTable, TableKind
from bootgraft.windows.product import Product

MULTI = "multi(0)disk(0)rdisk({})partition({})"


def menu(default: str | None, *entries: str) -> bytes:
    """A boot.ini."""
    lines = ["[boot loader]", "timeout=30", *([f"default={default}"] if default else [])]
    return "\r\n".join([*lines, "[operating systems]", *entries, ""]).encode()


def entry(disk: int, partition: int, directory: str = "\\WINDOWS", rest: str = '="Windows" /fastdetect') -> str:
    return MULTI.format(disk, partition) + directory + rest


def path(disk: int, partition: int, directory: str = "\\WINDOWS") -> str:
    return MULTI.format(disk, partition) + directory


def loader(boot_ini: bytes | None, *more: str) -> FakeFileSystem:
    """The story's small C: with nothing but the loader on it."""
    contents = {} if boot_ini is None else {"\\boot.ini": boot_ini}
    return volume_of("\\ntldr", "\\NTDETECT.COM", *more, contents=contents)


def windows(*directories: str) -> FakeFileSystem:
    """A volume with these Windows directories."""
    names = ("system32\\config\\SYSTEM", "system32\\ntoskrnl.exe")
    return volume_of(*(f"{directory}\\{name}" for directory in directories for name in names), "\\pagefile.sys")


def story(boot_ini: bytes | None = None, *, directory: str = "\\WINDOWS") -> Machine:
    """A loader on partition 1, Windows on partition 2."""
    plain = menu(path(0, 2, directory), entry(0, 2, directory))
    return machine_of([FakePartition(loader(boot_ini or plain), active=True), FakePartition(windows(directory))])


def places(chain: BootChain) -> list[str]:
    """The others, as text."""
    return [f"{target.volume.name}{target.directory}" for target in chain.others]


def assert_breaks(chain: BootChain, what: str, *evidence: str, understood: bool = True) -> None:
    assert chain.default is None
    assert [step.holds for step in chain.steps] == [True] * (len(chain.steps) - 1) + [False]
    assert what in chain.steps[-1].what
    for text in evidence:
        assert text in chain.steps[-1].evidence
    assert chain.understood is understood


def test_the_story() -> None:
    chain = follow(story())
    assert [(step.what, step.where) for step in chain.steps] == [
        ("disk 0 has a partition table", "disk 0, sector 0"),
        ("disk 0 has one active partition", "disk 0, sector 0"),
        ("the active partition can be read", "disk 0 partition 1"),
        ("ntldr is on the active partition", "disk 0 partition 1: \\ntldr"),
        ("NTDETECT.COM is beside it", "disk 0 partition 1: \\NTDETECT.COM"),
        ("boot.ini is there", "disk 0 partition 1: \\boot.ini"),
        ("boot.ini names a default entry", "disk 0 partition 1: \\boot.ini"),
        ("the default entry's ARC path names disk 0 partition 2", "disk 0, partition table"),
        ("the partition of the default entry can be read", "disk 0 partition 2"),
        ("a Windows is there", "disk 0 partition 2: \\WINDOWS"),
    ]
    assert all(step.holds and step.evidence for step in chain.steps)
    assert chain.default is not None
    assert (chain.default.volume.name, chain.default.directory) == ("disk 0 partition 2", "\\WINDOWS")
    assert chain.default.entry == entry(0, 2)
    assert (chain.others, chain.understood, chain.notes) == ((), True, ())


@pytest.mark.parametrize("directory", ["\\WINNT40", "\\W2", "\\OS\\Server", "\\Windows.0"])
def test_any_directory_name_in_any_case(directory: str) -> None:
    machine = machine_of(
        [
            FakePartition(loader(menu(path(0, 2, directory.lower()), entry(0, 2, directory.upper()))), active=True),
            FakePartition(windows(directory)),
        ]
    )
    chain = follow(machine)
    assert chain.default is not None
    assert chain.default.directory == directory


def test_windows_on_a_logical_partition_behind_an_extended_and_a_hidden_one() -> None:
    partitions = [
        FakePartition(type=0xDE),
        FakePartition(loader(menu(path(0, 4), entry(0, 4))), active=True),
        FakePartition(type=0x0F),
        FakePartition(windows("\\OTHER"), logical=True),
        FakePartition(windows("\\WINDOWS"), logical=True),
    ]
    chain = follow(machine_of(partitions))
    assert chain.default is not None
    assert chain.default.volume.partition.slot == 6
    assert places(chain) == ["disk 0 partition 3\\OTHER"]


def test_the_default_entry_decides_and_the_others_are_listed() -> None:
    ini = menu(path(0, 2, "\\W2"), entry(0, 1), entry(0, 2, "\\W2"), entry(1, 1, "\\WINNT"), entry(0, 9), 'C:\\="DOS"')
    first = loader(ini)
    first.files.update(windows("\\WINDOWS").files)
    chain = follow(
        machine_of(
            [FakePartition(first, active=True), FakePartition(windows("\\W2", "\\WINDOWS"))],
            [FakePartition(windows("\\WINNT"))],
        )
    )
    assert chain.default is not None
    assert (chain.default.volume.name, chain.default.directory) == ("disk 0 partition 2", "\\W2")
    assert [(target.volume.name, target.directory, target.entry) for target in chain.others] == [
        ("disk 0 partition 1", "\\WINDOWS", entry(0, 1)),
        ("disk 1 partition 1", "\\WINNT", entry(1, 1, "\\WINNT")),
        ("disk 0 partition 2", "\\WINDOWS", ""),
    ]


def test_without_a_search_no_other_volume_is_opened() -> None:
    ini = menu(path(0, 2), entry(0, 2))
    data = windows("\\WINDOWS")
    machine = machine_of(
        [FakePartition(loader(ini), active=True), FakePartition(windows("\\WINDOWS"))], [FakePartition(data)]
    )
    assert follow(machine, search_others=False).others == ()
    assert data.calls == 0
    assert places(follow(machine)) == ["disk 1 partition 1\\WINDOWS"]


def test_a_windows_that_boot_ini_does_not_point_at_is_never_the_answer() -> None:
    machine = machine_of(
        [FakePartition(loader(menu(path(0, 1), entry(0, 1))), active=True), FakePartition(windows("\\WINDOWS"))]
    )
    chain = follow(machine)
    assert_breaks(chain, "boot.ini points at \\WINDOWS on disk 0 partition 1, which is not there")
    assert "\\WINDOWS on disk 0 partition 2 (multi(0)disk(0)rdisk(0)partition(2))" in chain.steps[-1].evidence
    assert places(chain) == ["disk 0 partition 2\\WINDOWS"]


def test_a_default_that_no_entry_has_boots_all_the_same() -> None:
    chain = follow(story(menu(path(0, 2), entry(0, 3))))
    assert chain.default is not None
    assert chain.default.entry == f"default={path(0, 2)}"


@pytest.mark.parametrize(
    ("boot_ini", "what", "evidence", "understood"),
    [
        (menu(path(0, 3), entry(0, 3)), "disk 0 has no partition(3)", "it has partition(1), partition(2)", True),
        (menu(path(0, 0), entry(0, 0)), "disk 0 has no partition(0)", "Windows was found in \\WINDOWS on", True),
        (menu(path(1, 1), entry(1, 1)), "points at disk 1, which was not given", "1 disk was given", True),
        (menu(path(0, 2, "\\WINNT"), entry(0, 2)), "points at \\WINNT on disk 0 partition 2", "pagefile.sys", True),
        (menu("partition(2)\\WINDOWS", entry(0, 2)), "no ARC path with a directory", "it takes the form", True),
        (menu(MULTI.format(0, 2), entry(0, 2)), "no ARC path with a directory", "it takes the form", True),
        (b"\xff\xfe[\0", "boot.ini cannot be read", "UTF-16", True),
        (b"[boot loader]\r\n" + b";" * 70000, "boot.ini cannot be read", "65536 bytes", True),
        (menu(None, entry(0, 2)), "names no default entry", "partition(1)\\WINDOWS", False),
        (menu(path(0, 2)), "lists no operating system", "Windows was found in", True),
        (b"[boot loader]\r\ndefault=" + path(0, 2).encode(), "lists no operating system", "no [operating", True),
        (b"\x00\x01\x02", "lists no operating system", "no [boot loader]", True),
        (menu("C:\\", 'C:\\="DOS"'), "boot sector from a file that is not there", "DOS", True),
        (
            menu("scsi(0)disk(1)rdisk(0)partition(2)\\WINDOWS", "x"),
            "there is no ntbootdd.sys",
            "Windows was found",
            True,
        ),
        (menu("signature(1a)disk(0)rdisk(0)partition(2)\\WINDOWS", "x"), "has a signature() path", "(1a)", False),
        (menu("multi(1)disk(0)rdisk(0)partition(2)\\WINDOWS", "x"), "first two numbers are not 0", "rdisk()", False),
    ],
)
def test_boot_ini_that_leads_nowhere(boot_ini: bytes, what: str, evidence: str, understood: bool) -> None:
    chain = follow(story(boot_ini))
    assert_breaks(chain, what, evidence, understood=understood)
    assert places(chain) == ["disk 0 partition 2\\WINDOWS"]


def test_control_characters_do_not_reach_the_evidence() -> None:
    chain = follow(story(menu(path(0, 2, "\\W\x1b[31m"), entry(0, 2, "\\W\x1b[31m"))))
    assert_breaks(chain, "points at \\W?[31m")
    assert all(text.isprintable() for step in chain.steps for text in (step.what, step.where, step.evidence))


@pytest.mark.parametrize(
    ("missing", "what"),
    [
        ("\\ntldr", "there is no ntldr on the active partition"),
        ("\\NTDETECT.COM", "there is no NTDETECT.COM beside ntldr"),
    ],
)
def test_missing_loader_files(missing: str, what: str) -> None:
    volume = loader(menu(path(0, 2), entry(0, 2)))
    del volume.files[missing]
    assert_breaks(follow(machine_of([FakePartition(volume, active=True), FakePartition(windows("\\WINDOWS"))])), what)


def test_without_boot_ini_there_is_nothing_on_another_partition_that_ntldr_would_start() -> None:
    machine = machine_of([FakePartition(loader(None), active=True), FakePartition(windows("\\WINDOWS"))])
    assert_breaks(follow(machine), "there is no boot.ini", "partition(1)\\WINDOWS", "and there is none")


def one_volume(boot_ini: bytes | None, *directories: str) -> Machine:
    """The loader and these Windows directories on one partition."""
    volume = loader(boot_ini)
    volume.files.update(windows(*directories).files)
    return machine_of([FakePartition(volume, active=True)])


def of_release(monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], name: str = "Microsoft Windows XP") -> None:
    for module in ("boot.ntldr.chain", "checks.chain.ntldr.new_menu"):
        product = Product(name, version, "", "", written_name=name)
        monkeypatch.setattr(f"bootgraft.{module}.find_product", lambda *_, found=product: found)


@pytest.mark.parametrize("boot_ini", [None, b"", menu(None, entry(0, 1))])
def test_what_ntldr_starts_by_itself_is_followed_where_only_one_release_of_it_can_be_there(
    boot_ini: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_release(monkeypatch, (5, 1))
    chain = follow(one_volume(boot_ini, "\\WINDOWS"))
    assert chain.default is not None
    assert (chain.default.directory, chain.default.entry) == ("\\WINDOWS", "")
    assert any("ntldr starts \\WINDOWS on the first partition" in step.what for step in chain.steps)


@pytest.mark.parametrize(
    ("boot_ini", "directories", "version"),
    [
        (None, ["\\WINNT"], (5, 0)),  # the ntldr of XP would look for \WINDOWS
        (None, ["\\WINNT"], (5, 1)),  # an upgrade: its ntldr looks for \WINDOWS
        (None, ["\\WINDOWS"], (5, 0)),  # the ntldr of 2000 would look for \WINNT
        (menu(None, entry(0, 1), entry(0, 1, "\\W2")), ["\\WINDOWS", "\\W2"], (5, 1)),
    ],
)
def test_what_depends_on_the_release_of_ntldr_is_not_guessed_at(
    boot_ini: bytes | None, directories: Sequence[str], version: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    of_release(monkeypatch, version)
    chain = follow(one_volume(boot_ini, *directories))
    assert_breaks(chain, "boot.ini", "partition(1)\\WINDOWS (\\WINNT in NT 4 and 2000)", understood=False)


def test_signature_is_followed_where_one_disk_has_it() -> None:
    signed = f"signature({SIGNATURE:x})disk(0)rdisk(0)partition(2)\\WINDOWS"
    chain = follow(story(menu(signed, f"{signed}=x")))
    assert chain.default is not None
    assert chain.default.volume.name == "disk 0 partition 2"
    assert any(step.what == "the default entry's signature() path names disk 0" for step in chain.steps)


def test_signature_that_two_disks_have_is_not_followed() -> None:
    signed = f"signature({SIGNATURE:x})disk(0)rdisk(0)partition(2)\\WINDOWS"
    system = [FakePartition(loader(menu(signed, f"{signed}=x")), active=True), FakePartition(windows("\\WINDOWS"))]
    chain = follow(machine_of(system, [FakePartition(volume_of("\\x"))]))
    assert_breaks(chain, "2 of the given disks have the signature 12345678", understood=False)


def test_scsi_is_not_followed_but_says_whether_its_driver_is_there() -> None:
    scsi = "scsi(0)disk(1)rdisk(0)partition(2)\\WINDOWS"
    volume = loader(menu(scsi, f"{scsi}=x"), "\\NTBOOTDD.SYS")
    chain = follow(machine_of([FakePartition(volume, active=True), FakePartition(windows("\\WINDOWS"))]))
    assert_breaks(chain, "depends on the controller", "\\NTBOOTDD.SYS is there", understood=False)


@pytest.mark.parametrize(
    ("path_", "file", "content", "what", "understood"),
    [
        ("C:\\", "\\BOOTSECT.DOS", b"\0" * 400 + b"IO      SYSMSDOS   SYS", "starts MS-DOS or Windows 9x", False),
        (
            "c:\\cmdcons\\bootsect.dat",
            "\\CMDCONS\\BOOTSECT.DAT",
            "cmldr".encode("utf-16-le"),
            "recovery console",
            False,
        ),
        (
            "C:\\$WIN_NT$.~BT\\BOOTSECT.DAT",
            "\\$WIN_NT$.~BT\\bootsect.dat",
            b"$LDR$      ",
            "starts Windows Setup",
            False,
        ),
        ("C:\\linux.bin", "\\linux.bin", b"\xebGRUB \0", "starts GRUB", False),
        ("C:\\x", "\\x", bytes(512), "what that starts is not known", False),
        ("C:\\x", "\\y", b"", "a file that is not there", True),
        ("D:\\x", "\\x", b"", "on another drive than C:", False),
    ],
)
def test_a_default_that_is_a_boot_sector_in_a_file(
    path_: str, file: str, content: bytes, what: str, understood: bool
) -> None:
    volume = loader(menu(path_, entry(0, 2), f'{path_}="other" /cmdcons'))
    volume.files[file] = content
    chain = follow(machine_of([FakePartition(volume, active=True), FakePartition(windows("\\WINDOWS"))]))
    assert_breaks(chain, what, understood=understood)


@pytest.mark.parametrize("missing", ["system32\\config\\SYSTEM", "system32\\ntoskrnl.exe"])
def test_a_windows_with_a_vital_file_missing(missing: str) -> None:
    volume = windows("\\WINDOWS")
    del volume.files[f"\\WINDOWS\\{missing}"]
    machine = machine_of([FakePartition(loader(menu(path(0, 2), entry(0, 2))), active=True), FakePartition(volume)])
    chain = follow(machine)
    assert_breaks(chain, f"has no {missing.rpartition(chr(92))[2]}", "put")
    assert chain.steps[-1].where == f"disk 0 partition 2: \\WINDOWS\\{missing}"


def test_compressed_ntldr_stops_ntfs_boot_code_only() -> None:
    volume = loader(menu(path(0, 2), entry(0, 2)))
    volume.attributes["\\ntldr"] = 0x820
    partitions = [FakePartition(volume, active=True), FakePartition(windows("\\WINDOWS"))]
    assert_breaks(follow(machine_of(partitions)), "ntldr is compressed")
    volume.kind = FileSystemKind.FAT16
    assert follow(machine_of(partitions)).default is not None


def two_disks(*, swapped: bool) -> Machine:
    system = [FakePartition(loader(menu(path(1, 1), entry(1, 1))), active=True)]
    data = [FakePartition(windows("\\WINDOWS"))]
    return machine_of(*((data, system) if swapped else (system, data)))


def test_windows_on_the_second_disk() -> None:
    chain = follow(two_disks(swapped=False))
    assert chain.default is not None
    assert chain.default.volume.disk == 1


def test_two_disks_in_the_wrong_order() -> None:
    chain = follow(two_disks(swapped=True))
    assert_breaks(chain, "disk 0 has no active partition", "disk 1 has an active partition with ntldr")
    assert "disk 0 partition 1 (type 0x07)" in chain.steps[-1].evidence


def test_two_disks_in_the_wrong_order_where_both_are_active() -> None:
    system = [FakePartition(loader(menu(path(1, 1), entry(1, 1))), active=True)]
    data = [FakePartition(windows("\\WINDOWS"), active=True)]
    chain = follow(machine_of(data, system))
    assert_breaks(chain, "there is no ntldr", "in the root is WINDOWS, pagefile.sys", "disk 1 has an active partition")


def test_more_than_one_active_partition() -> None:
    partitions = [FakePartition(loader(b""), active=True), FakePartition(windows("\\WINDOWS"), active=True)]
    assert_breaks(follow(machine_of(partitions)), "more than one active", "disk 0 partition 1, disk 0 partition 2")


def with_table(machine: Machine, **changes: object) -> Machine:
    machine.disks[0].table = structs.replace(machine.disks[0].table, **changes)
    return machine


def test_an_invalid_active_flag() -> None:
    chain = follow(with_table(story(), invalid_flags=(3,), problems=("partition 3 has the flag 0x90",)))
    assert_breaks(chain, "the active flag in slot 3", "0x90")


def test_tables_that_start_nothing() -> None:
    chain = follow(with_table(story(), kind=TableKind.GPT, problems=("the backup GPT is missing",)))
    assert_breaks(chain, "disk 0 has no EFI system partition", "the backup GPT is missing")
    nothing = PartitionTable(TableKind.NONE, None, (), 512, ("sector 0 holds only zeros",))
    machine = machine_of([], [FakePartition(loader(b""), active=True)])
    machine.disks[0].table = nothing
    assert_breaks(follow(machine), "disk 0 has no partition table", "only zeros", "disk 1 has an active partition")
    assert_breaks(follow(machine_of()), "no disk was given")


def test_problems_of_the_table_are_evidence() -> None:
    chain = follow(with_table(story(), problems=("partitions 3 and 4 overlap",)))
    assert chain.default is not None
    assert "partitions 3 and 4 overlap" in chain.steps[0].evidence


NTLDR, BOOTMGR = "NTLDR".encode("utf-16-le"), "BOOTMGR".encode("utf-16-le")


@pytest.mark.parametrize(
    ("files", "boot_sector", "understood", "what"),
    [
        (["\\bootmgr"], b"", True, "there is no BCD store"),
        (["\\bootmgr", "\\Boot\\BCD"], b"", True, "the BCD store cannot be read"),
        (["\\ntldr", "\\NTDETECT.COM", "\\bootmgr"], BOOTMGR, True, "there is no BCD store"),
        (["\\ntldr", "\\NTDETECT.COM", "\\bootmgr"], BOOTMGR + b"$I30" + NTLDR, True, "there is no BCD store"),
        (["\\ntldr", "\\NTDETECT.COM", "\\bootmgr"], b"BOOTMGR    ", True, "there is no BCD store"),
        (["\\ntldr", "\\NTDETECT.COM", "\\bootmgr"], b"", False, "does not say which one it starts"),
        (["\\ntldr", "\\NTDETECT.COM"], BOOTMGR + NTLDR, False, "the boot sector starts bootmgr, which is not there"),
        (["\\data.txt"], BOOTMGR + NTLDR, True, "there is no bootmgr on the active partition"),
        (["\\bootmgr", "\\Boot\\BCD"], NTLDR, True, "there is no ntldr on the active partition"),
    ],
)
def test_which_loader_starts(files: Sequence[str], boot_sector: bytes, understood: bool, what: str) -> None:
    volume = volume_of(*files, contents={"\\boot.ini": menu(path(0, 1), entry(0, 1))})
    volume.files.update(windows("\\WINDOWS").files)
    chain = follow(machine_of([FakePartition(volume, active=True, boot_sector=boot_sector)]))
    assert_breaks(chain, what, understood=understood)
    assert places(chain) == ["disk 0 partition 1\\WINDOWS"]


@pytest.mark.parametrize("code", ["NTLDR".encode("utf-16-le"), b"NTLDR      "])
def test_ntldr_beside_bootmgr_is_followed_where_the_boot_sector_names_it(code: bytes) -> None:
    volume = loader(menu(path(0, 1), entry(0, 1)), "\\bootmgr")
    volume.files.update(windows("\\WINDOWS").files)
    chain = follow(machine_of([FakePartition(volume, active=True, boot_sector=bytes(500) + code)]))
    assert chain.default is not None


def test_the_state_of_a_volume_is_said_and_does_not_stop_the_chain() -> None:
    machine = story()
    fake = machine.disks[0].volumes[1].filesystem()
    assert isinstance(fake, FakeFileSystem)
    fake.state = VolumeState.LOG_VERSION_2
    chain = follow(machine)
    assert chain.default is not None
    assert chain.steps[-2].evidence == "ntfs, log version 2"


def test_partitions_that_cannot_be_read() -> None:
    machine = machine_of([FakePartition(None, active=True), FakePartition(windows("\\WINDOWS"))])
    assert_breaks(follow(machine), "the active partition cannot be read")
    ini = menu(path(0, 2), entry(0, 2))
    machine = machine_of([FakePartition(loader(ini), active=True), FakePartition(None)])
    chain = follow(machine)
    assert_breaks(chain, "the partition of the default entry cannot be read")
    assert chain.steps[-1].where == "disk 0 partition 2"


class DamagedFileSystem(FakeFileSystem):
    """A volume that mounts and then fails at every turn."""

    def stat(self, path: str, /) -> object:  # type: ignore[override]
        raise FileSystemError("the index of the directory is damaged", where=path, advice="Run chkdsk on it")

    def listdir(self, path: str, /) -> tuple[object, ...]:  # type: ignore[override]
        raise FileSystemError("the index of the directory is damaged", where=path, advice="Run chkdsk on it")


def test_damaged_volumes_break_the_chain_or_are_noted() -> None:
    chain = follow(machine_of([FakePartition(DamagedFileSystem({}), active=True)]))
    assert_breaks(chain, "the volume is damaged", "the index of the directory is damaged. Run chkdsk on it")
    machine = story()
    volumes = machine.disks[0].volumes
    more = machine_of([], [FakePartition(DamagedFileSystem({}))]).disks[1]
    chain = follow(Machine((machine.disks[0], more)))
    assert chain.default is not None
    assert chain.default.volume is volumes[1]
    assert chain.notes == (
        "disk 1 partition 1 could not be searched for Windows: the index of the directory is damaged",
    )
