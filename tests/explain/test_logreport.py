"""Whole logs, truncated ones, several jobs, errors that nobody documented."""

from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.explain import logs

from bootgraft.explain.logreader import LogReader
from bootgraft.explain.logreport import ConversionOutcome, LogReport
from bootgraft.explain.reading import lines
from bootgraft.explain.rules import DiskState, Phase

ROW = "[#8] [2011-10-05 {} 02372 {} 'task-6'] {}\n"


def report_of(*texts: str) -> LogReport:
    reader = LogReader()
    for number, text in enumerate(texts):
        reader.read(f"{number}.log", lines([text.encode()]))
    return reader.report()


def cause(report: LogReport) -> str | None:
    return report.primary.rule.id if report.primary else None


def test_the_first_cause_leads_not_the_fault_at_the_end() -> None:
    report = report_of(logs.AGENT_50, logs.WORKER_50)
    assert (report.outcome, cause(report)) == (ConversionOutcome.FAILED, "converter-ticket-timeout")
    assert [each.rule.id for each in report.matches] == [
        "converter-ticket-timeout",
        "converter-target-not-opened",
        "converter-reconfiguration",
    ]
    assert [each.first.number for each in report.matches] == [1, 2, 3]
    assert (report.phase, report.disk, report.unknown) == (Phase.RECONFIGURING, DiskState.COPIED, ())


def test_the_order_of_files_is_not_the_order_of_events() -> None:
    report = report_of(logs.SERVER_60, logs.AGENT_60)
    assert cause(report) == "converter-host-not-resolved"
    assert (report.phase, report.disk) == (Phase.COPYING, DiskState.INCOMPLETE)
    last = report.matches[-1]
    assert (last.rule.id, last.count, last.first.number, last.last.number) == ("converter-file-io", 2, 1, 2)


def test_a_network_fault_alone_does_not_tell_whether_the_copy_was_complete() -> None:
    path = ROW.format("09:00:00.000", "info", "default=signature(41ab2316)disk(0)rdisk(0)partition(1)\\WINDOWS")
    for text in (logs.AGENT_60, path + logs.AGENT_50.split("\n")[0]):
        report = report_of(text)
        assert (report.outcome, report.disk) == (ConversionOutcome.FAILED, DiskState.UNKNOWN)


def test_a_network_fault_while_reconfiguring_leaves_a_whole_copy() -> None:
    text = ROW.format("09:01:17.000", "error", "x failed with 'NBD_ERR_NETWORK_CONNECT' (error code:2338)")
    report = report_of(text + logs.AGENT_50.split("\n")[2])
    assert cause(report) == "converter-network-connect"
    assert (report.phase, report.disk) == (Phase.RECONFIGURING, DiskState.COPIED)


def test_a_signature_path_explains_a_failure_and_is_none() -> None:
    path = ROW.format("09:00:00.000", "info", "default=signature(41ab2316)disk(0)rdisk(0)partition(1)\\WINDOWS")
    assert report_of(path).outcome is ConversionOutcome.NO_FAILURE
    failed = ROW.format("09:00:01.000", "error", "converter.fault.ReconfigurationFault")
    assert cause(report_of(path + failed)) == "converter-signature-path"
    copying = ROW.format("09:00:01.000", "error", "converter.fault.FileIOFault")
    assert cause(report_of(path + copying)) == "converter-file-io"


def test_the_last_job_counts() -> None:
    old = ROW.format("07:00:00.000", "error", "FAILED: Unable to find the system volume")
    report = report_of(old + ROW.format("07:20:00.000", "error", "an old error") + logs.AGENT_50)
    assert cause(report) == "converter-ticket-timeout"
    assert report.earlier == 2
    assert report.unknown == ()


def test_warnings_of_earlier_jobs_are_not_said() -> None:
    old = ROW.format("07:00:00.000", "warning", "an old warning")
    report = report_of(old + ROW.format("09:01:00.000", "warning", "a new one") + logs.AGENT_50)
    assert [each.first.text[:9] for each in report.said] == ["a new one", "[PassDisk"]
    assert [each.first.text for each in report_of(old).said] == ["an old warning"]


def test_an_unknown_error_is_shown_with_the_lines_around_it() -> None:
    rows = [ROW.format(f"09:00:0{number}.000", "info", f"line {number}") for number in range(9)]
    rows[5] = ROW.format("09:00:05.000", "error", "The frob is 17 bar")
    report = report_of("".join(rows))
    assert (report.outcome, report.primary, report.disk) == (ConversionOutcome.UNKNOWN, None, DiskState.UNKNOWN)
    (unknown,) = report.unknown
    assert (unknown.first.number, unknown.first.text, unknown.count) == (6, "The frob is 17 bar", 1)
    assert [each[-6:] for each in unknown.before] == ["line 2", "line 3", "line 4"]
    assert [each[-6:] for each in unknown.after] == ["line 6", "line 7", "line 8"]


