"""A raw image in every container format, by qemu-img; what qemu-img cannot write is in ``vmware_sparse``."""

import struct
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from tests.machines.build import copy_sparse
from tests.machines.spec import SECTOR
from tests.machines.tools import run
from tests.machines.vmware_sparse import write_se_sparse, write_vmfs_sparse


class ImageForm(StrEnum):
    """The formats; the ones in READ_ONLY cannot be written in place by anything outside VMware."""

    RAW = "raw"
    MONOLITHIC_SPARSE = "monolithicSparse"
    MONOLITHIC_FLAT = "monolithicFlat"
    TWO_GB_SPARSE = "twoGbMaxExtentSparse"
    TWO_GB_FLAT = "twoGbMaxExtentFlat"
    VMFS = "vmfs"  # ESXi: a descriptor over one flat extent of type VMFS
    BARE_FLAT = "bare -flat.vmdk"  # the data file of a VMFS disk without its descriptor
    STREAM_OPTIMIZED = "streamOptimized"
    VMFS_SPARSE = "vmfsSparse"
    SE_SPARSE = "seSparse"
    VHD_FIXED = "VHD fixed"
    VHD_DYNAMIC = "VHD dynamic"
    VHDX = "VHDX"
    VDI = "VDI"
    QCOW2 = "QCOW2"
    QCOW2_CHAIN = "QCOW2 with a backing chain"


READ_ONLY = (ImageForm.STREAM_OPTIMIZED, ImageForm.VMFS_SPARSE, ImageForm.SE_SPARSE)

# qemu-img's own subformats: (format, options, suffix of the file)
_QEMU: dict[ImageForm, tuple[str, str, str]] = {
    ImageForm.MONOLITHIC_SPARSE: ("vmdk", "subformat=monolithicSparse,adapter_type=lsilogic", ".vmdk"),
    ImageForm.MONOLITHIC_FLAT: ("vmdk", "subformat=monolithicFlat,adapter_type=lsilogic", ".vmdk"),
    ImageForm.TWO_GB_SPARSE: ("vmdk", "subformat=twoGbMaxExtentSparse,adapter_type=lsilogic", ".vmdk"),
    ImageForm.TWO_GB_FLAT: ("vmdk", "subformat=twoGbMaxExtentFlat,adapter_type=lsilogic", ".vmdk"),
    ImageForm.STREAM_OPTIMIZED: ("vmdk", "subformat=streamOptimized,adapter_type=lsilogic", ".vmdk"),
    ImageForm.VHD_FIXED: ("vpc", "subformat=fixed,force_size=on", ".vhd"),
    ImageForm.VHD_DYNAMIC: ("vpc", "subformat=dynamic,force_size=on", ".vhd"),
    ImageForm.VHDX: ("vhdx", "subformat=dynamic", ".vhdx"),
    ImageForm.VDI: ("vdi", "static=off", ".vdi"),
    ImageForm.QCOW2: ("qcow2", "compat=1.1", ".qcow2"),
}


def convert(raw: Path, form: ImageForm, folder: Path) -> Path:
    """Write ``raw`` as ``form`` into ``folder`` and return the file that a user would name."""
    folder.mkdir(parents=True, exist_ok=True)
    by_hand = _BY_HAND.get(form)
    if by_hand is not None:
        return by_hand(raw, folder)
    qemu_format, options, suffix = _QEMU[form]
    image = folder / (raw.stem + suffix)
    run("qemu-img", "convert", "-f", "raw", "-O", qemu_format, "-o", options, raw, image)
    return image


def flat_extents(descriptor: Path) -> list[Path]:
    """The data files that a VMDK descriptor names, in order."""
    text = descriptor.read_bytes().decode("latin-1")
    lines = [line for line in text.splitlines() if line.startswith(("RW ", "RDONLY ", "NOACCESS "))]
    return [descriptor.parent / line.split('"')[1] for line in lines]


def snapshot_child(parent: Path, folder: Path, name: str = "server1-000001") -> Path:
    """A VMware snapshot's child: a monolithicSparse VMDK whose parent is ``parent``."""
    child = folder / f"{name}.vmdk"
    options = "subformat=monolithicSparse"
    run("qemu-img", "create", "-q", "-f", "vmdk", "-o", options, "-b", parent.name, "-F", "vmdk", child)
    return child


def vhd_of_another_maker(vhd: Path) -> None:
    """Make a VHD look as VirtualBox writes it: by the CHS fields, which qemu then believes, it is a little smaller."""
    size = vhd.stat().st_size
    with vhd.open("r+b") as image:
        for at in (0, size - SECTOR):
            image.seek(at)
            footer = bytearray(image.read(SECTOR))
            if footer[:8] != b"conectix":
                continue
            footer[28:32] = b"vbox"
            struct.pack_into(">HBB", footer, 56, *_vhd_geometry(struct.unpack_from(">Q", footer, 48)[0] // SECTOR))
            struct.pack_into(">I", footer, 64, 0)
            struct.pack_into(">I", footer, 64, ~sum(footer) & 0xFFFFFFFF)
            image.seek(at)
            image.write(footer)


def _vhd_geometry(sectors: int) -> tuple[int, int, int]:
    """Cylinders, heads, sectors per track: the appendix of Microsoft's "Virtual Hard Disk Image Format"."""
    for per_track, least_heads, most_heads in ((17, 4, 16), (31, 16, 16), (63, 16, 16)):
        tracks = sectors // per_track
        heads = max(least_heads, -(-tracks // 1024))
        if heads <= most_heads and tracks < heads * 1024:
            break
    return tracks // heads, heads, per_track


def _raw(raw: Path, folder: Path) -> Path:
    image = folder / raw.name
    copy_sparse(raw, image)
    return image


def _vmfs(raw: Path, folder: Path) -> Path:
    descriptor = convert(raw, ImageForm.MONOLITHIC_FLAT, folder)
    text = descriptor.read_text()
    text = text.replace('createType="monolithicFlat"', 'createType="vmfs"')
    text = text.replace(f' FLAT "{raw.stem}-flat.vmdk" 0', f' VMFS "{raw.stem}-flat.vmdk"')
    descriptor.write_text(text)
    return descriptor


def _bare_flat(raw: Path, folder: Path) -> Path:
    image = folder / f"{raw.stem}-flat.vmdk"
    copy_sparse(raw, image)
    return image


def _qcow2_chain(raw: Path, folder: Path) -> Path:
    """Three deep: raw base, an empty middle, an empty top."""
    base = _raw(raw, folder)
    middle, top = folder / f"{raw.stem}-middle.qcow2", folder / f"{raw.stem}.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", base.name, "-F", "raw", middle)
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", middle.name, "-F", "qcow2", top)
    return top


_BY_HAND: dict[ImageForm, Callable[[Path, Path], Path]] = {
    ImageForm.RAW: _raw,
    ImageForm.VMFS: _vmfs,
    ImageForm.BARE_FLAT: _bare_flat,
    ImageForm.VMFS_SPARSE: write_vmfs_sparse,
    ImageForm.SE_SPARSE: write_se_sparse,
    ImageForm.QCOW2_CHAIN: _qcow2_chain,
}
