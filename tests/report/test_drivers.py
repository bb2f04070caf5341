"""What a source holds and what would be chosen of it, as documents and as text."""

from pathlib import Path

import pytest
from tests.drivers.inf.infs import GOOD, SEVEN_X64, XP, driver, tree
from tests.plaintext import in_plain
from tests.report.contract import faults, printed

from bootgraft.drivers.inf.selection import choose_package
from bootgraft.drivers.inf.source import PackageTree
from bootgraft.report.documents.drivers import HarvestDocument, HarvestedDocument, ShowDocument
from bootgraft.report.drivers import harvest_text as harvest_text_of
from bootgraft.report.drivers import list_document, show_document
from bootgraft.report.drivers import list_text as list_text_of
from bootgraft.report.drivers import show_text as show_text_of
from bootgraft.targets.controllers import find_controller

list_text = in_plain(list_text_of)
show_text = in_plain(show_text_of)
harvest_text = in_plain(harvest_text_of)


VIRTIO = find_controller("kvm:virtio-blk")
NET = GOOD.replace("1AF4", "8086").replace("A vendor", "Another vendor")


@pytest.fixture
def source(machine_cache: Path) -> PackageTree:
    return tree({"disk.inf": GOOD, "vdisk.sys": driver(machine_cache), "net.inf": NET, "bad.inf": "bad"})


def choices(source: PackageTree) -> ShowDocument:
    return show_document(
        source.origin, VIRTIO, [(each, choose_package(source, VIRTIO, each)) for each in (XP, SEVEN_X64)]
    )


def test_the_list(source: PackageTree) -> None:
    document = printed(list_document(source))
    assert faults(document, "drivers-list") == []
    assert [each["path"] for each in document["infs"]] == ["bad.inf", "disk.inf", "net.inf"]
    good = document["infs"][1]
    assert good["targets"] == ["kvm:virtio-blk"]
    assert (good["provider"], good["date"], good["version"]) == ("A vendor", "2010-03-20", "1.2.3.4")
    assert good["devices"] == [
        {
            "windows": "NTx86",
            "description": "Controller",
            "ids": ["PCI\\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00", "PCI\\VEN_1AF4&DEV_1001"],
            "service": "disk0",
        },
        {
            "windows": "NTamd64",
            "description": "Controller",
            "ids": ["PCI\\VEN_1AF4&DEV_1001"],
            "service": "disk0",
        },
    ]


def test_a_device_without_a_driver_of_its_own_has_no_service() -> None:
    for spoiled in (
        GOOD.replace("disk0, 0x2", ", 0x2"),
        GOOD.replace("[Install]", "[Elsewhere]"),
        GOOD.replace("[Install.Services]", "[Install.Services]\nNeeds=far"),
    ):
        (inf,) = list_document(tree({"disk.inf": spoiled})).infs
        assert {device.service for device in inf.devices} == {None}


def test_an_inf_whose_strings_are_too_long_is_a_problem() -> None:
    long = GOOD.replace("%Vendor% =", "%s%" * 1000 + " =").replace("Vendor = ", "s = " + "y" * 3000 + "\nVendor = ")
    (inf,) = list_document(tree({"disk.inf": long})).infs
    assert "once its strings are put in" in (inf.problem or "")


def test_the_list_for_people(source: PackageTree) -> None:
    document = list_document(source)
    assert list_text(document, detailed=False) == (
        "source: 3 INFs, 1 of them for a controller that `bootgraft targets` knows.\n"
        "\n"
        "disk.inf  A vendor  2010-03-20  1.2.3.4\n"
        "    service disk0; for NTx86, NTamd64\n"
        "    serves kvm:virtio-blk\n"
        "\n"
        "cannot be read: bad.inf: there is no [section] in it: this is no INF file (bad.inf)\n"
    )
    detailed = list_text(document, detailed=True)
    assert "    NTamd64: PCI\\VEN_1AF4&DEV_1001  Controller\n" in detailed
    assert "for other devices\n  net.inf  Another vendor  2010-03-20  1.2.3.4\n" in detailed
    other = list_document(tree({"net.inf": NET}))
    assert list_text(other, detailed=False).splitlines()[0] == (
        "source: 1 INF, none of them for a controller that `bootgraft targets` knows."
    )
    assert "  net.inf  Another vendor" in list_text(other, detailed=False)


def test_the_choices(source: PackageTree) -> None:
    document = printed(choices(source))
    assert faults(document, "drivers-show") == []
    xp, seven = document["choices"]
    chosen = xp["chosen"]
    assert chosen is not None
    assert (chosen["inf"], chosen["match"], chosen["decoration"]) == ("disk.inf", "hardware id", "NTx86")
    assert chosen["files"] == ["system32\\drivers\\vdisk.sys"]
    assert seven["chosen"] is None
    assert [(each["inf"], each["standing"]) for each in seven["passed_over"]] == [
        ("disk.inf", "unusable"),
        ("bad.inf", "unreadable"),
        ("net.inf", "other-devices"),
    ]


def test_the_choices_for_people(source: PackageTree) -> None:
    short = show_text(choices(source), detailed=False)
    assert short == (
        "source has a driver for kvm:virtio-blk in 1 of 2 Windows.\n"
        "\n"
        "Windows XP x86  disk.inf  disk0 1.2.3.4\n"
        "Windows 7 x64   -\n"
        "\n"
        "Give --windows and --arch to see why, and what would be installed.\n"
    )
    long = show_text(choices(source), detailed=True)
    assert long.startswith("disk.inf would serve kvm:virtio-blk in Windows XP (NT 5.1, x86).\n    why: PCI\\VEN_1AF4")
    assert "    key: Services\\disk0\\Parameters\\PnpInterface\n" in long
    assert "\n\nNothing in source serves kvm:virtio-blk in Windows 7 (NT 6.1, x64).\n" in long
    assert "passed over: disk.inf: vdisk.sys is built for x86\n" in long
    assert long.endswith("passed over: 1 more; --json lists them all\n")


def test_names_on_a_hostile_source_cannot_end_a_line(machine_cache: Path) -> None:
    source = tree({"a\nYou are well.inf": GOOD, "vdisk.sys": driver(machine_cache)})
    assert "\nYou" not in list_text(list_document(source), detailed=True)
    assert "\nYou" not in show_text(choices(source), detailed=True)
    assert "\nYou" not in show_text(choices(source), detailed=False)


def test_a_harvest() -> None:
    document = HarvestDocument(
        windows="disk0-partition1-WINNT",
        target="vmware:lsilogic",
        service="symmpi",
        files=(
            HarvestedDocument(name="symmpi.reg", origin="the registry", size=10, sha256="0" * 64),
            HarvestedDocument(name="x.sys", origin="system32\\drivers\\x.sys", size=2, sha256="1" * 64),
        ),
        has_inf=False,
        out="out",
    )
    assert faults(printed(document), "drivers-harvest") == []
    assert harvest_text(document) == (
        "symmpi, the driver of disk0-partition1-WINNT for vmware:lsilogic:\n"
        "\n"
        "  symmpi.reg  10 bytes, from the registry\n"
        "  x.sys       2 bytes, from system32\\drivers\\x.sys\n"
    )
