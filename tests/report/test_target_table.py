"""The table of targets: the answer first, a row for each, then what holds for all, then what to type."""

from msgspec.structs import replace
from tests.checks.test_diagnosis import made_of
from tests.plaintext import in_plain

from bootgraft.checks.diagnosis import Diagnosis
from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.checks.prospects import Outlook, outlook
from bootgraft.report.device import DeviceSpec
from bootgraft.report.documents.verdict import ProspectDocument
from bootgraft.report.target_table import all_document, several_document
from bootgraft.report.target_table import all_text as all_text_of
from bootgraft.report.target_table import several_text as several_text_of
from bootgraft.targets.controllers import find_controller

all_text = in_plain(all_text_of)
several_text = in_plain(several_text_of)


IMAGES = (DeviceSpec("a disk.raw", "raw", 512),)
DRIVER = Finding("driver", Severity.BLOCKER, "no driver", "It stops.", ("seen",), Remedy.DRIVER, stop_code="0x7b")
FIXABLE = replace(DRIVER, id="fixable", title="a service is off", remedy=Remedy.CHANGES)
NEVER = replace(DRIVER, id="never", title="it is too old", remedy=Remedy.NONE, stop_code=None)
NOTE = Finding("note", Severity.WARNING, "a note", "It may matter.", ())


def row(target: str, *findings: Finding) -> Outlook:
    controller = find_controller(target)
    return outlook(replace(made_of(*findings), controller=controller), controller)


def everywhere(*findings: Finding) -> Diagnosis:
    return replace(made_of(*findings), controller=None)


def test_where_it_boots_comes_first_and_each_hypervisor_has_its_cheapest_first() -> None:
    rows = (row("vmware:pvscsi", DRIVER, NOTE), row("vmware:ide", NOTE), row("kvm:ide", FIXABLE, NOTE))
    assert all_text(everywhere(NOTE), rows, IMAGES, None).splitlines() == [
        "Microsoft Windows Server 2003 on disk 0 partition 1 would boot as it is on 1 of the 3 targets: vmware:ide.",
        "",
        "  vmware:ide     boots as it is",
        "  vmware:pvscsi  needs a driver        no driver",
        "",
        "  kvm:ide        boots after a repair  a service is off",
        "",
        "warning: a note  [note]",
        "    It may matter.",
        "",
        "Cheapest: vmware:ide boots as it is.",
        "For all that is found on one target and how it is fixed, run:",
        "    bootgraft check 'a disk.raw' --target vmware:ide",
    ]


def test_where_it_boots_nowhere_the_least_that_it_takes_is_said() -> None:
    rows = (row("vmware:pvscsi", DRIVER), row("kvm:ide", FIXABLE))
    lines = all_text(everywhere(), rows, IMAGES, None).splitlines()
    assert lines[0].endswith(
        "will not boot as it is on any of the 2 targets. After a repair, with nothing from outside, it would boot on "
        "1 of them: kvm:ide."
    )
    assert lines[-5:-2] == [
        "Cheapest: kvm:ide boots after a repair.",
        "To fix it, run:",
        "    bootgraft repair 'a disk.raw' --target kvm:ide",
    ]
    lines = all_text(everywhere(), rows[:1], IMAGES, None).splitlines()
    assert lines[0].endswith(" With a driver it would boot on each of them: vmware:pvscsi.")
    assert "    bootgraft repair 'a disk.raw' --target vmware:pvscsi --drivers SOURCE" in lines


def test_what_a_repair_does_only_with_an_option_is_said_with_that() -> None:
    offered = replace(DRIVER, id="offer", title="no file", remedy=Remedy.OFFERED)
    rows = (row("vmware:ide", offered), row("kvm:ide", offered))
    lines = all_text(everywhere(), rows, IMAGES, None).splitlines()
    assert lines[0].endswith(" After a repair with an option it would boot on each of them: vmware:ide, kvm:ide.")
    assert lines[2] == "  vmware:ide  boots with --fix offer  no file"
    assert "    bootgraft repair 'a disk.raw' --target vmware:ide --fix offer" in lines
    document = several_document(rows, ((), ()), IMAGES)
    assert isinstance(document.targets, tuple)
    assert [(each.prospect, each.options) for each in document.targets] == [
        ("fixable-with-option", ("--fix offer",)),
        ("fixable-with-option", ("--fix offer",)),
    ]


