"""QCOW2 headers and backing chains."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.machines.formats import vhd_of_another_maker
from tests.storage.imagekit import container, create, digest, patch, qemu_img, qemu_io, real

from bootgraft.errors import BootgraftError, ImageError, ReadOnlyError
from bootgraft.storage.devices.qemunbd import create_overlay
from bootgraft.storage.images import qcow2
from bootgraft.storage.images.opening import ImageFormat, find_children, identify, open_image


def over(base: Path, name: str, driver: str, folder: Path | None = None) -> Path:
    """An empty image on top of another."""
    path = (folder or base.parent) / name
    qemu_img("create", "-q", "-f", "qcow2", "-b", base.name, "-F", driver, path)
    return path


@pytest.mark.parametrize("compat", ["0.10", "1.1"])
def test_size_and_no_chain(tmp_path: Path, compat: str) -> None:
    info = identify(str(create(tmp_path / "disk", "qcow2", "8M", compat=compat)))
    assert (info.format, info.size, info.chain, info.read_only_reason) == (ImageFormat.QCOW2, 2**23, (), None)


def test_a_real_chain_of_three(tmp_path: Path) -> None:
    paths = [real(f"qcow2/dissect/backing-chain-{number}.qcow2.gz", tmp_path) for number in (1, 2, 3)]
    info = identify(str(paths[0]))
    assert info.chain == tuple((path, ImageFormat.QCOW2) for path in paths[1:])
    assert info.backing == tuple(paths[1:])
    raw = tmp_path / "raw"
    qemu_img("convert", "-f", "qcow2", "-O", "raw", paths[0], raw)
    with open_image(info, writable=False) as image:
        assert digest(image.device.read(0, 2**24)) == digest(raw.read_bytes()[: 2**24])


@pytest.mark.parametrize(
    ("driver", "below"),
    [
        ("raw", ImageFormat.RAW),
        ("vmdk", ImageFormat.VMDK),
        ("vpc", ImageFormat.VHD),
        ("vhdx", ImageFormat.VHDX),
        ("vdi", ImageFormat.VDI),
        ("qcow2", ImageFormat.QCOW2),
    ],
)
def test_any_format_below(tmp_path: Path, driver: str, below: ImageFormat) -> None:
    base = create(tmp_path / "base", driver)
    qemu_io(base, driver, "write -P 7 64k 64k")
    info = identify(str(over(base, "top.qcow2", driver)))
    assert info.chain == ((base, below),)
    before = base.read_bytes()
    with open_image(info, writable=True) as image:
        assert image.device.read(65536, 65536) == b"\7" * 65536
        image.device.write(65536, b"\x08" * 512)
        image.device.flush()
        assert image.device.read(65536, 1024) == b"\x08" * 512 + b"\7" * 512
    assert base.read_bytes() == before


def test_a_raw_base_is_never_probed(tmp_path: Path) -> None:
    """The guest could write a QCOW2 header into its raw disk that names any file of the host."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret" * 1000)
    base = tmp_path / "base.raw"
    evil = create(tmp_path / "evil", "qcow2", "8M", backing_file=str(secret), backing_fmt="raw")
    base.write_bytes(evil.read_bytes())
    top = tmp_path / "top.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", "-b", "base.raw", "-F", "raw", top)
    with open_image(identify(str(top)), writable=False) as image:
        assert image.device.read(0, 4) == b"QFI\xfb"


def without_format(path: Path) -> Path:
    """Take the backing format's record out of a header, as old qemu-img left it out."""
    content = bytearray(path.read_bytes())
    at = content.index(struct.pack(">I", 0xE2792ACA))
    content[at : at + 4] = struct.pack(">I", 0x12345678)  # an extension that readers must skip
    path.write_bytes(content)
    return path


def test_a_base_of_unrecorded_format(tmp_path: Path) -> None:
    raw = create(tmp_path / "base.raw", "raw")
    top = without_format(over(raw, "top.qcow2", "raw"))
    with pytest.raises(ImageError, match=r"not recorded.*qemu-img rebase -u -F raw"):
        identify(str(top))
    vmdk = create(tmp_path / "base.vmdk", "vmdk")
    assert identify(str(without_format(over(vmdk, "other.qcow2", "vmdk")))).chain == ((vmdk, ImageFormat.VMDK),)


@pytest.mark.parametrize("name", ["json:{}", "nbd:localhost:1", "/etc/hostname", "../base.raw"])
def test_a_base_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "vm").mkdir()
    create(tmp_path / "base.raw", "raw")
    top = tmp_path / "vm" / "top.qcow2"
    qemu_img("create", "-q", "-u", "-f", "qcow2", "-b", name, "-F", "raw", top, "8M")
    with pytest.raises(ImageError, match=r"which (lies outside|qemu would take)"):
        identify(str(top))
    if name.startswith(".."):
        assert identify(str(top), allow_paths=[tmp_path]).backing == (tmp_path / "base.raw",)


