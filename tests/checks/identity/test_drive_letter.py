"""Letters: which are found wrong, what exactly repairs them, and where nothing is claimed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.checks.identities import (
    GUIDS,
    MEGABYTES,
    NEW,
    OLD,
    TRACKS,
    Entry,
    entries,
    fixed,
    gpt,
    letters,
    mbr_disk,
    mbr_volume,
    story,
)

from bootgraft.changes import CreateKey, DeleteValue, SetValue
from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.checks.identity.drive_letter import DATA, SYSTEM, assigned_letter, check
from bootgraft.checks.identity.identity_facts import IdentityFacts
from bootgraft.checks.identity.moved_volumes import old_signature
from bootgraft.windows.mounted_devices import MountedDevice, gpt_identity, mbr_identity

C, D, E = letters()


def wanted(findings: tuple[Finding, ...]) -> dict[str, bytes | None]:
    """What the changes set and delete, by the name of the value without its volume's GUID."""
    found: dict[str, bytes | None] = {}
    for change in (each for finding in findings for each in finding.changes):
        assert isinstance(change, SetValue | DeleteValue)
        name = change.name.removeprefix("\\DosDevices\\").partition("-")[0]
        found[name] = change.value.data if isinstance(change, SetValue) else None
    return found


def test_a_machine_that_kept_its_names_is_clear() -> None:
    assert check(story()) == ()
    assert check(gpt()) == ()


def test_realigned_volumes_keep_their_letters() -> None:
    found = check(story(starts=MEGABYTES))
    assert [(each.id, each.severity) for each in found] == [
        (SYSTEM, Severity.BLOCKER), (DATA, Severity.WARNING), (DATA, Severity.WARNING),
    ]  # fmt: skip
    new = [mbr_identity(OLD, start * 512) for start in MEGABYTES]
    names = {f"\\??\\Volume{{5f40939{index}": data for index, data in enumerate(new)}
    assert wanted(found) == {"D:": new[1], "C:": new[0], "E:": new[2]} | names
    assert found[0].stop_code is None
    assert "no given volume has that name" in found[0].evidence[1]


def test_realigned_and_with_a_new_signature() -> None:
    facts = story(signature=NEW, starts=MEGABYTES)
    found = check(facts)
    assert [each.id for each in found] == [SYSTEM, DATA, DATA]
    assert check(fixed(facts, found)) == ()


def test_without_the_old_sector_in_its_boot_sector_a_data_volume_is_not_guessed() -> None:
    found = check(story(starts=MEGABYTES, hidden=MEGABYTES))
    assert [each.id for each in found] == [SYSTEM]
    assert set(wanted(found)) == {"D:", "\\??\\Volume{5f409391"}


def test_a_new_signature_moves_every_letter_of_the_disk() -> None:
    found = check(story(signature=NEW))
    assert [each.id for each in found] == [SYSTEM, DATA, DATA]
    assert {name: data for name, data in wanted(found).items() if name.endswith(":")} == {
        f"{letter}:": mbr_identity(NEW, start * 512) for letter, start in zip("CDE", TRACKS, strict=True)
    }


def test_letters_of_another_disk_that_was_not_given_stay() -> None:
    elsewhere = Entry("F", mbr_identity(0xBAD, TRACKS[0] * 512))
    found = check(story(signature=NEW, mounted=(C, D, E, elsewhere)))
    assert "F:" not in wanted(found)


def test_after_a_start_on_the_new_machine_the_letter_that_it_got_goes() -> None:
    """Windows ran once: it gave its volume F:, and a new name that mounted folders go by."""
    now = mbr_identity(NEW, TRACKS[1] * 512)
    facts = story(signature=NEW, mounted=(C, D, E, Entry("F", now)))
    found = check(facts)
    assert wanted(found[:1]) == {"D:": now, "F:": None}
    assert "\\DosDevices\\F:" in found[0].evidence[-1]
    assert check(fixed(facts, found)) == ()


