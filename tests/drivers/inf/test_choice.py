"""Which INF serves a controller best."""

from datetime import date

import pytest
from msgspec.structs import replace
from tests.drivers.inf.infs import GOOD, SERVER_2003, SEVEN_X64, XP, inf

from bootgraft.drivers.inf.choice import (
    Candidate,
    Standing,
    candidates,
    device_ids,
    driver_date,
    driver_version,
    why_not,
)
from bootgraft.drivers.inf.sourceinf import SourceInf
from bootgraft.drivers.inf.target_windows import TargetWindows
from bootgraft.targets.controllers import CONTROLLERS, find_controller

VIRTIO = find_controller("kvm:virtio-blk")
HEAD = 'Signature="$Windows NT$"\n'


def source(path: str, ids: str, *, version: str = "DriverVer=01/01/2010,1.0", targets: str = "NTx86") -> SourceInf:
    sections = "".join(f"[M.{each}]\n" + f"d=i,{ids}\n" for each in targets.split(","))
    text = f"[Version]\n{HEAD}{version}\n[Manufacturer]\nm=M,{targets}\n{sections}"
    return SourceInf(path, text.encode())


def order(*infs: SourceInf, target_windows: TargetWindows = XP) -> list[str]:
    found, _ = candidates(infs, VIRTIO, target_windows)
    assert candidates(tuple(reversed(infs)), VIRTIO, target_windows)[0] == found
    return [each.path for each in found]


DEVICE = r"PCI\VEN_1AF4&DEV_1001"


def test_the_order_is_that_of_windows() -> None:
    """The device's better id first; then what is the INF's hardware id; then the device's compatible ids."""
    infs = [
        source("exact", rf"{DEVICE}&SUBSYS_00021AF4&REV_00"),
        source("subsystem", rf"{DEVICE}&SUBSYS_00021AF4".lower()),
        source("class of the device", rf"{DEVICE}&CC_0100"),
        source("compatible in the INF", rf"PCI\OTHER, {DEVICE}&SUBSYS_00021AF4&REV_00"),
        source("device", DEVICE),
        source("class", r"PCI\CC_0100"),
        source("device, compatible in the INF", rf"PCI\OTHER,{DEVICE}"),
        source("the same, one later", rf"PCI\OTHER,PCI\ANOTHER,{DEVICE}"),
    ]
    assert order(*infs) == [each.path for each in infs]


def test_the_best_line_of_an_inf_counts() -> None:
    text = GOOD.replace(
        '"Controller" = Install, PCI\\VEN_1AF4', '"Generic" = Other, PCI\\CC_0100\n"C" = Install, PCI\\VEN_1AF4'
    )
    (found,), _ = candidates([SourceInf("a", text.encode())], VIRTIO, XP)
    assert (found.model.install, found.id, found.rank) == ("Install", rf"{DEVICE}&SUBSYS_00021AF4&REV_00", (0, 0, 0))


def test_then_the_newer_release() -> None:
    infs = [
        source("newest", DEVICE, version="DriverVer=02/01/2011,0.1"),
        source("newer", DEVICE, version="DriverVer=12/31/2010, 1.10"),
        source("same day", DEVICE, version="DriverVer=12-31-2010,1.9.9.9"),
        source("undated", DEVICE, version=""),
    ]
    assert order(*infs) == [each.path for each in infs]


def test_then_the_closer_section_and_then_the_path() -> None:
    infs = [
        source("z", DEVICE, targets="NTx86.5.1"),
        source("y", DEVICE, targets="NTx86"),
        source("a", DEVICE, targets="NT"),
        source("B", DEVICE, targets="NT"),
    ]
    assert order(*infs) == ["z", "y", "a", "B"]


def test_why_one_is_passed_over() -> None:
    infs = [
        source("best", rf"{DEVICE}&SUBSYS_00021AF4", targets="NTx86.5.1"),
        source("general", rf"{DEVICE}&SUBSYS_00021AF4"),
        source("older", rf"{DEVICE}&SUBSYS_00021AF4", version="DriverVer=1/1/2009"),
        source("less", DEVICE),
        source("twin", rf"{DEVICE}&SUBSYS_00021AF4", targets="NTx86.5.1"),
    ]
    found, _ = candidates(infs, VIRTIO, XP)
    reasons = {each.path: why_not(each, found[0], XP) for each in found[1:]}
    assert reasons == {
        "twin": "the same release; the first by its path is taken",
        "general": "made for Windows in general: NTx86",
        "older": "older: DriverVer 1/1/2009",
        "less": rf"a less exact match: {DEVICE} (compatible id)",
    }


def test_what_does_not_serve_says_why() -> None:
    infs = [
        SourceInf("broken", b"", "it is no INF"),
        SourceInf("98", b'[Version]\nSignature="$Windows 95$"\n'),
        source("elsewhere", DEVICE, targets="NTamd64,NTx86.6.1"),
        source("net", r"PCI\VEN_1AF4&DEV_1000"),
    ]
    found, rejected = candidates(infs, VIRTIO, XP)
    assert found == ()
    assert [(each.path, each.standing, each.reason) for each in rejected] == [
        ("broken", Standing.UNREADABLE, "it is no INF"),
        ("98", Standing.UNREADABLE, "Windows NT does not take its signature '$windows 95$'"),
        ("elsewhere", Standing.OTHER_WINDOWS, rf"it serves {DEVICE} only in NTamd64, NTx86.6.1"),
        ("net", Standing.OTHER_DEVICES, "it serves other devices"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("03/20/2010,1.2.3.4", (date(2010, 3, 20), (1, 2, 3, 4))),
        ("3/2/2010 , 1.2 ", (date(2010, 3, 2), (1, 2, 0, 0))),
        ("13/01/2010,1.2.3.70000", (None, (1, 2, 3, 0))),
        ("02/30/2010", (None, (0, 0, 0, 0))),
        ("x,y.z", (None, (0, 0, 0, 0))),
        ("01/01/2010,1.2.3.4.5", (date(2010, 1, 1), (1, 2, 3, 4))),
    ],
)
def test_driver_versions(text: str, expected: tuple[date | None, tuple[int, ...]]) -> None:
    found = inf(f"[Version]\nDriverVer={text}")
    assert (driver_date(found), driver_version(found)) == expected


def test_hardware_and_compatible_ids_are_all_that_the_device_reports() -> None:
    for controller in CONTROLLERS:
        hardware, compatible = device_ids(controller)
        assert sorted((*hardware, *compatible)) == sorted(controller.device_ids())
        assert hardware
    hardware, compatible = device_ids(find_controller("virtualbox:piix4"))  # no subsystem: the bare device is specific
    assert hardware[-1] == r"PCI\VEN_8086&DEV_7111"
    assert compatible[0] == r"PCI\VEN_8086&CC_01018A"
    hardware, compatible = device_ids(VIRTIO)
    assert hardware[-1] == rf"{DEVICE}&CC_0100"
    assert compatible[:2] == (rf"{DEVICE}&REV_00", DEVICE)


@pytest.mark.parametrize("target_windows", [XP, SERVER_2003, replace(XP, version=(6, 0)), SEVEN_X64])
def test_the_good_inf_serves(target_windows: TargetWindows) -> None:
    (found,), rejected = candidates([SourceInf("good", GOOD.encode())], VIRTIO, target_windows)
    assert isinstance(found, Candidate)
    assert rejected == ()
    assert found.release == "DriverVer 03/20/2010 1.2.3.4"
