"""What stands in the way of writing to a volume, and what the user must say to go on."""

import pytest
from tests.fakes import FakeFileSystem, FakePartition, machine_of

from bootgraft.checks.machine.saved_session import SavedSession
from bootgraft.errors import UnsafeVolumeError
from bootgraft.filesystems.base import VolumeState
from bootgraft.machine import Machine, Volume
from bootgraft.repair.consent import Consent
from bootgraft.repair.writable import open_for_writing, refuse_unsafe

NOTHING = Consent()
RESET = Consent(reset_journal=True)
DISCARD = Consent(discard_hibernation=True)


def machine(state: VolumeState = VolumeState.CLEAN, *, type_: int = 7) -> tuple[Machine, Volume, Volume]:
    """A machine with a volume in this state, and a clean one."""
    made = machine_of((FakePartition(FakeFileSystem({}, state=state), type=type_), FakePartition(FakeFileSystem({}))))
    first, second = made.volumes()
    return made, first, second


def session(volume: Volume, obstacle: str | None = None) -> SavedSession:
    return SavedSession(volume, "hibr", (), obstacle)


def test_a_clean_volume_is_opened_and_nothing_is_said() -> None:
    made, clean, _ = machine()
    assert open_for_writing(made, [clean, clean], (), NOTHING) == ()


@pytest.mark.parametrize(
    ("state", "option"), [(VolumeState.UNCLEAN, "--reset-journal"), (VolumeState.LOG_VERSION_2, "--reset-journal")]
)
def test_a_journal_needs_its_own_option(state: VolumeState, option: str) -> None:
    made, volume, _ = machine(state)
    for consent in (NOTHING, DISCARD):
        with pytest.raises(UnsafeVolumeError) as caught:
            open_for_writing(made, [volume], (), consent)
        assert option in caught.value.advice
        assert "--discard-hibernation" not in caught.value.advice
    refuse_unsafe(volume, (), RESET)


def test_a_session_elsewhere_speaks_for_every_volume() -> None:
    _, sleeping, other = machine(VolumeState.HIBERNATED)
    with pytest.raises(UnsafeVolumeError) as caught:
        refuse_unsafe(other, (session(sleeping),), RESET)
    assert caught.value.where == other.name
    assert f"on {sleeping.name}, and writing" in caught.value.what
    refuse_unsafe(other, (session(sleeping),), DISCARD)


def test_what_no_option_helps_against_names_none() -> None:
    made, sleeping, other = machine(VolumeState.HIBERNATED)
    both = Consent(reset_journal=True, discard_hibernation=True)
    for sessions, told in (
        ((), "another Windows on this volume is hibernated"),
        ((session(sleeping, "its hiberfil.sys is compressed or sparse"),), "compressed"),
    ):
        with pytest.raises(UnsafeVolumeError) as caught:
            open_for_writing(made, [sleeping], sessions, both)
        assert told in caught.value.what
        assert "--" not in caught.value.advice
    with pytest.raises(UnsafeVolumeError, match="its session cannot be discarded"):
        refuse_unsafe(other, (session(sleeping, "its hiberfil.sys only names the volume that has it"),), both)


def test_one_half_of_a_set_is_never_written() -> None:
    made, half, _ = machine(type_=0x87)
    with pytest.raises(UnsafeVolumeError, match="fault-tolerant set"):
        open_for_writing(made, [half], (), RESET)
