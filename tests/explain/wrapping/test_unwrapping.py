"""What other programs put around a line, layer by layer, and in whole logs."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.explain import logs

from bootgraft.explain.logreader import LogReader
from bootgraft.explain.logreport import LogReport
from bootgraft.explain.reading import Line, lines
from bootgraft.explain.wrapping.unwrapping import MAX_TEXT, LogLine, Unwrapper

STAMP = "2025-10-24T09:09:17-04:00"
CLOUDSTACK = (
    "2025-09-19 20:29:15,109 INFO  [resource.wrapper.LibvirtConvertInstanceCommandWrapper] (Script-6:[]) (logid:) "
    "(virt-v2v ovf source: /mnt/f1/i-2-20-VM/ progress)"
)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


Wrap = Callable[[str], str]
WRAPPERS: dict[str, Wrap] = {
    "none": lambda text: text,
    "cri": lambda text: f"2024-01-02T03:04:05.678901234Z stderr F {text}",
    "docker": lambda text: json.dumps({"log": f"{text}\n", "stream": "stderr", "time": "2024-01-02T03:04:05.6Z"}),
    "klog": lambda text: f"I0102 03:04:05.678901       1 exec.go:12] {text}",
    "syslog": lambda text: f"Jan  2 03:04:05 host1 run-v2v[123]: {text}",
    "journal iso": lambda text: f"2024-01-02T03:04:05+0100 host1 run-v2v[123]: {text}",
    "journal unix": lambda text: f"1704161045.123456 host1 run-v2v[123]: {text}",
    "rfc 5424": lambda text: f'<30>1 2024-01-02T03:04:05.6Z host1 run-v2v 123 - [a@1 b="c"] {text}',
    "journal json": lambda text: json.dumps(
        {"MESSAGE": text, "SYSLOG_IDENTIFIER": "sh", "_PID": "7", "__REALTIME_TIMESTAMP": "1704161045123456"}
    ),
    "journal json bytes": lambda text: json.dumps({"MESSAGE": list(f"\x1b[1m{text}\x1b[0m".encode()), "_PID": "7"}),
    "logrus": lambda text: f'time="{STAMP}" level=info msg={quoted(f"[nbdcopy stderr] {text}" + chr(10))}',
    "logrus plain": lambda text: f'time="{STAMP}" level=info msg={quoted(text)} vm=server1',
    "slog": lambda text: f"time=2025-01-01T00:00:00.000Z level=INFO msg={quoted(text)}",
    "logrus terminal": lambda text: f"INFO[0029] {text}",
    "zap": lambda text: json.dumps({"level": "info", "ts": "2025-01-01", "logger": "v2v", "msg": text}),
    "cloudstack": lambda text: f"{CLOUDSTACK} {text}",
    "frame": lambda text: f"\u2502 {text}          \u2502",
    "stamped": lambda text: f"2024-01-02 03:04:05,123 - INFO - {text}",
    "clock": lambda text: f"[9:57:06 AM] {text}",
    "pod": lambda text: f"[pod/vm-1-abcde/virt-v2v] {text}",
    "compose": lambda text: f"v2v-1  | {text}",
    "build": lambda text: f"#12 428.9 {text}",
    "member": lambda text: f'"stderr": {quoted(text)},',
    "list": lambda text: f"{quoted(text)},",
    "ansible": lambda text: f"fatal: [host1]: FAILED! => {json.dumps({'changed': True, 'rc': 1, 'stderr': text})}",
    "colours": lambda text: f"\x1b[1;31m{text}\x1b[0m",
    "rsyslog colours": lambda text: f"#033[31m{text}#033[0m",
}
TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=60).map(
    lambda text: f"virt-v2v: error: {text}"
)


def unwrapped(*texts: str) -> list[LogLine]:
    unwrapper = Unwrapper()
    return [each for number, text in enumerate(texts, 1) for each in unwrapper.feed(Line(number, text))]


def report_of(text: str) -> LogReport:
    reader = LogReader()
    reader.read("a.log", lines([text.encode()]))
    return reader.report()


@pytest.mark.parametrize("name", WRAPPERS)
@pytest.mark.parametrize(
    "text", ['virt-v2v: error: it\'s "odd" [here] (and) {there}', "[   2.6] Inspecting the source"]
)
def test_every_wrapper(name: str, text: str) -> None:
    assert [each.text for each in unwrapped(WRAPPERS[name](text))] == [text]


@given(st.sampled_from(sorted(WRAPPERS)), st.sampled_from(sorted(WRAPPERS)), TEXT)
@settings(max_examples=200, deadline=None)
def test_a_wrapper_in_a_wrapper(outer: str, inner: str, text: str) -> None:
    if "\\n" not in text and "\u0085" not in text and "#033[" not in text:
        text = " ".join(text.split())
        found = unwrapped(WRAPPERS[outer](WRAPPERS[inner](text)))
        assert [each.text for each in found] in ([text], [text.rstrip("\u2502 ")])


@pytest.mark.parametrize("name", sorted(set(WRAPPERS) - {"none"}))
def test_a_whole_log_in_a_wrapper_says_what_it_says_without(name: str) -> None:
    plain = logs.IN_PLACE_NO_ROOT.split("\n")[1:]
    report = report_of("\n".join(WRAPPERS[name](line) for line in plain if line))
    bare = report_of("\n".join(plain))
    assert (report.outcome, report.primary and report.primary.rule.id) == (bare.outcome, "v2v-no-root")
    assert (report.conversion, report.disk, report.unknown) == (bare.conversion, bare.disk, ())


def test_times_of_wrappers_are_told() -> None:
    (line,) = unwrapped(WRAPPERS["cri"](WRAPPERS["logrus"]("x")))
    assert (line.stamp, line.stream) == ("2024-01-02T03:04:05.678901234Z", "stderr/nbdcopy stderr")
    (line,) = unwrapped(WRAPPERS["journal json"]("x"))
    assert (line.stamp, line.run) == ("2024-01-02 02:04:05", "sh[7]")


def test_lines_that_were_split_are_put_together() -> None:
    cri = "2024-01-02T03:04:05Z stderr {} {}"
    docker = '{{"log":"{}","stream":"{}","time":"t"}}'
    found = unwrapped(
        cri.format("P", "virt-v2v: err"),
        cri.format("P", "or: one "),
        cri.format("F", "two"),
        docker.format("virt-v2v:", "stderr"),
        docker.format(r"other\n", "stdout"),
        docker.format(r" error: three\n", "stderr"),
    )
    assert [(each.number, each.text) for each in found] == [
        (3, "virt-v2v: error: one two"), (5, "other"), (6, "virt-v2v: error: three"),
    ]  # fmt: skip


def test_a_message_of_several_lines_is_taken_apart() -> None:
    found = unwrapped('time="t" level=info msg="[x stderr] one\\n\\ntwo\\r\\nthree \\"3\\" \\u00e9\\n"')
    assert [each.text for each in found] == ["one", "two", 'three "3" \u00e9']


def test_ansible_with_an_output_that_was_cut_off() -> None:
    whole = WRAPPERS["ansible"]("one\nvirt-v2v: error: two\nthree")
    assert [each.text for each in unwrapped(whole[:-4])][:2] == ["one", "virt-v2v: error: two"]


def test_a_line_pasted_from_a_test_is_taken_apart() -> None:
    # the form of https://github.com/autotest/tp-libvirt/pull/3664
    text = r"FAIL: virt-v2v: error: a: \nb_stub: /dev/x: No such file\n\nIf reporting bugs, run"
    assert [each.text for each in unwrapped(text)] == [
        "FAIL: virt-v2v: error: a:", "b_stub: /dev/x: No such file", "If reporting bugs, run",
    ]  # fmt: skip
    assert [each.text for each in unwrapped(r"virt-v2v: C:\new\names stay")] == [r"virt-v2v: C:\new\names stay"]


def test_ranks_are_of_the_program_around_it() -> None:
    assert [
        each.rank
        for each in unwrapped(
            'time="t" level=error msg="migration failed"', "ERRO[0001] x", "E0102 03:04:05.678901 1 a.go:1] x"
        )
    ] == ["error"] * 3
    assert [each.rank for each in unwrapped('time="t" level=error msg="[nbdkit stderr] x"', "INFO[0001] x")] == ["", ""]


@pytest.mark.parametrize(
    "text",
    [
        "[#8] [2011-10-05 09:01:18.894 02372 error 'task-6'] TaskImpl has failed",
        "[2009-03-02 14:12:09.515 'App' 3064 info] text",
        "2013-08-12T11:15:23.456+02:00 [03456 error 'Default'] text",
        "2016-06-16T09:05:46.747+09:00 error vmware-converter-server[04780] [Originator@6876 sub=Default] text",
        "[   2.6] Inspecting the source",
        '{ "message": "Opening the source", "timestamp": "2026-06-09T15:26:29+02:00", "type": "message" }',
        "--> (converter.fault.FileIOFault) {",
        "98% FAILED: Unable",
        '{"a": [1]}',
        "{",
    ],
)
def test_what_converters_write_themselves_has_no_wrapper(text: str) -> None:
    assert unwrapped(text) == [LogLine(1, text)]


def test_hostile_lines_come_to_an_end() -> None:
    openings = (
        'time="', 'level=x msg="', '{"log":"', '{"MESSAGE":[', "fatal: [a]: FAILED! => {", "[pod/", "Jan  2 03:04:05 ",
        "<30>1 2024-01-02T03:04:05Z h a b c [", "2025-09-19 20:29:15,109 INFO [a] (b) (virt-v2v ", "\x1b]", "\x1b[",
        "2024-01-02T03:04:05Z stderr F ", "\u2502", '"', "a | ", "E0102 03:04:05.678901 1 ",
    )  # fmt: skip
    fillers = ("\\", '"', "[", "(", "{", " ", "1", "\u2502", '\\"', '":{"', "virt-v2v: ", "\\n", ": error: ", "\x1b[")
    for opening in openings:
        for filler in fillers:
            for each in unwrapped(opening + filler * (65536 // len(filler))):
                assert len(each.text) <= MAX_TEXT


def test_streams_that_never_end_are_bounded() -> None:
    unwrapper = Unwrapper()
    for number in range(500):
        text = json.dumps({"log": "x" * 5000, "stream": f"s{number}", "time": "t"})
        assert list(unwrapper.feed(Line(number, text))) == []
    assert len(unwrapper._open) <= 16


@given(
    st.text('\\"[]{}()<>:=|\u2502\x1b#0123456789TZ-+.,eginstFPIlogmsvirt ', min_size=1, max_size=200).filter(str.strip)
)
@settings(max_examples=300, deadline=None)
def test_whatever_a_line_is(text: str) -> None:
    for each in unwrapped(text, *(wrap(text) for wrap in WRAPPERS.values())):
        assert each.text
        assert "\n" not in each.text