def test_an_overlay_over_a_vhd_records_how_its_size_is_found(tmp_path: Path) -> None:
    base = create(tmp_path / "base.vhd", "vpc", "10M", force_size="on")
    qemu_io(base, "vpc", "write -P 7 10485248 512")
    top = tmp_path / "top.qcow2"
    create_overlay(top, base, "vpc")
    info = identify(str(top))
    assert info.chain == ((base, ImageFormat.VHD),)
    assert find_children(identify(str(base))) == (top,)
    with open_image(info, writable=True) as image:
        assert image.device.size == 10 * 2**20
        assert image.device.read(10485248, 512) == b"\7" * 512
    vhd_of_another_maker(base)
    with open_image(identify(str(top)), writable=True) as image:
        assert image.device.size == 10 * 2**20
        assert image.device.read(10485248, 512) == b"\7" * 512


@pytest.mark.parametrize(
    "name",
    [
        "json:",
        "json:[]",
        "json:" + "[" * 1000,
        'json:{"file": {"filename": "/etc/shadow"}}',
        'json:{"driver": "vpc", "force_size_calc": "current_size", "file": {"driver": "nbd", "filename": "x"}}',
        'json:{"driver": "vpc", "force_size_calc": "current_size", "file": {"driver": "file", "filename": 1}}',
    ],
)
def test_no_other_json_is_taken_for_a_name(name: str) -> None:
    assert qcow2.plain_name(name) == name


def test_a_missing_base_is_named(tmp_path: Path) -> None:
    base = create(tmp_path / "base.raw", "raw")
    top = over(base, "top.qcow2", "raw")
    base.unlink()
    with pytest.raises(ImageError, match=r"base\.raw, is missing"):
        identify(str(top))


def test_an_image_over_itself_is_refused(tmp_path: Path) -> None:
    top = tmp_path / "top.qcow2"
    qemu_img("create", "-q", "-u", "-f", "qcow2", "-b", "top.qcow2", "-F", "qcow2", top, "8M")
    with pytest.raises(ImageError, match="circle"):
        identify(str(top))


def test_encryption_is_refused(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk", "qcow2")
    patch(disk, 32, struct.pack(">I", 2))  # crypt_method LUKS; making a real one takes qemu-img three seconds
    with pytest.raises(ImageError, match="encrypted"):
        identify(str(disk))


def test_an_external_data_file_is_refused(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk", "qcow2", data_file=str(tmp_path / "data"))
    with pytest.raises(ImageError, match="data in another file"):
        identify(str(disk))


@pytest.mark.parametrize(("bit", "says"), [(1, "not closed cleanly"), (2, "marked it as corrupt")])
def test_dirty_and_corrupt_images_are_not_written(tmp_path: Path, bit: int, says: str) -> None:
    disk = create(tmp_path / "disk", "qcow2")
    patch(disk, 79, bytes([bit]))
    info = identify(str(disk))
    assert info.read_only_reason is not None
    assert says in info.read_only_reason
    with pytest.raises(ReadOnlyError, match=f"{says}.*qemu-img check -r all.*--overlay"):
        open_image(info, writable=True)
    assert (identify(str(disk), pending_log_ok=True).read_only_reason is None) is (bit == 1)


@pytest.mark.parametrize(
    ("offset", "data", "says"),
    [
        (20, struct.pack(">I", 40), "clusters"),
        (36, struct.pack(">I", 2**31), "L1 table"),
        (40, struct.pack(">Q", 2**63), "L1 table"),
        (56, struct.pack(">I", 2**20), "refcount table"),
        (100, struct.pack(">I", 2**30), "reaches into"),
        (104, struct.pack(">II", 0x12345678, 2**31), "extension is longer"),
        (4, struct.pack(">I", 9), "not supported|version"),
    ],
)
def test_a_contradiction_is_named(tmp_path: Path, offset: int, data: bytes, says: str) -> None:
    disk = create(tmp_path / "disk", "qcow2")
    if offset == 104:
        patch(disk, 100, struct.pack(">I", 104))
    patch(disk, offset, data)
    with pytest.raises(ImageError, match=says):
        identify(str(disk))


@pytest.mark.parametrize("length", [8, 72, 100, 70_000])
def test_a_truncated_disk_is_refused(tmp_path: Path, length: int) -> None:
    disk = create(tmp_path / "disk", "qcow2")
    disk.write_bytes(disk.read_bytes()[:length])
    with pytest.raises(ImageError, match="cut short"):
        identify(str(disk))


@settings(max_examples=150, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 300), st.binary(min_size=1, max_size=8)), min_size=1, max_size=3))
def test_a_mutated_header_is_an_error_or_an_answer(
    changes: list[tuple[int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / "mutated.qcow2"
    if not _made:
        create(folder / "base.raw", "raw")
        create(path, "qcow2", "8M", backing_file="base.raw", backing_fmt="raw")
        _made.append(path.read_bytes())
    path.write_bytes(_made[0])
    for offset, data in changes:
        patch(path, offset, data)
    try:
        identify(str(path))
    except BootgraftError:
        return


_made: list[bytes] = []


@settings(max_examples=100, deadline=None)
@given(name=st.binary(min_size=1, max_size=200).filter(lambda name: b"\0" not in name))
def test_any_backing_name_comes_back(name: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 1024, len(name), 16, 2**20, 0, 1, 65536, 131072, 1, 0, 0)
    content = (header + bytes(1024 - len(header)) + name).ljust(3 * 65536, b"\0")
    with container(tmp_path_factory.getbasetemp() / "named", content) as file:
        found = qcow2.read_header(file)
    assert found.backing is not None
    assert found.backing.encode("utf-8", "surrogateescape") == name
