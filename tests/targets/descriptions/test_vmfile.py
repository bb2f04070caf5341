"""Descriptions as files: told apart by their content, refused with one message where they are none."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.targets.descriptions.test_ovf import archive, envelope
from tests.targets.descriptions.test_proxmox import CONF
from tests.targets.descriptions.test_vmx import MINIMAL
from tests.targets.descriptions.test_xmltree import BOMB

from bootgraft.errors import UsageError, VmDescriptionError
from bootgraft.targets.descriptions import hyperv, libvirt, ovf, proxmox, vmx
from bootgraft.targets.descriptions.vmdescription import VmDescription, VmFormat
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
    assert fault.value.advice == "Unpack it (tar -xf 'server 1.ova'), then give --vm server1.ovf"


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
    with pytest.raises(VmDescriptionError, match="its network card interface 0 could not be unplugged"):
        plug(data, replace(description, format=lazy), ["interface 0"], plugged=False)
