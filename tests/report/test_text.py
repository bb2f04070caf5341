"""The texts: the answer first, then the evidence, then what to type next."""

import re
from pathlib import Path

import pytest
from msgspec import convert
from msgspec.structs import replace
from tests.checks.cases import CASES
from tests.checks.guests import guest_of
from tests.checks.subjects import chain, installation
from tests.machines.tools import run
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import ControlSet, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows
from tests.plaintext import in_plain, plain_lines
from tests.registry.support import open_bytes
from tests.repair.bench import diagnosis, from_donor, plan

from bootgraft.changes import CreateKey, DeleteKey, DeleteValue, FileId, Plan, RegistryData, SetValue, WriteFile
from bootgraft.checks.diagnosis import Diagnosis, Verdict, diagnose
from bootgraft.checks.finding import FaultPlace, Finding, Remedy, Severity
from bootgraft.machine import Firmware
from bootgraft.registry.regfile import parse
from bootgraft.registry.values import text_data
from bootgraft.repair.apply import read_value
from bootgraft.report.device import DeviceSpec
from bootgraft.report.document import check_document
from bootgraft.report.documents.machine import InspectDocument
from bootgraft.report.finding_text import finding_lines as finding_lines_of
from bootgraft.report.inspect_text import inspect_text as inspect_text_of
from bootgraft.report.inspect_text import size_text
from bootgraft.report.next_steps import next_lines
from bootgraft.report.plan_text import plan_text as plan_text_of
from bootgraft.report.plan_text import summary_line
from bootgraft.report.programs.remediation import RepairContext
from bootgraft.report.text import check_text as check_text_of
from bootgraft.report.text import verdict_line
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.targets.controllers import find_controller
from bootgraft.text import one_line

check_text = in_plain(check_text_of)
plan_text = in_plain(plan_text_of)
inspect_text = in_plain(inspect_text_of)
finding_lines = plain_lines(finding_lines_of)


IMAGE = DeviceSpec("server1.vmdk", "vmdk monolithicSparse", 1 << 30)
HIVE = FileId(0, 8192, "disk 0 partition 1", "\\WINDOWS\\system32\\config\\SYSTEM")
LSI = find_controller("vmware:lsilogic")
IDE = find_controller("vmware:ide")

BLOCKED = r"""
Microsoft Windows Server 2003 on disk 0 partition 1 will stop with 0x7B on vmware:lsilogic: no driver for PCI\VEN_1000&DEV_0030 in ControlSet001.

blocker: no driver for PCI\VEN_1000&DEV_0030 in ControlSet001 and ControlSet002  [device-binding-missing]
    ControlSet001 is the default control set, so Microsoft Windows Server 2003 stops with 0x7B INACCESSIBLE_BOOT_DEVICE before it can mount its own volume.
    ControlSet002 is not the default control set: it matters when Windows falls back to it (Last Known Good Configuration).
    evidence: \WINDOWS\system32\config\SYSTEM: ControlSet001\Control\CriticalDeviceDatabase has no key with a service for pci#ven_1000&dev_0030, nor for any of the 10 other ids of the controller (also in ControlSet002)

To fix it with a driver package (INF, folder, ISO, CAB, ZIP, floppy) or the disk of a machine that has it, run:
    bootgraft repair server1.vmdk --target vmware:lsilogic --drivers SOURCE
or with files exported from one:
    bootgraft repair server1.vmdk --target vmware:lsilogic --reg DRIVER.reg --file DRIVER.sys
"""  # noqa: E501  golden: what the screen shows
REPAIRED = "Microsoft Windows Server 2003 on disk 0 partition 1 would boot on vmware:lsilogic.\n"


@pytest.fixture
def dead(machine_cache: Path) -> MemoryWindows:
    return memory_windows(machine_cache)


@pytest.fixture
def healthy(machine_cache: Path) -> MemoryWindows:
    ready = (ControlSet(1, Symmpi.READY, binding=True), ControlSet(2, Symmpi.READY, binding=True))
    return memory_windows(machine_cache, *ready, driver=DriverFile.GOOD)