def test_an_error_that_repeats_is_one() -> None:
    report = report_of("".join(ROW.format("09:00:00.000", "error", f"frob {number}") for number in range(100)))
    (unknown,) = report.unknown
    assert (unknown.count, unknown.first.text, unknown.last.text) == (100, "frob 0", "frob 99")


def test_task_failed_alone_is_still_an_error() -> None:
    report = report_of(ROW.format("09:00:00.000", "error", "Task failed:"))
    assert report.outcome is ConversionOutcome.UNKNOWN


def test_a_log_that_is_cut_off_shows_no_failure() -> None:
    report = report_of(logs.WORKER_50[:160])
    assert (report.outcome, report.disk) == (ConversionOutcome.NO_FAILURE, DiskState.UNKNOWN)
    assert report.last_time == "2011-10-05 09:00:23.343"


def test_virt_v2v_without_a_root() -> None:
    for text in (logs.IN_PLACE_NO_ROOT, logs.JSON_NO_ROOT):
        report = report_of(text)
        assert (report.outcome, cause(report)) == (ConversionOutcome.FAILED, "v2v-no-root")
        assert report.disk is DiskState.UNCHANGED
        assert report.unknown == ()
        assert report.conversion.step == "Inspecting the source"


def test_virt_v2v_that_goes_on_without_drivers() -> None:
    report = report_of(logs.V2V_WITHOUT_VIRTIO)
    assert (report.outcome, cause(report)) == (ConversionOutcome.CAVEAT, "v2v-no-virtio-drivers")
    assert report.disk is DiskState.CONVERTED


def test_an_error_after_a_caveat_is_not_explained_by_it() -> None:
    report = report_of(logs.V2V_WITHOUT_VIRTIO.split("[  90.1]")[0] + "virt-v2v: error: nbdcopy: write failed\n")
    assert (report.outcome, cause(report)) == (ConversionOutcome.UNKNOWN, None)
    assert report.disk is DiskState.INCOMPLETE


def test_virt_v2v_that_finished() -> None:
    text = "".join(f"{line}\n" for line in logs.V2V_WITHOUT_VIRTIO.split("\n") if line.startswith("["))
    assert report_of(text).outcome is ConversionOutcome.SUCCEEDED


def test_a_second_run_of_virt_v2v_begins_afresh() -> None:
    good = "".join(f"{line}\n" for line in logs.V2V_WITHOUT_VIRTIO.split("\n") if line.startswith("["))
    report = report_of(logs.IN_PLACE_NO_ROOT + good)
    assert (report.outcome, report.earlier) == (ConversionOutcome.SUCCEEDED, 1)
    assert report_of(good + logs.IN_PLACE_NO_ROOT).outcome is ConversionOutcome.FAILED


def test_nobody_answered_which_root() -> None:
    # https://github.com/adminsyspro/proxcenter-ui/pull/740
    report = report_of(
        "[   9.0] Inspecting the source\n\n***\nDual- or multi-boot operating system detected.  Choose the root\n"
        "filesystem that contains the main operating system from the list below:\n\n [1] /dev/sda1\n\n"
        "virt-v2v: error: exception: End_of_file\n"
    )
    assert cause(report) == "v2v-several-roots"


def test_somebody_answered_which_root() -> None:
    report = report_of("Dual- or multi-boot operating system detected.  Choose\n[  90.2] Finishing off\n")
    assert report.outcome is ConversionOutcome.SUCCEEDED


def test_a_time_with_a_zone_where_none_belongs() -> None:
    odd = '{"message": "a", "timestamp": "2024-01-02T03:04+01", "type": "error"}\n'
    report = report_of(odd + "2024-01-02T03:04:05Z stdout F virt-v2v: error: b")
    assert [each.first.text for each in report.unknown] == ["a", "b"]


def test_times_that_are_none() -> None:
    report = report_of(ROW.format("99:99:99.000", "error", "converter.fault.ReconfigurationFault"))
    assert report.matches[0].first.when is None
    assert report_of(logs.AGENT_50).matches[0].first.when == datetime(2011, 10, 5, 9, 1, 18)


@given(
    st.lists(st.sampled_from((logs.AGENT_50 + logs.SERVER_60 + logs.JSON_NO_ROOT + logs.IN_PLACE_NO_ROOT).split("\n")))
)
@settings(max_examples=60, deadline=None)
def test_lines_in_any_order_make_a_story(rows: list[str]) -> None:
    report = report_of("\n".join(rows))
    assert len(report.unknown) <= 40
    assert (report.primary is not None) == (report.outcome in (ConversionOutcome.FAILED, ConversionOutcome.CAVEAT))