def test_what_stops_it_everywhere_is_the_answer() -> None:
    rows = (row("vmware:ide", NEVER), row("kvm:ide", NEVER))
    lines = all_text(everywhere(NEVER), rows, IMAGES, None).splitlines()
    assert lines[0].endswith("will boot on none of the 2 targets: it is too old.")
    assert lines[2] == "  vmware:ide  cannot boot  [never], see below"
    assert not any(line.startswith("Cheapest") for line in lines)


def test_where_no_windows_is_reached_the_repair_that_shows_more_is_named() -> None:
    behind = replace(made_of(FIXABLE, judged=False), controller=None)
    controller = find_controller("vmware:ide")
    lines = all_text(behind, (outlook(replace(behind, controller=controller), controller),), IMAGES, None).splitlines()
    assert "will stop with 0x7B: a service is off." in lines[0]
    assert lines[-2:] == [
        "What a target lacks is only seen once this is repaired. To see both on one, writing nothing, run:",
        "    bootgraft repair 'a disk.raw' --target vmware:ide --dry-run",
    ]


def test_many_targets_are_counted_and_not_named() -> None:
    names = ("vmware:ide", "kvm:ide", "xen:ide", "hyperv:gen1", "azure:gen1", "virtualbox:piix3", "virtualbox:piix4")
    head = all_text(everywhere(), tuple(map(row, names)), IMAGES, None).partition("\n")[0]
    assert head.endswith("would boot as it is on all 7 targets.")


def test_a_name_on_a_disk_makes_no_line_of_its_own() -> None:
    hostile = replace(DRIVER, title="no\ndriver\rhere")
    text = all_text(everywhere(), (row("vmware:ide", hostile),), IMAGES, None)
    assert "no\N{REPLACEMENT CHARACTER}driver\N{REPLACEMENT CHARACTER}here" in text
    assert "\ndriver" not in text


def test_of_several_that_were_given_what_is_common_is_said_once() -> None:
    rows = (row("kvm:ide", FIXABLE, NOTE), row("vmware:ide", NOTE), row("hyperv:gen2", NEVER, NOTE))
    lines = several_text(rows, IMAGES, ((), (), ())).splitlines()
    assert lines[0].endswith("would boot as it is on 1 of the 3 targets given: vmware:ide.")
    assert [line.split()[0] for line in lines[2:5]] == ["kvm:ide", "vmware:ide", "hyperv:gen2"]  # as they were given
    assert lines.count("warning: a note  [note]") == 1
    assert [line for line in lines if line.startswith("    bootgraft")] == [
        "    bootgraft repair 'a disk.raw' --target kvm:ide"  # nothing is to be done for the others
    ]


def test_where_none_of_those_given_boots_the_others_are_named() -> None:
    rows = (row("kvm:ide", FIXABLE), row("vmware:pvscsi", DRIVER))
    lines = several_text(rows, IMAGES, ((), ())).splitlines()
    assert lines[-2:] == ["To see on which other targets it would boot, run:", "    bootgraft check 'a disk.raw'"]


def test_where_none_of_those_given_can_be_repaired_the_page_of_what_stops_it_is_named() -> None:
    lines = several_text((row("kvm:ide", NEVER), row("vmware:ide", NEVER)), IMAGES, ((), ())).splitlines()
    assert lines[-1] == "    bootgraft explain never"


def test_programs_get_the_worst_verdict_and_each_target_its_own() -> None:
    rows = (row("vmware:ide", NOTE), row("kvm:virtio-blk", DRIVER, NOTE))
    document = several_document(rows, ((), ()), IMAGES)
    assert (document.verdict, document.image_verdict, document.stop_code) == ("blocked", "blocked", "0x7b")
    assert document.target is None
    assert [each.id for each in document.findings] == ["note"]
    assert isinstance(document.targets, tuple)
    assert [(each.target, each.verdict, each.prospect) for each in document.targets] == [
        ("vmware:ide", "boots", "boots"),
        ("kvm:virtio-blk", "blocked", "needs-driver"),
    ]
    assert [[finding.id for finding in each.findings] for each in document.targets] == [[], ["driver"]]


def test_without_a_target_nothing_is_promised_but_each_row_says_what_decides() -> None:
    document = all_document(everywhere(), (row("kvm:virtio-blk", DRIVER),), None, IMAGES)
    assert document.target is None
    assert isinstance(document.targets, tuple)
    (only,) = document.targets
    assert isinstance(only, ProspectDocument)
    assert (only.decided_by, only.reason, only.stop_code) == ("driver", "no driver", "0x7b")