def test_check_of_the_story(dead: MemoryWindows) -> None:
    assert check_text(diagnosis(dead), [IMAGE]) == BLOCKED.lstrip("\n")


def test_check_of_the_repaired_story(healthy: MemoryWindows) -> None:
    assert check_text(diagnosis(healthy), [IMAGE]) == REPAIRED


def test_a_path_with_blanks_can_be_typed_as_it_stands(dead: MemoryWindows) -> None:
    text = check_text(diagnosis(dead), [DeviceSpec("my server.vmdk", "vmdk", 1), DeviceSpec("d2.raw", "raw", 1)])
    assert "bootgraft repair 'my server.vmdk' d2.raw --target vmware:lsilogic --drivers" in text


def test_what_needs_no_driver_asks_for_none(healthy: MemoryWindows) -> None:
    healthy.hive.set_value("ControlSet001\\Services\\symmpi", "Start", 4, (4).to_bytes(4, "little"))
    text = check_text(diagnosis(healthy), [IMAGE])
    assert text.endswith("To fix it, run:\n    bootgraft repair server1.vmdk --target vmware:lsilogic\n")


def verdict(finding: Finding | None, which: Verdict, **changes: object) -> str:
    made = Diagnosis(chain(), installation(), LSI, None, (finding,) if finding else (), which, which)
    return verdict_line(replace(made, **changes)).text


def test_each_verdict_in_one_sentence() -> None:
    product = "Microsoft Windows Server 2003 on disk 0 partition 1"
    stop, broken = CASES["driver-file-missing"].broken[0], CASES["boot-chain-broken"].broken[0]
    assert verdict(None, Verdict.BOOTS) == f"{product} would boot on vmware:lsilogic."
    assert verdict(stop, Verdict.BLOCKED).startswith(
        f"{product} will stop with 0x7B on vmware:lsilogic: the driver file"
    )
    assert verdict(broken, Verdict.BLOCKED, installation=None, controller=None) == (
        "The machine will not boot: the boot chain breaks: there is no ntldr on the active partition."
    )
    for finding_id in ("disk-signature-zero", "system-volume-letter-wrong"):
        assert verdict(CASES[finding_id].broken[0], Verdict.BLOCKED).startswith(
            f"{product} starts on vmware:lsilogic, but every log-on ends at once: "
        )
    assert verdict(None, Verdict.UNKNOWN, controller=None) == f"{product}: bootgraft cannot tell whether it boots."


def test_which_firmware_the_machine_needs() -> None:
    made = diagnose(guest_of(replace(chain(), firmware=Firmware.UEFI)))
    assert check_text(made, [IMAGE]).splitlines()[1] == "It needs UEFI firmware."
    assert "firmware" not in check_text(diagnose(guest_of(chain())), [IMAGE])
    assert check_document(made, repair=RepairContext()).firmware == "uefi"


def test_blockers_come_first() -> None:
    findings = [CASES[name].broken[0] for name in ("target-not-given", "volume-not-clean", "driver-file-missing")]
    lines = [line for line in finding_lines(findings) if "  [" in line]
    assert [line.partition(":")[0] for line in lines] == ["blocker", "warning", "info"]


# The plan as .reg text.


def registry_text(text: str) -> str:
    return text[text.index("Windows Registry Editor") :]


def test_a_plan_reads_back_through_our_own_parser(
    machine_cache: Path, dead: MemoryWindows, healthy: MemoryWindows
) -> None:
    made = plan(dead, from_donor(healthy, dead))
    text = plan_text(made, detailed=True)
    assert re.match(r"create  disk 0 partition 1: \\WINDOWS\\.*symmpi\.sys  \(\d+ bytes, from donor\.vmdk\)\n", text)
    parsed = parse(registry_text(text).encode(), name="plan")
    head = "HKEY_LOCAL_MACHINE\\SYSTEM\\"
    found = {
        (key.path.removeprefix(head), value.name): (value.type, value.data)
        for key in parsed.keys
        for value in key.values
    }
    expected = {
        (each.key, each.name): (int(each.value.type), each.value.data)
        for each in made.registry()
        if isinstance(each, SetValue)
    }
    assert found == expected
    assert {key.path.removeprefix(head) for key in parsed.keys} == {each.key for each in made.registry()}


