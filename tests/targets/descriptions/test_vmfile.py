"""Descriptions as files: told apart by their content, refused with one message where they are none."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.targets.descriptions.test_ovf import archive, envelope
from tests.targets.descriptions.test_proxmox import CONF
from tests.targets.descriptions.test_vmx import MINIMAL
from tests.targets.descriptions.test_xmltree import BOMB

from bootgraft.errors import UsageError, VmDescriptionError
from bootgraft.targets.descriptions import hyperv, libvirt, ovf, proxmox, vmx
from bootgraft.targets.descriptions.vmdescription import MAX_DISKS, VmDescription, VmFormat
from bootgraft.targets.descriptions.vmfile import MAX_SIZE, parse_description, plug, read_bytes


def read_description(path: Path) -> VmDescription:
    return parse_description(read_bytes(path), path)


DOMAIN = b"<domain type='kvm'><devices/></domain>"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (MINIMAL, vmx.FORMAT),
        (b"#!/usr/bin/vmware\n\n" + MINIMAL, vmx.FORMAT),
        (b"\xef\xbb\xbf" + MINIMAL, vmx.FORMAT),
        (CONF, proxmox.FORMAT),
        (DOMAIN, libvirt.FORMAT),
        (b"<?xml version='1.0'?>\n<!-- <Envelope> -->\n" + DOMAIN, libvirt.FORMAT),
        (DOMAIN.decode().encode("utf-16"), libvirt.FORMAT),
        (envelope(""), ovf.FORMAT),
        ("<configuration><properties/></configuration>".encode("utf-16"), hyperv.FORMAT),
    ],
)
def test_told_apart_by_content(data: bytes, kind: VmFormat, tmp_path: Path) -> None:
    path = tmp_path / "machine.txt"
    path.write_bytes(data)
    assert read_description(path).format is kind


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.vmx", b"", "it is of no kind that bootgraft knows"),
        ("a.vmx", b"\0" * 512, "it is of no kind that bootgraft knows"),
        ("a.vmx", b"Dear diary,\n", "it is of no kind that bootgraft knows"),
        ("a.vmx", b"a = b\n" * MAX_SIZE, f"it is larger than {MAX_SIZE} bytes"),
        ("a.vmx", b"# Disk DescriptorFile\nversion=1\n", "this is a disk, not a machine's description"),
        ("a.xml", b"<html/>", "it is XML, but not an .ovf, libvirt's domain XML or an XML export of Hyper-V's"),
        ("a.xml", b"<!-- never ends", "it is XML, but not"),
        ("a.xml", b"<!DOCTYPE" + b"[]]" * 20_000, "it is XML, but not"),
        ("a.xml", b"<?" * 32_000, "it is XML, but not"),
        ("a.xml", BOMB, r"has a document type \(DOCTYPE\)"),
        ("a.vmcx", b"\x14\x20", "Hyper-V's binary format"),
    ],
)
def test_refused(name: str, data: bytes, what: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(VmDescriptionError, match=what):
        read_description(path)


def test_a_real_binary_export_is_refused(shared_testdata: Path) -> None:
    for path in (shared_testdata / "vm-config" / "hyperv").glob("*.vmcx"):
        with pytest.raises(VmDescriptionError, match="Hyper-V's binary format"):
            read_description(path)


def test_an_archive_says_how_to_unpack_it(tmp_path: Path) -> None:
    path = archive(tmp_path / "server 1.ova", "server1.ovf", "disk1.vmdk")
    with pytest.raises(VmDescriptionError) as fault:
        read_description(path)
    assert fault.value.advice == f"To unpack it in this folder, run:\n    tar xf '{path}'\nThen give --vm server1.ovf"


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(VmDescriptionError, match=r"cannot be read \(No such file or directory\)"):
        read_description(tmp_path / "no.vmx")
    os.mkfifo(tmp_path / "pipe.vmx")
    for path in (tmp_path, tmp_path / "pipe.vmx", Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(VmDescriptionError, match="the machine's description cannot be read"):
            read_description(path)


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.vmx").write_bytes(MINIMAL)
    (tmp_path / "link.vmx").symlink_to("real.vmx")
    assert read_description(tmp_path / "link.vmx").path == tmp_path / "link.vmx"


@pytest.mark.parametrize("data", [envelope(""), "<configuration/>".encode("utf-16")])
def test_what_is_only_imported_is_not_edited(data: bytes) -> None:
    description = parse_description(data, Path("a.xml"))
    with pytest.raises(UsageError, match="it is read once, when it is imported"):
        plug(data, description, [], plugged=False)


def test_a_card_that_an_edit_did_not_reach_is_no_success() -> None:
    """Whoever isolates a machine counts on it."""
    data = DOMAIN.replace(b"<devices/>", b"<devices><interface type='user'/></devices>")
    description = parse_description(data, Path("a.xml"))
    lazy = replace(libvirt.FORMAT, plug=lambda data, *_arguments, **_options: data)
    with pytest.raises(VmDescriptionError, match="its network adapter interface 0 could not be disconnected"):
        plug(data, replace(description, format=lazy), ["interface 0"], plugged=False)


def _many_vmx(count: int) -> bytes:
    place = "nvme{0}:0.present = 1\nnvme{0}:0.fileName = a.vmdk\nnvme{0}.present = 1\n"
    return MINIMAL + "".join(place.format(number) for number in range(count)).encode()


def _many_libvirt(count: int) -> bytes:
    disk = "<disk><source file='a'/><target dev='sd{0}' bus='sata'/></disk>"
    return f"<domain type='kvm'><devices>{''.join(map(disk.format, range(count)))}</devices></domain>".encode()


@pytest.mark.parametrize("many", [_many_vmx, _many_libvirt])
def test_more_disks_than_any_machine_has(many: Callable[[int], bytes], tmp_path: Path) -> None:
    path = tmp_path / "machine"
    path.write_bytes(many(MAX_DISKS + 1))
    with pytest.raises(VmDescriptionError, match=f"it has more than {MAX_DISKS} disks"):
        read_description(path)
    few = tmp_path / "few"
    few.write_bytes(many(200))
    assert len(read_description(few).order_doubt) < 300


def test_a_boot_order_that_names_a_disk_again_and_again_counts_the_first_time(tmp_path: Path) -> None:
    path = tmp_path / "machine.vmx"
    order = ",".join(["nvme1:0", *["nvme9:0", "nvme0:0", "nvme1:0"] * 1000])
    path.write_bytes(_many_vmx(2) + f'bios.hddOrder = "{order}"\n'.encode())
    found = read_description(path)
    assert [disk.place for disk in found.disks if disk.place.startswith("nvme")] == ["nvme1:0", "nvme0:0"]
    assert found.boot_order is not None
    assert found.boot_order.tried == ("nvme1:0", "nvme0:0")
