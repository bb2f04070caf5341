"""ntldr, NTDETECT.COM and boot.ini that were left behind: from the machine's own copies, or from a donor."""

from collections.abc import Mapping

import pytest
from tests.checks.chain.bios.sectors import boot_sector_bytes
from tests.checks.chain.ntldr.left_behind import (
    KERNEL,
    LOADERS,
    MENU,
    SERVICE_PACK,
    XP_SETUP,
    alone,
    kept,
    started,
    windows_xp,
)
from tests.checks.guests import followed
from tests.fakes import FakePartition, machine_of, volume_of

from bootgraft.changes import WriteFile
from bootgraft.checks.chain.ntldr import start_files_missing
from bootgraft.checks.diagnosis import findings_of
from bootgraft.checks.finding import Finding, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.drivers.guest.start_files import StartFiles
from bootgraft.windows.pe import Architecture

X86, X64 = Architecture.X86, Architecture.X64
SERVER_2003 = XP_SETUP.replace(b"MinorVersion = 1", b"MinorVersion = 2")
WINDOWS_2000 = XP_SETUP.replace(b"MinorVersion = 1", b'MinorVersion="0"')
FOR_X64 = SERVER_2003.replace(b"[Strings]", b"Architecture = amd64\r\n[Strings]")


def donor(version: tuple[int, int], arch: Architecture = X86) -> StartFiles:
    return StartFiles(version, arch, b"donor's loader", b"donor's detection", "the donor")


def only(guest: Guest) -> Finding:
    (finding,) = start_files_missing.find(guest)
    return finding


def written(finding: Finding) -> dict[str, bytes]:
    assert all(isinstance(each, WriteFile) and each.before is None for each in finding.changes)
    return {each.file.path: each.data for each in finding.changes if isinstance(each, WriteFile)}


def test_it_is_said_in_those_words_and_once() -> None:
    found = [each for each in findings_of(alone({}), Stage.CHAIN) if each.severity is Severity.BLOCKER]
    assert [each.id for each in found] == [start_files_missing.ID, "mbr-code-missing"]
    assert found[0].title == (
        "the system partition was left behind: ntldr, NTDETECT.COM and boot.ini are on none of the given disks"
    )


def test_all_three_come_from_the_service_pack() -> None:
    files = written(only(alone(kept(SERVICE_PACK))))
    assert (files["\\ntldr"], files["\\NTDETECT.COM"]) == tuple(LOADERS.values())
    assert b'partition(1)\\WINDOWS="Windows NT 5.1" /fastdetect' in files["\\boot.ini"]


def test_without_an_active_partition_they_go_to_that_of_windows() -> None:
    data = FakePartition(volume_of("\\accounts.mdb"))
    finding = only(alone(kept("\\i386"), active=False, others=(data,)))
    assert {each.file.partition_start for each in finding.changes if isinstance(each, WriteFile)} == {8192}


def test_an_active_partition_takes_them_and_the_menu_points_at_windows() -> None:
    system = FakePartition(volume_of("\\accounts.mdb"), active=True)
    guest = alone(kept("\\i386"), active=False, others=(system,))
    finding = only(guest)
    assert {each.file.partition_start for each in finding.changes if isinstance(each, WriteFile)} == {16384}
    assert b"partition(1)\\WINDOWS" in written(finding)["\\boot.ini"]


def test_the_partition_that_has_some_of_them_still_gets_the_rest() -> None:
    half = FakePartition(volume_of("\\NTDETECT.COM", contents={"\\boot.ini": MENU}))
    finding = only(alone(kept("\\i386"), active=False, others=(half,)))
    assert {each.file.partition_start for each in finding.changes if isinstance(each, WriteFile)} == {16384}
    assert set(written(finding)) == {"\\ntldr"}


@pytest.mark.parametrize(
    ("kept_files", "missing"),
    [
        ({"\\NTDETECT.COM": b"x", "\\boot.ini": MENU}, {"\\ntldr"}),
        ({"\\ntldr": b"x", "\\boot.ini": MENU}, {"\\NTDETECT.COM"}),
        ({"\\boot.ini": MENU}, {"\\ntldr", "\\NTDETECT.COM"}),
    ],
)
def test_only_what_is_missing_is_written(kept_files: Mapping[str, bytes], missing: set[str]) -> None:
    finding = only(alone({**kept("\\i386"), **kept_files}))
    assert set(written(finding)) == missing
    assert finding.title.endswith("missing on disk 0 partition 1")


@pytest.mark.parametrize(
    "folder", [SERVICE_PACK, "\\WINDOWS\\system32\\dllcache", "\\WINDOWS\\i386", "\\i386", "\\I386"]
)
def test_where_copies_lie(folder: str) -> None:
    assert "\\ntldr" in written(only(alone(kept(folder))))