def test_a_plan_does_by_hivexregedit_what_it_does_by_us(
    tmp_path: Path, dead: MemoryWindows, healthy: MemoryWindows
) -> None:
    made = plan(dead, from_donor(healthy, dead))
    hive, reg = tmp_path / "SYSTEM", tmp_path / "plan.reg"
    hive.write_bytes(dead.filesystem.find(HIVE.path))
    reg.write_text(registry_text(plan_text(made, detailed=True)))
    run("hivexregedit", "--merge", "--prefix", "HKEY_LOCAL_MACHINE\\SYSTEM", hive, reg)
    merged = open_bytes(hive.read_bytes())
    for change in made.registry():
        if isinstance(change, SetValue):
            assert read_value(merged, change.key, change.name) == change.value
        else:
            assert merged.key(change.key) is not None


def test_awkward_names_and_each_kind_of_change_as_reg_text(tmp_path: Path) -> None:
    dword = RegistryData(4, b"\1\0\0\0")
    changes = (
        CreateKey(HIVE, "ControlSet001\\Services\\new"),
        SetValue(HIVE, "ControlSet001\\Services\\new", "", RegistryData(1, text_data('C:\\"x"')), None),
        SetValue(HIVE, "ControlSet001\\Services\\new", 'a "quoted\\" name', dword, None),
        DeleteValue(HIVE, "ControlSet001\\Services\\new", 'old "name\\', dword),
        DeleteValue(HIVE, "ControlSet001\\Services\\old", "", dword),
        DeleteKey(HIVE, "ControlSet001\\Services\\gone"),
        SetValue(HIVE, "ControlSet001\\Services\\old", "x", dword, None),
    )
    parsed = parse(registry_text(plan_text(Plan(changes), detailed=True)).encode(), name="plan")
    head = "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\"
    assert [(key.path.removeprefix(head), key.delete) for key in parsed.keys] == [
        ("new", False), ("old", False), ("gone", True), ("old", False),
    ]  # fmt: skip
    new = parsed.keys[0].values
    assert [(value.name, value.data, value.delete) for value in new] == [
        ("", text_data('C:\\"x"'), False),
        ('a "quoted\\" name', b"\1\0\0\0", False),
        ('old "name\\', b"", True),
    ]
    assert parsed.keys[1].values[0].delete


def test_two_hives_are_two_roots() -> None:
    software = replace(HIVE, path="\\WINDOWS\\system32\\config\\software")
    changes = (CreateKey(HIVE, "ControlSet001\\a"), CreateKey(software, "Microsoft\\b"))
    text = plan_text(Plan(changes), detailed=True)
    assert "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\a]" in text
    assert "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\b]" in text


def test_a_plan_in_short(dead: MemoryWindows, healthy: MemoryWindows) -> None:
    made = plan(dead, from_donor(healthy, dead))
    text = plan_text(made, detailed=False)
    assert "edit    disk 0 partition 1: \\WINDOWS\\system32\\config\\SYSTEM\n" in text
    assert "          ControlSet001\\Services\\symmpi  (5 values)\n" in text
    assert "dword:" not in text
    assert summary_line(made) == "1 file and 32 registry changes"


def test_notes_and_replaced_files_are_told() -> None:
    made = Plan((WriteFile(HIVE, b"12", "0" * 64, "donor"),), ("left as it is",))
    text = plan_text(made, detailed=True)
    assert text.startswith("replace  disk 0 partition 1: ")
    assert text.endswith("note: left as it is\n")
    assert "Windows Registry Editor" not in text
    assert summary_line(made) == "1 file"


# Hostile names.

EVIL = "x\nverdict: boots\r\n"