def test_another_given_volume_has_the_letter() -> None:
    swapped = (Entry("D", C.data), Entry("C", D.data), E)
    facts = story(mounted=swapped)
    (found,) = check(facts)
    assert wanted((found,)) == {"D:": D.data, "C:": None}, "the other volume keeps its name, and gets a letter anew"
    assert "that is disk 0 partition 1" in found.evidence[1]


def test_a_disc_drive_has_the_letter() -> None:
    drive = Entry("D", "\\??\\SCSI#CdRom&Ven_NECVMWar".encode("utf-16-le"))
    (found,) = check(story(mounted=(C, drive, E)))
    assert wanted((found,)) == {"D:": D.data}
    assert "the drive \\??\\SCSI#CdRom&Ven_NECVMWar" in found.evidence[1]


@pytest.mark.parametrize("version", [(6, 0), (6, 1), (10, 0)])
def test_vista_and_later_are_only_warned_of(version: tuple[int, int]) -> None:
    found = check(story(signature=NEW, version=version))
    assert found[0].severity is Severity.WARNING
    assert (found[0].leaves_open, found[0].remedy) == (False, Remedy.CHANGES)


def test_a_new_partition_guid() -> None:
    facts = gpt(GUIDS[2])
    (found,) = check(facts)
    assert wanted((found,)) == {"C:": gpt_identity(GUIDS[1])}
    assert check(fixed(facts, (found,))) == ()


def test_from_mbr_to_gpt() -> None:
    facts = gpt()
    assert facts.windows is not None
    windows = replace(facts.windows, mounted=entries(Entry("C", mbr_identity(OLD, 1 << 20))))
    (found,) = check(replace(facts, windows=windows))
    assert wanted((found,)) == {"C:": gpt_identity(GUIDS[1]), "\\??\\Volume{5f409390": gpt_identity(GUIDS[1])}


def test_a_dynamic_volume_is_not_judged() -> None:
    facts = story(signature=NEW)
    assert facts.windows is not None
    volume = replace(facts.windows.volume, known_as=None)
    found = check(replace(facts, windows=replace(facts.windows, volume=volume)))
    assert SYSTEM not in {each.id for each in found}


def without_letters(root: str, *, version: tuple[int, int] = (5, 2), key: bool = True) -> IdentityFacts:
    facts = story(mounted=(), root=root, version=version)
    assert facts.windows is not None
    return facts if key else replace(facts, windows=replace(facts.windows, mounted=None))


def test_after_sysprep_the_letter_that_comes_out_right_is_no_finding() -> None:
    assert check(without_letters("D:")) == ()


@pytest.mark.parametrize("key", [True, False])
def test_after_sysprep_a_letter_that_would_be_another_one(key: bool) -> None:
    facts = without_letters("C:", key=key)
    (found,) = check(facts)
    assert (found.severity, found.leaves_open) == (Severity.WARNING, True)
    assert "would give its volume D:" in found.title
    assert isinstance(found.changes[0], CreateKey) is not key
    assert check(fixed(facts, (found,))) == ()


def test_after_sysprep_vista_and_later_find_their_own_way() -> None:
    assert check(without_letters("C:", version=(6, 1))) == ()


def test_nt4_has_no_such_key() -> None:
    assert check(without_letters("C:", version=(4, 0), key=False)) == ()


def test_no_guess_without_software() -> None:
    facts = story(signature=NEW)
    assert facts.windows is not None
    assert check(replace(facts, windows=replace(facts.windows, own_letters=(), version=(0, 0)))) == ()


def test_two_letters_of_its_own_are_told() -> None:
    facts = story(signature=NEW)
    assert facts.windows is not None
    own = (("SystemRoot", "D:"), ("PathName", "C:"))
    (found,) = check(replace(facts, windows=replace(facts.windows, own_letters=own)))
    assert (found.id, found.changes, found.leaves_open) == (SYSTEM, (), True)


def test_no_windows_no_letter() -> None:
    assert check(replace(story(), windows=None)) == ()