def test_a_copy_on_another_volume_of_the_machine() -> None:
    finding = only(alone({}, others=(FakePartition(volume_of(contents=kept("\\i386"))),)))
    assert finding.evidence[-1] == "disk 0 partition 2: \\i386 has both, of NT 5.1"


@pytest.mark.parametrize(
    ("setup", "is_taken"),
    [(XP_SETUP, True), (SERVER_2003, True), (WINDOWS_2000, False), (FOR_X64, False), (b"[SetupData]\n", False)],
)
def test_a_loader_of_an_earlier_release_or_for_another_processor_is_not_taken(setup: bytes, *, is_taken: bool) -> None:
    finding = only(alone(kept("\\i386", setup)))
    assert (finding.remedy is Remedy.CHANGES) is is_taken
    assert bool(finding.changes) is is_taken


def test_the_very_release_comes_before_a_later_one() -> None:
    finding = only(alone({**kept("\\WINDOWS\\i386", SERVER_2003), **kept("\\i386")}))
    assert "of NT 5.1" in finding.evidence[-1]


def test_setup_text_in_unicode() -> None:
    assert only(alone(kept("\\i386", XP_SETUP.decode().encode("utf-16")))).changes


@pytest.mark.parametrize(
    ("version", "arch", "is_taken"),
    [((5, 1), X86, True), ((5, 2), X86, True), ((5, 0), X86, False), ((5, 1), X64, False), ((6, 1), X86, False)],
)
def test_a_donor_of_the_same_or_a_later_release(
    version: tuple[int, int], arch: Architecture, *, is_taken: bool
) -> None:
    finding = only(alone({}, donor(version, arch)))
    assert bool(finding.changes) is is_taken
    if is_taken:
        assert written(finding)["\\ntldr"] == b"donor's loader"
    else:
        assert finding.remedy is Remedy.BOOT_CODE
        assert "Give `repair --boot-code IMAGE`" in finding.explanation


def test_that_boot_code_is_wanting_too_is_said_at_once() -> None:
    without = alone(kept("\\i386"))
    assert "has no code that starts ntldr" in only(without).explanation
    without.machine.disks[0].device.write(8192, boot_sector_bytes())
    assert "has no code" not in only(without).explanation


def test_its_own_copies_come_before_a_donors() -> None:
    assert written(only(alone(kept("\\i386"), donor((5, 1)))))["\\ntldr"] == b"the loader"


def test_windows_on_a_logical_partition_with_no_active_one_cannot_be_helped() -> None:
    windows = FakePartition(windows_xp(kept("\\i386")), logical=True)
    guest = followed(machine_of([FakePartition(volume_of("\\x")), FakePartition(None, 5), windows]))
    finding = only(guest)
    assert (finding.remedy, finding.changes) == (Remedy.NONE, ())
    assert "is a logical partition" in finding.explanation


def test_windows_on_another_disk_cannot_be_helped() -> None:
    first = [FakePartition(volume_of("\\x"))]
    finding = only(followed(machine_of(first, [FakePartition(windows_xp(kept("\\i386")))])))
    assert finding.remedy is Remedy.NONE
    assert "give the image that starts first" in finding.explanation


def test_nothing_is_said_where_another_check_knows_more() -> None:
    loader = volume_of("\\ntldr", "\\NTDETECT.COM", contents={"\\boot.ini": MENU})
    not_active = alone(kept("\\i386"), active=False, others=(FakePartition(loader),))
    other_disk = followed(machine_of([FakePartition(windows_xp({}))], [FakePartition(loader, active=True)]))
    newer = FakePartition(
        volume_of("\\Windows\\system32\\config\\SYSTEM", contents={"\\Windows\\system32\\ntoskrnl.exe": KERNEL})
    )
    not_active_there = followed(machine_of([FakePartition(windows_xp({}))], [FakePartition(loader)]))
    two_loaders = followed(machine_of([FakePartition(windows_xp({})), FakePartition(loader), FakePartition(loader)]))
    two = alone(kept("\\i386"), others=(newer,))
    for guest in (not_active, other_disk, not_active_there, two_loaders, two, started()):
        assert list(start_files_missing.find(guest)) == []


def test_a_damaged_system_hive_is_told_and_nothing_written() -> None:
    guest = alone({**kept("\\i386"), "\\WINDOWS\\system32\\config\\SYSTEM": b"no hive"})
    finding = only(guest)
    assert (finding.remedy, finding.changes) == (Remedy.NONE, ())