def test_a_name_with_line_ends_stays_on_its_line() -> None:
    finding = Finding("id", Severity.BLOCKER, EVIL, EVIL, (EVIL,), Remedy.NONE)
    assert not [line for line in finding_lines([finding]) if "\n" in line or "\r" in line]
    assert "\n" not in verdict(finding, Verdict.BLOCKED)
    assert "\nverdict" not in plan_text(
        Plan((WriteFile(replace(HIVE, path=EVIL), b"", None, EVIL),), (EVIL,)), detailed=False
    )
    assert one_line(EVIL).startswith("x\N{REPLACEMENT CHARACTER}verdict")


def document(label: str | None = None, **windows: object) -> InspectDocument:
    partition = {
        "number": 1, "slot": 1, "start": 0, "size": 1 << 20, "type": "0x07", "active": True, "filesystem": "ntfs",
        "label": label,
        "note": None,
    }  # fmt: skip
    disk = {
        "index": 0, "path": "server1.raw", "format": "raw", "size": 3 << 30, "sector_size": 512, "table": "mbr",
        "signature": "5e0a71c3", "problems": ["entry 3 overlaps entry 2"], "partitions": [partition],
    }  # fmt: skip
    step = {"link": "ntldr", "what": "there is no ntldr", "where": "disk 0", "evidence": "nothing", "holds": False}
    inspected = {
        "disks": [disk],
        "windows": [],
        "boot_chain": [step],
        "unreadable": ["x: damaged"],
        "records": [],
        "vm": None,
    }
    return convert(inspected, InspectDocument)


@pytest.mark.parametrize(
    ("table", "of_table", "of_image", "said"),
    [
        ("gpt", 4096, None, "GPT, sectors of 4096 bytes"),
        ("gpt", 512, 512, "GPT, sectors of 512 bytes"),
        ("gpt", 512, 4096, "GPT, sectors of 512 bytes (the image says 4096)"),
        ("none", 512, None, "no partition table"),
    ],
)
def test_the_sectors_of_a_disk(table: str, of_table: int, of_image: int | None, said: str) -> None:
    whole = document()
    own = {"table": TableKind(table), "sector_size": of_table, "logical_sector_size": of_image, "signature": None}
    disk = replace(whole.disks[0], **own)
    assert inspect_text(replace(whole, disks=(disk,))).splitlines()[2].endswith(f"3.0 GiB, {said}")


def test_an_extended_partition_has_no_number() -> None:
    whole = document()
    partition = replace(whole.disks[0].partitions[0], number=None, slot=3)
    text = inspect_text(replace(whole, disks=(replace(whole.disks[0], partitions=(partition,)),)))
    assert "\n  partition  -     1.0 MiB  ntfs" in text


def test_inspect_of_a_broken_machine() -> None:
    assert inspect_text(document("SYSTEM")) == (
        "No Windows was found that this machine would boot.\n\n"
        "disk 0  server1.raw  raw, 3.0 GiB, MBR, signature 5e0a71c3, sectors of 512 bytes\n"
        "  [1 n|....................................................................]\n"
        '  partition  1     1.0 MiB  ntfs  active  "SYSTEM"\n'
        "  problem: entry 3 overlaps entry 2\n\n"
        "boot chain: BROKEN: there is no ntldr\n  BROKEN  there is no ntldr\n          disk 0: nothing\n\n"
        "cannot be read: x: damaged\n"
    )


def test_a_label_with_a_line_end_forges_no_line() -> None:
    assert "\nverdict" not in inspect_text(document(EVIL))


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (100 << 20, "100.0 MiB"), (2 << 40, "2.0 TiB")],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


def test_an_edit_of_boot_ini_is_shown_as_a_difference_where_detailed() -> None:
    place = FileId(0, 32256, "disk 0 partition 1", "\\boot.ini")
    old = b"[boot loader]\r\ntimeout=30\r\ndefault=multi(0)disk(0)rdisk(0)partition(2)\\W\x1b[2J\r\n"
    new = old.replace(b"partition(2)", b"partition(1)")
    plan = Plan((WriteFile(place, new, "0" * 64, "boot.ini with other paths", old=old),))
    assert plan_text(plan, detailed=False) == (
        "edit    disk 0 partition 1: \\boot.ini  (78 bytes, boot.ini with other paths)\n"
    )
    assert plan_text(plan, detailed=True).splitlines()[1:] == [
        "          --- disk 0 partition 1: \\boot.ini",
        "          +++ disk 0 partition 1: \\boot.ini",
        "          @@ -2,3 +2,3 @@",
        "           timeout=30",
        r"          -default=multi(0)disk(0)rdisk(0)partition(2)\W?[2J",
        r"          +default=multi(0)disk(0)rdisk(0)partition(1)\W?[2J",
        "",
    ]


