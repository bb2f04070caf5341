"""The log of virt-v2v's scripts at the first start of Windows."""

import pytest
from tests.explain.test_logreader import cause, report_of

from bootgraft.explain.converters.firstboot import FIRST_BOOT
from bootgraft.explain.logreport import ConversionOutcome
from bootgraft.explain.rules import DiskState, Phase

START = "starting firstboot service\n"
RUN = 'running "C:\\Program Files\\Guestfs\\Firstboot\\scripts\\{}.bat"\n'
RETRY = ".... exit code 249\nScript failed, will retry on next boot\n"
DONE = ".... exit code {}\nScript succeeded, moving to scripts-done\n        1 file(s) moved.\n"
UNTRUSTED = (
    "Adding the driver package failed : A certificate chain processed, but\n"
    "terminated in a root certificate which is not trusted by the trust provider.\n"
)


def test_a_script_that_fails_at_every_start() -> None:
    report = report_of((START + RUN.format("2000-0001-drivers") + "odd\n" + RETRY) * 5)
    assert (report.outcome, cause(report)) == (ConversionOutcome.FAILED, "firstboot-retry")
    assert (report.primary and report.primary.count, report.unknown) == (5, ())
    assert (report.phase, report.disk) == (Phase.FIRST_BOOT, DiskState.STARTED)
    assert (report.conversion.tool, report.conversion.step) == (FIRST_BOOT, "2000-0001-drivers.bat")


def test_the_driver_that_makes_it_fail_leads() -> None:
    output = "Installing: smbus.inf.\n" + UNTRUSTED + "Failed to install smbus.inf.\n"
    report = report_of(START + RUN.format("a") + output + RETRY)
    assert cause(report) == "firstboot-driver-untrusted"
    assert [each.rule.id for each in report.matches][1:] == ["firstboot-driver-failed", "firstboot-retry"]


def test_a_script_that_succeeded_in_the_end_is_no_failure() -> None:
    report = report_of(
        START + RUN.format("a") + "Failed to install x.inf.\n" + RETRY + START + RUN.format("a") + DONE.format(0)
    )
    assert report.outcome is ConversionOutcome.NO_FAILURE
    report = report_of(
        START + RUN.format("a") + RETRY + START + RUN.format("a") + DONE.format(0) + "uninstalling firstboot service\n"
    )
    assert report.outcome is ConversionOutcome.SUCCEEDED


@pytest.mark.parametrize("code", [0, 3010])
def test_codes_that_are_no_failure(code: int) -> None:
    assert report_of(START + RUN.format("a") + DONE.format(code)).outcome is ConversionOutcome.NO_FAILURE


def test_any_other_code_is_shown_with_what_the_script_printed() -> None:
    report = report_of(
        START + RUN.format("5000-0006-uninstall-VMware-Tools") + "virt-v2v: error: odd\n" + DONE.format(1603)
    )
    assert report.outcome is ConversionOutcome.UNKNOWN
    (unknown,) = report.unknown
    assert unknown.first.text == "exit code 1603 of 5000-0006-uninstall-VMware-Tools.bat"
    assert unknown.before[-1] == "virt-v2v: error: odd"


def test_what_a_script_complains_of_is_said() -> None:
    report = report_of(START + RUN.format("a") + "ERROR: no such key.\n" * 3 + DONE.format(0) + "ERROR: of nobody\n")
    assert [(each.count, each.first.text) for each in report.said] == [(3, "ERROR: no such key.")]


def test_scripts_of_older_releases_run_one_after_the_other() -> None:
    first, second = (RUN.format(name) + "1 file(s) moved.\n.... exit code 0\n" for name in ("a", "b"))
    report = report_of(START + first + second + "uninstalling firstboot service\n")
    assert (report.outcome, report.conversion.step) == (ConversionOutcome.SUCCEEDED, "b.bat")
