"""Several programs in one log: what belongs together is read together, and told apart from the rest."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.explain import logs

from bootgraft.explain.logreader import LogReader
from bootgraft.explain.logreport import ConversionOutcome, LogReport
from bootgraft.explain.reading import lines
from bootgraft.explain.rules import DiskState

GOOD = [line for line in logs.V2V_WITHOUT_VIRTIO.split("\n") if line.startswith("[")]
BAD = [line for line in logs.IN_PLACE_NO_ROOT.split("\n")[1:-2] if line.strip()]


def report_of(*texts: str) -> LogReport:
    reader = LogReader()
    for number, text in enumerate(texts):
        reader.read(f"{number}.log", lines([text.encode()]))
    return reader.report()


def syslog(texts: list[str], pid: int, program: str = "virt-v2v") -> list[str]:
    return [f"2024-01-02T03:04:{second % 60:02}Z host1 {program}[{pid}]: {text}" for second, text in enumerate(texts)]


def cause(report: LogReport) -> str | None:
    return report.primary.rule.id if report.primary else None


def woven(*streams: list[str]) -> str:
    longest = max(map(len, streams))
    return "\n".join(each[at] for at in range(longest) for each in streams if at < len(each))


def test_two_conversions_at_a_time_are_told_apart() -> None:
    report = report_of(woven(syslog(GOOD, 1), syslog(BAD, 2)))
    assert (report.outcome, cause(report)) == (ConversionOutcome.FAILED, "v2v-no-root")
    assert (report.conversion.source, report.unknown) == ("-i disk /dev/vdd", ())
    assert (report.others, report.others_failed) == (1, 0)


@given(st.permutations([1] * len(BAD) + [2] * len(GOOD)))
@settings(max_examples=60, deadline=None)
def test_however_they_are_interleaved(order: list[int]) -> None:
    queues = {1: syslog(BAD, 1), 2: syslog(GOOD, 2)}
    report = report_of("\n".join(queues[each].pop(0) for each in order))
    assert (cause(report), report.conversion.source) == ("v2v-no-root", "-i disk /dev/vdd")
    assert report.matches[0].first.text.endswith("No root device found in this operating system image.")


def test_a_conversion_that_was_started_again_is_judged_by_its_last_start() -> None:
    again = [line.replace("-i ova Windows-ovf", "-i disk /dev/vdd") for line in GOOD]
    report = report_of("\n".join([*syslog(BAD, 1), *syslog(again, 2)]))
    assert (report.outcome, report.earlier, report.others) == (ConversionOutcome.SUCCEEDED, 1, 0)


def test_what_helpers_log_belongs_to_the_conversion_around_it() -> None:
    start, *rest = syslog(["[   1.0] Setting up the source: -i disk /a", "virt-v2v: error: gave up"], 1)
    helper = syslog(
        ["nbdkit: vddk[1]: error: VixDiskLib_Open: [ds] a.vmdk: The server refused connection"], 9, "nbdkit"
    )
    report = report_of("\n".join([start, *helper, *rest]))
    assert (cause(report), report.others) == ("v2v-vddk-open", 0)
    assert [each.first.text for each in report.unknown] == ["gave up"]


def test_what_others_log_in_between_is_no_part_of_a_message() -> None:
    first, second = syslog(
        [
            "virt-v2v: error: inspection could not detect the source guest.",
            "No root device found in this operating system image.",
        ],
        1,
    )
    between = [
        *syslog(["audit: type=1400"], 0, "kernel"),
        "Jan  2 03:04:05 host1 cron: nothing",
        *syslog(["x"], 7, "sh"),
    ]
    report = report_of("\n".join([first, *between, second]))
    assert report.matches[0].first.text == (
        "inspection could not detect the source guest. No root device found in this operating system image."
    )


def test_pods_whose_logs_were_printed_together_are_told_apart() -> None:
    streams = [[f"[pod/{name}/virt-v2v] {line}" for line in part] for name, part in (("a", GOOD), ("b", BAD))]
    report = report_of(woven(*streams))
    assert (cause(report), report.conversion.source, report.others) == ("v2v-no-root", "-i disk /dev/vdd", 1)


def test_both_outputs_of_a_container_are_one_conversion() -> None:
    error = [f"2024-01-02T03:04:05Z stderr F {line}" for line in BAD[5:]]
    steps = [f"2024-01-02T03:04:05Z stdout F {line}" for line in BAD[:5]]
    report = report_of(woven(error, steps))
    assert (cause(report), report.conversion.source, report.others) == ("v2v-no-root", "-i disk /dev/vdd", 0)


def test_conversions_and_outputs_without_number_are_bounded() -> None:
    def start(number: int) -> str:
        return f"[   1.0] Setting up the source: -i disk /{number}\nvirt-v2v: error: odd {chr(97 + number % 26)}"

    rows = [row for number in range(300) for row in syslog(start(number).split("\n"), number)]
    report = report_of("\n".join(rows))
    assert report.outcome is ConversionOutcome.UNKNOWN
    assert (report.conversion.source, report.others) == ("-i disk /299", 15)
    assert report.earlier + report.others_failed + len(report.unknown) == 300


def test_a_failure_of_the_program_around_it_counts_where_the_converter_tells_of_none() -> None:
    step = 'time="t" level=info msg="[x stderr] [   1.0] Opening the source\\n"\n'
    failure = 'time="2025-10-24T09:09:17Z" level=error msg="migration of vm1 was stopped"\n'
    other = 'time="2025-10-24T09:09:17Z" level=error msg="disk quota of the tenant"\n'
    report = report_of(step + failure + other)
    assert report.outcome is ConversionOutcome.UNKNOWN
    assert [each.first.text for each in report.unknown] == ["migration of vm1 was stopped"]
    known = report_of(step + 'time="t" level=info msg="[x stderr] virt-v2v: error: odd\\n"\n' + failure)
    assert [each.first.text for each in known.unknown] == ["odd"]
    assert [each.first.text for each in known.said] == ["migration of vm1 was stopped"]


def test_only_what_a_converter_says_makes_a_log_of_one() -> None:
    assert report_of('time="t" level=error msg="migration failed"').messages == 0


def test_warnings_are_said_and_folded() -> None:
    rows = [f"virt-v2v: warning: the frob {number} is bar" for number in range(50)]
    report = report_of("\n".join([*rows, "virt-v2v: warning: another"]))
    assert report.outcome is ConversionOutcome.NO_FAILURE
    assert [(each.count, each.first.text) for each in report.said] == [(50, "the frob 0 is bar"), (1, "another")]


def test_what_virt_v2v_only_warns_of_is_no_failure() -> None:
    report = report_of("virt-v2v: warning: mount /d: Permission denied (ignored)\n")
    assert (report.outcome, report.matches) == (ConversionOutcome.NO_FAILURE, ())
    assert [each.first.text for each in report.said] == ["mount /d: Permission denied (ignored)"]
    assert cause(report_of("virt-v2v: error: open: /a: Permission denied\n")) == "v2v-host-permission"


def test_warnings_without_number_are_bounded_and_the_first_are_kept() -> None:
    rows = [f"virt-v2v: warning: {'x' * number}" for number in range(1, 200)]
    report = report_of("\n".join(rows))
    assert (len(report.said), report.unsaid) == (40, 159)
    assert [len(each.first.text) for each in report.said][:3] == [1, 2, 3]
    assert len(report.said[-1].first.text) == 199


def test_the_first_of_many_errors_is_named_first() -> None:
    row = "[#8] [2011-10-05 09:00:00.000 02372 error 'task-6'] {}\n"
    report = report_of("".join(row.format("y" * number) for number in range(1, 300)))
    assert report.unknown[0].first.text == "y"


def test_errors_of_earlier_jobs_make_room_first() -> None:
    old = "".join(f"[#8] [2011-10-04 09:00:00.000 02372 error 'task-1'] {'z' * n}\n" for n in range(1, 40))
    new = "".join(f"[#8] [2011-10-05 09:00:00.000 02372 error 'task-6'] {'y' * n}\n" for n in range(1, 30))
    report = report_of(old + new)
    assert [each.first.text for each in report.unknown] == ["y" * number for number in range(1, 30)]


def test_errors_that_a_conversion_survived_are_only_said() -> None:
    report = report_of("\n".join([*GOOD[:-1], "qemu-img: odd but survived", GOOD[-1]]))
    assert report.outcome is ConversionOutcome.SUCCEEDED
    assert [each.first.text for each in report.said] == ["qemu-img: odd but survived"]
    later = report_of("\n".join([*GOOD, "virt-v2v: error: could not write the description"]))
    assert later.outcome is ConversionOutcome.UNKNOWN


def test_what_virt_v2v_got_past_explains_nothing() -> None:
    rows = ["[   6.0] Inspecting the source", "mount: /sysroot: unknown filesystem type 'ntfs'."]
    assert cause(report_of("\n".join(rows))) == "v2v-host-no-ntfs"
    further = [*rows, "[  14.0] Converting Windows Server 2022 to run on KVM", "virt-v2v: error: odd"]
    report = report_of("\n".join(further))
    assert (cause(report), report.outcome) == (None, ConversionOutcome.UNKNOWN)


def test_an_in_place_conversion_that_fails_half_way_leaves_the_disk_open() -> None:
    rows = [
        "[  14.0] Converting Windows to run on KVM",
        "{}: error: One of rhsrvany.exe or pvvxsvc.exe is missing in /x.",
    ]
    assert report_of("\n".join(rows).format("virt-v2v")).disk is DiskState.UNCHANGED
    assert report_of("\n".join(rows).format("virt-v2v-in-place")).disk is DiskState.UNKNOWN


@given(st.binary(max_size=400), st.sampled_from(["log", "MESSAGE", "msg", "stderr"]))
@settings(max_examples=100, deadline=None)
def test_whatever_bytes_a_log_has(raw: bytes, name: str) -> None:
    reader = LogReader()
    inner = json.dumps({name: raw.decode("latin-1"), "time": "t", "rc": 1}).encode()
    reader.read("a.log", lines([b"x", raw, b"\nvirt-v2v: error: x\n", inner, b"\n" + raw]))
    assert reader.report().messages >= 1
