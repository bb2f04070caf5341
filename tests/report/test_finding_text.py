"""Findings that hold for several control sets are said once, naming them."""

from msgspec.structs import replace

from bootgraft.checks.finding import Finding, Severity
from bootgraft.report.finding_text import finding_lines
from bootgraft.report.layout.lines import LineRole, PrintedLine, Tone, plain, typed

FIRST = Finding(
    "off",
    Severity.BLOCKER,
    "the service x is off in ControlSet001",
    "ControlSet001 is the default control set: it stops.",
    (r"SYSTEM: ControlSet001\Services\x: Start is 4", "x.sys is there"),
)


def of_set(number: int, severity: Severity = Severity.WARNING, explanation: str | None = None) -> Finding:
    def put(text: str) -> str:
        return text.replace("ControlSet001", f"ControlSet{number:03d}")

    return replace(
        FIRST,
        severity=severity,
        title=put(FIRST.title),
        explanation=explanation or put(FIRST.explanation),
        evidence=tuple(map(put, FIRST.evidence)),
    )


def lines(*findings: Finding) -> list[str]:
    return plain(finding_lines(findings)).split("\n")[1:-1]


def test_one_control_set_is_said_as_it_is() -> None:
    assert lines(FIRST) == [
        "blocker: the service x is off in ControlSet001  [off]",
        "    ControlSet001 is the default control set: it stops.",
        r"    evidence: SYSTEM: ControlSet001\Services\x: Start is 4",
        "    evidence: x.sys is there",
    ]


def test_several_are_said_once_with_what_is_said_of_each() -> None:
    assert lines(of_set(2, explanation="ControlSet002 is not the default."), FIRST, of_set(3)) == [
        "blocker: the service x is off in ControlSet001, ControlSet002 and ControlSet003  [off]",
        "    ControlSet001 is the default control set: it stops. (also in ControlSet003)",
        "    ControlSet002 is not the default.",
        r"    evidence: SYSTEM: ControlSet001\Services\x: Start is 4 (also in ControlSet002 and ControlSet003)",
        "    evidence: x.sys is there",
    ]


def test_a_title_in_which_no_list_can_stand_names_the_others_behind_it() -> None:
    titles = (r"ControlSet001\Services\x is off", r"ControlSet002\Services\x is off", "y is off (ControlSet001)")
    one, other, third = (replace(FIRST, title=title, explanation="It stops.", evidence=()) for title in titles)
    assert lines(one, other)[0] == r"blocker: ControlSet001\Services\x is off (also in ControlSet002)  [off]"
    assert lines(third, replace(third, title="y is off (ControlSet002)"))[0] == (
        "blocker: y is off (ControlSet001 and ControlSet002)  [off]"
    )


def test_other_faults_stay_apart() -> None:
    both = replace(FIRST, title="ControlSet001 and ControlSet002 differ")
    found = lines(FIRST, replace(of_set(2), id="other"), replace(of_set(2), title="y is off in ControlSet002"), both)
    assert [line.partition(":")[0] for line in found if "  [" in line] == ["blocker", "blocker", "warning", "warning"]


def test_a_name_that_looks_like_the_mark_of_a_set_changes_nothing() -> None:
    hostile = replace(FIRST, title="\0 in ControlSet001", evidence=("\0", "in \0"))
    assert lines(hostile)[0] == "blocker: \0 in ControlSet001  [off]"
    assert lines(hostile)[2:] == ["    evidence: \0", "    evidence: in \0"]


def test_how_grave_it_is_has_its_colour() -> None:
    for severity, tone in zip(Severity, (Tone.BAD, Tone.OPEN, Tone.QUIET), strict=True):
        head = list(finding_lines([of_set(1, severity)]))[1]
        assert isinstance(head, PrintedLine)
        assert (head.tone, head.text[: head.columns[-1]]) == (tone, f"{severity}:")


def test_an_explanation_that_begins_with_our_name_is_no_command() -> None:
    explained = replace(FIRST, explanation="bootgraft cannot tell.")
    assert [typed(line).role for line in finding_lines([explained])][2] is LineRole.PROSE