def next_of(*findings: Finding) -> str:
    """What is to be typed next on a machine with these findings alone."""
    found = diagnose(guest_of(chain(), installation(), None, IDE))
    return "\n".join(next_lines((replace(found, findings=findings),), (IMAGE,)))


def commands_after(*findings: Finding, reached: bool = True, tried: bool = False) -> list[str]:
    """What ``check`` prints of a machine with these findings alone, from the first command's head on."""
    found = diagnose(guest_of(chain() if reached else replace(chain(), default=None), installation(), None, IDE))
    lines = check_text(replace(found, findings=findings), (IMAGE,), tried=tried).splitlines()
    return [
        line for line in lines if line.startswith(("To read", "    bootgraft ")) or "bootgraft cannot repair" in line
    ]


STOPS = Finding("own-stop", Severity.BLOCKER, "t", "e", ())
LEFT_OPEN = Finding("own-open", Severity.WARNING, "t", "e", (), leaves_open=True)
TELLS = Finding("own-note", Severity.INFO, "t", "e", ())
FIXABLE = Finding("own-fix", Severity.WARNING, "t", "e", (), Remedy.CHANGES)
READ = [
    "bootgraft cannot repair own-stop, and writes nothing until that is repaired by other means.",
    "To read what is known of it, run:",
    "    bootgraft explain own-stop",
]
REPAIR = "    bootgraft repair server1.vmdk --target vmware:ide"


def test_of_what_cannot_be_repaired_the_page_is_what_to_read_next() -> None:
    outside = Finding("own-cpu", Severity.BLOCKER, "t", "e", (), fault_in=FaultPlace.OUTSIDE)
    assert commands_after(TELLS, LEFT_OPEN, STOPS) == READ
    assert commands_after(outside, STOPS, STOPS) == READ
    assert commands_after(STOPS, FIXABLE, replace(STOPS, id="own-end")) == [
        "bootgraft cannot repair own-stop and own-end, and writes nothing until all that is repaired by other means.",
        "To read what is known of them, run:",
        "    bootgraft explain own-stop",
        "    bootgraft explain own-end",
        REPAIR,
    ]
    assert commands_after(TELLS, LEFT_OPEN) == ["To read what would settle it, run:", "    bootgraft explain own-open"]
    assert commands_after(TELLS, outside) == []


def test_what_cannot_be_repaired_comes_before_what_can_and_writes_nothing_without_it() -> None:
    assert commands_after(STOPS, FIXABLE) == [*READ, REPAIR]
    assert commands_after(LEFT_OPEN, FIXABLE) == [REPAIR]


def test_where_no_windows_is_reached_the_repair_that_shows_more_comes_alone_until_it_was_tried() -> None:
    assert commands_after(STOPS, FIXABLE, reached=False) == [REPAIR]
    assert commands_after(STOPS, FIXABLE, reached=False, tried=True) == [*READ, REPAIR]
    assert commands_after(STOPS, reached=False) == READ


def test_what_nothing_needs_is_offered_and_not_advised() -> None:
    info = Finding("own-info", Severity.INFO, "t", "e", (), Remedy.OFFERED)
    warning = Finding("own-warning", Severity.WARNING, "t", "e", (), Remedy.OFFERED)
    assert "--fix own-info" in next_of(info)
    assert "bootgraft repair" not in next_of(info)
    both = next_of(info, warning)
    assert "--fix own-info, --fix own-warning" in both
    assert "\n    bootgraft explain own-info\n    bootgraft explain own-warning\n" in both
    assert both.endswith("bootgraft repair server1.vmdk --target vmware:ide --fix own-warning")
