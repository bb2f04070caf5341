"""What explains a symptom, in words."""

from tests.checks.guests import guest_of
from tests.checks.subjects import LSI_LOGIC, chain

from bootgraft.checks.diagnosis import diagnose
from bootgraft.checks.finding import Need
from bootgraft.checks.suspects import NotLookedAt, Suspects, Unexplained
from bootgraft.checks.symptom import Symptom
from bootgraft.report.suspects import suspects_document, suspects_lines

NOTHING = Suspects(Symptom.STOP_7B, (), (), (), (), (), of_target=False)
HEAD = ["", "What the screen shows: STOP 0x7B INACCESSIBLE_BOOT_DEVICE."]


def lines(**found: object) -> list[str]:
    suspects = Suspects(**{name: getattr(NOTHING, name) for name in Suspects.__struct_fields__} | found)
    return list(suspects_lines(suspects, diagnose(guest_of(chain(), controller=LSI_LOGIC))))


def test_what_explains_it_is_all_that_is_said() -> None:
    assert lines(explained_by=("a", "b"), looked_at=("c",)) == [*HEAD, "It is explained by: a, b (below)."]


def test_a_blocker_that_does_not_explain_it_is_said_not_to() -> None:
    found = lines(explained_by=("a",), unexplained=(Unexplained("b", (Symptom.STOP_24,)), Unexplained("c", ())))
    assert found[3:] == [
        "It is not explained by b, which stops the start too, but shows: STOP 0x24 NTFS_FILE_SYSTEM.",
        "It is not explained by c, which stops the start too, but shows: nothing that is known.",
    ]


def test_where_nothing_explains_it_what_else_may_is_told() -> None:
    left_out = NotLookedAt(("c", "d"), Need.WINDOWS, "the boot chain does not arrive at a Windows")
    assert lines(looked_at=("a", "b"), not_looked_at=(left_out,), of_target=True) == [
        *HEAD,
        "Nothing that was found explains it.",
        "Known to lead to it, looked for and not found: a, b.",
        "Known to lead to it, but not looked for, because the boot chain does not arrive at a Windows: c, d.",
        "Drivers were judged for vmware:lsilogic: a machine with another controller may show it.",
    ]


def test_what_may_have_led_to_it_is_not_said_to_have() -> None:
    assert lines(perhaps=("a",)) == [*HEAD, "Possible causes: a (below)."]


def test_a_symptom_that_nothing_leads_to() -> None:
    assert lines() == [*HEAD, "No finding of bootgraft leads to it."]


def test_programs_get_the_same() -> None:
    document = suspects_document(NOTHING)
    assert (document.name, document.screen) == ("0x7b", "a STOP of Windows")
