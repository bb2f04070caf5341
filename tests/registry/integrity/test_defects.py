"""What each Windows makes of each kind of defect."""

import pytest

from bootgraft.registry.integrity.defects import CONSEQUENCES, DefectKind, DefectSeverity, Generation, consequence


def test_every_kind_has_a_consequence_in_every_generation() -> None:
    assert set(CONSEQUENCES) == set(DefectKind)
    assert {len(each) for each in CONSEQUENCES.values()} == {len(Generation)}


@pytest.mark.parametrize(
    ("kind", "old", "middle", "new", "unknown"),
    [
        (DefectKind.ROOT_KEY, "rejects", "rejects", "rejects", "rejects"),
        (DefectKind.VALUE_DATA, "rejects", "rejects", "drops", "rejects"),
        (DefectKind.SUBKEY_COUNT, "rejects", "rejects", "tolerates", "rejects"),
        (DefectKind.SUBKEY_LIST_KIND, "rejects", "tolerates", "tolerates", "rejects"),
        (DefectKind.SUBKEY_ORDER, "loses", "loses", "drops", "drops"),
        (DefectKind.SUBKEY_HASH, "loses", "loses", "loses", "loses"),
        (DefectKind.MAXIMUM, "harmless", "harmless", "harmless", "harmless"),
    ],
)
def test_who_does_what(kind: DefectKind, old: str, middle: str, new: str, unknown: str) -> None:
    assert [consequence(kind, each) for each in (*Generation, None)] == [old, middle, new, unknown]


def test_later_windows_are_never_stricter_but_in_what_they_take_away() -> None:
    order = list(DefectSeverity)
    for kind, (old, middle, new) in CONSEQUENCES.items():
        assert order.index(old) <= order.index(middle), kind
        assert new is not DefectSeverity.REJECTS or middle is DefectSeverity.REJECTS, kind