def test_the_order_in_which_letters_are_given() -> None:
    """Active partitions, logical drives, further primary partitions; what has a letter keeps it, and its letter."""
    volumes = (
        mbr_volume(1, 63), mbr_volume(2, 5000, active=True), mbr_volume(3, 9000, logical=True),
        mbr_volume(1, 63, signature=NEW, disk=1), mbr_volume(2, 5000, signature=NEW, disk=1, has_filesystem=False),
    )  # fmt: skip
    facts = replace(story(further=(mbr_disk(1, NEW),)), volumes=volumes)
    assert facts.windows is not None
    empty = replace(facts.windows, mounted=())
    got = [assigned_letter(facts, replace(empty, volume=volume)) for volume in volumes]
    assert got == ["F:", "C:", "E:", "D:", None]
    disc = replace(empty, mounted=(MountedDevice("\\DosDevices\\D:", b"??"),), volume=volumes[0])
    assert assigned_letter(facts, disc) == "G:"


def test_two_volumes_that_both_say_they_were_there_are_not_chosen_between() -> None:
    found = check(story(starts=MEGABYTES, hidden=(63, TRACKS[1], 63)))
    assert [each.id for each in found] == [SYSTEM]


def test_a_data_volume_that_has_another_letter_by_now_is_left_alone() -> None:
    now = Entry("G", mbr_identity(OLD, MEGABYTES[2] * 512))
    found = check(story(starts=MEGABYTES, mounted=(C, D, E, now)))
    assert [each.title[:2] for each in found if each.id == DATA] == ["C:"]


def test_two_letters_for_one_volume_are_not_chosen_between() -> None:
    twice = (C, D, E, Entry("F", E.data))
    found = check(story(signature=NEW, mounted=twice))
    assert {each.title[:2] for each in found if each.id == DATA} == {"C:"}


def test_a_signature_that_two_disks_have_proves_nothing() -> None:
    facts = story(starts=MEGABYTES, further=(mbr_disk(1, OLD),))
    assert [each.id for each in check(facts)] == [SYSTEM]


def test_the_old_signature_of_a_disk() -> None:
    facts = story(signature=NEW)
    assert facts.windows is not None
    assert old_signature(facts, facts.windows) == OLD
    twin = story(signature=NEW, further=(mbr_disk(1, OLD),))
    assert twin.windows is not None
    assert old_signature(twin, twin.windows) is None
    copied = story(signature=NEW, starts=MEGABYTES, hidden=MEGABYTES)
    assert copied.windows is not None
    assert old_signature(copied, copied.windows) is None, "nothing says that the rest of the disk came along"


names = st.lists(
    st.builds(
        Entry,
        st.sampled_from("CDEFG"),
        st.builds(mbr_identity, st.sampled_from([OLD, NEW, 0xBAD, 0]), st.sampled_from([*TRACKS, *MEGABYTES, 0]))
        | st.binary(max_size=30),
    ),
    max_size=6,
    unique_by=lambda each: each.letter,
)


@given(
    st.sampled_from([OLD, NEW]),
    st.sampled_from([TRACKS, MEGABYTES]),
    st.sampled_from([TRACKS, MEGABYTES, (63, 63, 63), (0, 0, 0)]),
    names.map(lambda found: tuple(replace(each, data=each.data) for each in found)),
    st.sampled_from("CDE"),
    st.booleans(),
)
def test_whatever_it_says_one_repair_puts_the_own_letter_right(
    signature: int, starts: tuple[int, ...], hidden: tuple[int, ...], mounted: tuple[Entry, ...], root: str, names: bool
) -> None:
    facts = story(signature=signature, starts=starts, hidden=hidden, mounted=mounted, root=f"{root}:", names=names)
    found = check(facts)
    after = fixed(facts, found)
    assert after.windows is not None
    assert check(after) == (), "a second repair is empty"
    if found and found[0].id == SYSTEM:
        mine = [each.letter for each in after.windows.mounted or () if each.data == facts.volumes[1].known_as]
        assert [each for each in mine if each] == [f"{root}:"]
    taken = [each.letter for each in after.windows.mounted or () if each.letter]
    assert len(taken) == len(set(taken))
