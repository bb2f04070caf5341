"""Detection by content; the name's ending is never asked."""

import gzip
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storage.imagekit import container, create, real

from bootgraft.errors import ImageError
from bootgraft.storage.images.detect import sniff
from bootgraft.storage.images.imageformat import ImageFormat


def detect(path: Path) -> ImageFormat:
    with container(path) as file:
        return sniff(file)


@pytest.mark.parametrize(
    ("driver", "options", "expected"),
    [
        ("vmdk", {"subformat": "monolithicSparse"}, ImageFormat.VMDK),
        ("vmdk", {"subformat": "monolithicFlat"}, ImageFormat.VMDK),
        ("vpc", {"subformat": "dynamic"}, ImageFormat.VHD),
        ("vpc", {"subformat": "fixed"}, ImageFormat.VHD),
        ("vhdx", {}, ImageFormat.VHDX),
        ("vdi", {}, ImageFormat.VDI),
        ("qcow2", {}, ImageFormat.QCOW2),
        ("qcow2", {"compat": "0.10"}, ImageFormat.QCOW2),
        ("raw", {}, ImageFormat.RAW),
    ],
)
def test_each_format_is_known_under_any_name(
    tmp_path: Path, driver: str, options: dict[str, str], expected: ImageFormat
) -> None:
    assert detect(create(tmp_path / "disk.iso", driver, **options)) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vhd/dissect/fixed.vhd.gz", ImageFormat.VHD),
        ("vhd/dissect/dynamic.vhd.gz", ImageFormat.VHD),
        ("vhdx/dissect/dynamic.vhdx.gz", ImageFormat.VHDX),
        ("vdi/virtualbox-convert/Lumiere-disk.vdi.gz", ImageFormat.VDI),
        ("vmdk/strozfriedberg/vmfs_thick.vmdk", ImageFormat.VMDK),
        ("vmdk/strozfriedberg/vmfs_thick-flat.vmdk", ImageFormat.RAW),
        ("qcow2/dissect/basic.qcow2.gz", ImageFormat.QCOW2),
    ],
)
def test_real_images(tmp_path: Path, name: str, expected: ImageFormat) -> None:
    assert detect(real(name, tmp_path)) is expected


def tar_of_anything() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("server1.ovf"))
    return data.getvalue()


def zip_of_anything() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("server1.vmdk", "x")
    return data.getvalue()


OVF = b'<?xml version="1.0" encoding="UTF-8"?>\n<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1">'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (gzip.compress(b"disk", mtime=0), "gzip.*Unpack"),
        (zip_of_anything(), "ZIP"),
        (tar_of_anything(), r"\.ova[^\n]*\n    tar xf /.*disk\.vmdk\n"),
        (OVF, "OVF.*the disk images that it names"),
        (OVF.decode().encode("utf-16"), "OVF.*the disk images that it names"),
        (b'.encoding = "UTF-8"\nconfig.version = "8"\n', r"\.vmx.*the disk images that it names"),
        (b"<domain type='kvm'>", "libvirt.*the disk images that it names"),
        (b"\xef\xbb\xbfhello", "text file"),
        (b"hello\n" * 500, "text file"),
        (b"QFI\xfb\0\0\0\1" + bytes(64), "not supported.*Convert"),
        (b"LUKS\xba\xbe\0\1" + bytes(600), "cryptsetup"),
        (b"EVF\x09\x0d\x0a\xff\0" + bytes(600), "ewfexport"),
    ],
)
def test_what_is_no_disk_is_named_with_what_to_give(tmp_path: Path, content: bytes, says: str) -> None:
    with container(tmp_path / "disk.vmdk", content) as file, pytest.raises(ImageError, match=says):
        sniff(file)


def test_an_iso_is_no_disk(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    iso = tmp_path / "disk.raw"
    subprocess.run(["genisoimage", "-quiet", "-o", str(iso), str(tmp_path / "tree")], check=True, capture_output=True)
    with pytest.raises(ImageError, match=r"ISO 9660.*hard disk"):
        detect(iso)


def test_only_a_sound_footer_makes_a_fixed_vhd(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk", "vpc", subformat="fixed")
    content = bytearray(disk.read_bytes())
    content[-100] ^= 1
    disk.write_bytes(content)
    assert detect(disk) is ImageFormat.RAW


@settings(max_examples=200, deadline=None)
@given(head=st.binary(max_size=600), size=st.integers(0, 40_000))
def test_any_bytes_are_a_format_or_one_error(head: bytes, size: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "detect-any"
    with container(path, head + bytes(size)) as file:
        try:
            sniff(file)
        except ImageError as error:
            assert error.where == str(path)  # noqa: PT017 - whether it raises depends on the bytes
