"""Signatures: when the old one comes back, and when nothing is chosen."""

import pytest
from msgspec.structs import replace
from tests.checks.identities import (
    DISK_GUID,
    NEW,
    OLD,
    TRACKS,
    Entry,
    fixed,
    gpt,
    letters,
    mbr_disk,
    mbr_volume,
    story,
)

from bootgraft.boot.references import DiskReference
from bootgraft.changes import WriteSectors
from bootgraft.checks.finding import Severity
from bootgraft.checks.identity import drive_letter
from bootgraft.checks.identity.disk_signature import CHANGED, COLLISION, ZERO, check
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.windows.mounted_devices import mbr_identity

WINDOWS_AT = TRACKS[1] * 512
IN_STORE = DiskReference(OLD, WINDOWS_AT, "the BCD store")


def test_healthy() -> None:
    assert check(story()) == ()
    assert check(gpt()) == ()


def test_the_old_signature_comes_back() -> None:
    facts = story(signature=0)
    (found,) = check(facts)
    assert (found.id, found.severity, found.ends_log_on) == (ZERO, Severity.BLOCKER, True)
    assert "every log-on ends at once" in found.explanation
    assert found.changes == (
        WriteSectors(0, 0x1B8, OLD.to_bytes(4, "little"), bytes(4), "the signature of disk 0 in the MBR"),
    )
    after = fixed(facts, (found,))
    assert (check(after), drive_letter.check(after)) == ((), ())
    assert drive_letter.check(facts) == (), "a letter for a volume without a name would be wrong again at once"


def test_the_store_alone_says_it_too() -> None:
    facts = replace(story(signature=0), windows=None, references=(IN_STORE,))
    (found,) = check(facts)
    assert (len(found.changes), found.ends_log_on) == (1, False)
    elsewhere = replace(facts, references=(replace(IN_STORE, offset=12345),))
    (found,) = check(elsewhere)
    assert (found.changes, found.severity) == ((), Severity.WARNING)


def test_two_disks_without_a_signature_that_both_fit_the_store_get_none_from_it() -> None:
    twin = mbr_disk(1, 0)
    facts = replace(story(signature=0, further=(twin,)), windows=None, references=(IN_STORE,))
    (found,) = check(facts)
    assert len(found.changes) == 1
    volumes = (*facts.volumes, mbr_volume(1, TRACKS[1], signature=0, disk=1))
    (found,) = check(replace(facts, volumes=volumes))
    assert found.changes == ()


def test_two_disks_are_never_given_the_same_one() -> None:
    """Windows is on disk 0 by its own word; the store means a place of that same disk, which only disk 1 has."""
    facts = story(signature=0, further=(mbr_disk(1, 0),))
    assert facts.windows is not None
    elsewhere = mbr_volume(1, 777, signature=0, disk=1)
    store = replace(IN_STORE, offset=elsewhere.start)
    found = check(replace(facts, volumes=(*facts.volumes, elsewhere), references=(store,)))
    assert [each.changes for each in found] == [()]
    assert "disk 1 has or had that one" in found[0].explanation


def test_boot_ini_alone_does_not() -> None:
    facts = replace(story(signature=0, mounted=()), references=(DiskReference(OLD, None, "boot.ini, line 5"),))
    (found,) = check(facts)
    assert (found.changes, found.severity) == ((), Severity.WARNING)
    (found,) = check(replace(facts, is_complete=True))
    assert [each.data for each in found.changes if isinstance(each, WriteSectors)] == [OLD.to_bytes(4, "little")]
    (found,) = check(replace(facts, is_complete=True, disks=(*facts.disks, mbr_disk(1, 0))))
    assert found.changes == ()


@pytest.mark.parametrize("other", [IN_STORE, DiskReference(OLD, None, "boot.ini")])
def test_those_that_agree(other: DiskReference) -> None:
    facts = replace(story(signature=0), references=(other,))
    (found,) = check(facts)
    assert (len(found.changes), len(found.evidence)) == (1, 3)
    (found,) = check(replace(facts, references=(replace(other, signature=NEW),)))
    assert found.changes == ()
    assert "do not agree" in found.explanation


def test_a_copy_that_has_the_signature_keeps_it() -> None:
    (found,) = [each for each in check(story(signature=0, further=(mbr_disk(1, OLD),))) if each.id == ZERO]
    assert (found.changes, found.severity) == ((), Severity.BLOCKER)
    assert "disk 1 has or had that one" in found.explanation


def test_nobody_names_it() -> None:
    (found,) = check(story(signature=0, mounted=()))
    assert (found.severity, found.changes) == (Severity.WARNING, ())


def test_vista_and_later_without_a_name_in_the_store_are_warned() -> None:
    (found,) = check(story(signature=0, version=(6, 1)))
    assert (found.severity, len(found.changes)) == (Severity.WARNING, 1)


def test_nt4_writes_none_by_itself() -> None:
    facts = story(signature=0, version=(4, 0))
    assert facts.windows is not None
    (found,) = check(replace(facts, windows=replace(facts.windows, mounted=None)))
    assert found.severity is Severity.INFO


def test_only_disks_that_matter_are_asked_for_one() -> None:
    assert check(story(further=(mbr_disk(1, 0),))) == ()
    assert check(replace(story(signature=0), volumes=())) == ()


def test_a_changed_one_explains_the_letters() -> None:
    (found,) = check(story(signature=NEW))
    assert (found.id, found.severity, found.changes) == (CHANGED, Severity.INFO, ())
    assert f"{OLD:08x}" in found.title
    assert check(story(signature=NEW, mounted=letters(NEW))) == ()
    assert check(story(signature=NEW, mounted=(Entry("D", mbr_identity(OLD, 512)),))) == ()


def test_two_disks_with_one_signature() -> None:
    (found,) = check(story(further=(mbr_disk(1, OLD, total=2),)))
    assert (found.id, found.severity, found.leaves_open) == (COLLISION, Severity.WARNING, False)
    (found,) = check(story(further=(mbr_disk(1, OLD),)))
    assert (found.leaves_open, found.changes) == (True, ())
    assert "sectors 0 add up to the same" in found.evidence[0]
    (found,) = check(story(version=(6, 1), further=(mbr_disk(1, OLD),)))
    assert not found.leaves_open


def test_two_disks_with_one_guid() -> None:
    facts = gpt()
    twins = (*facts.disks, replace(facts.disks[0], index=1, name="disk 1"))
    (found,) = check(replace(facts, disks=twins))
    assert found.title == f"disk 0 and disk 1 have the same GUID {{{DISK_GUID}}}"
    assert facts.disks[0].kind is TableKind.GPT
