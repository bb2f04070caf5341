"""Tell a disk image's format from its content, once; the name's ending is never asked.

What is recognisably no disk image is refused with what to give instead. Sources of the magic numbers: the formats'
own specifications, named in the modules that read them; for the rest file(1)'s magic database.
"""

import shlex

from bootgraft.errors import DamagedImageError, ImageError
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.imageformat import ImageFormat

_SNIFFED = 64 * 1024

_VHD_COOKIE, _VHD_FOOTER = b"conectix", 512

_DESCRIPTOR = b"# disk descriptorfile"

_CONVERT = "Convert it first: qemu-img convert -O qcow2 FILE NEW.qcow2"
_UNPACK = "Unpack it first, and give the disk image that is in it"
_UNPACK_TAR = "To unpack it in this folder, run:\n    tar xf {file}\nThen give the disk image that was in it"
_GIVE_AS_DESCRIPTION = "Give it by --vm, or give the disk images that it names"
_FOREIGN: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x1f\x8b", "a gzip archive", _UNPACK),
    (0, b"BZh", "a bzip2 archive", _UNPACK),
    (0, b"\xfd7zXZ\0", "an xz archive", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (0, b"PK\x03\x04", "a ZIP archive", _UNPACK),
    (0, b"MSCF", "a Windows cabinet (CAB)", "Give the machine's hard disk"),
    (0, b"MSWIM\0\0\0", "a WIM archive, not a disk", "Apply it to a disk image first"),
    (0, b"EVF\x09\x0d\x0a\xff\0", "an EWF (E01) evidence file", "Export it as raw first (ewfexport)"),
    (0, b"LUKS\xba\xbe", "a LUKS-encrypted disk", "Open it with cryptsetup, and give the device under /dev/mapper"),
    (0, b"QFI\xfb", "a QCOW image of a version that is not supported", _CONVERT),
    (0, b"QED\0", "a QED image", _CONVERT),
    (0, b"WithoutFreeSpace", "a Parallels image", _CONVERT),
    (0, b"WithouFreSpacExt", "a Parallels image", _CONVERT),
    (257, b"ustar", "a tar archive (an .ova is one)", _UNPACK_TAR),
    (
        0x8001,
        b"CD001",
        "an ISO 9660 CD or DVD image",
        "Give the machine's hard disk",
    ),
    (0x8001, b"BEA01", "a UDF DVD image", "Give the machine's hard disk"),
)
_TEXT = frozenset(b"\t\n\v\f\r" + bytes(range(0x20, 0x7F)))


def sniff(file: ContainerFile) -> ImageFormat:
    """Return the format of an open file; what has no magic number of its own is a raw disk.

    Raises:
        ImageError: it is empty, or recognisably something other than a disk image.
    """
    if file.size == 0:
        advice = "Copy the image again from where it came from"
        raise DamagedImageError("the file is empty", where=file.name, advice=advice)
    head = file.peek(0, _SNIFFED)
    known = known_start(head)
    if known is not None:
        return known
    if _VHD_COOKIE in file.peek(file.size - _VHD_FOOTER, _VHD_FOOTER):
        from bootgraft.storage.images import vhd  # most are none

        if vhd.has_footer(file):
            return ImageFormat.VHD
    _refuse_foreign(file, head)
    return ImageFormat.RAW


def known_start(head: bytes) -> ImageFormat | None:
    """The format that a file of these first bytes must be, None where that is left open."""
    for found in ImageFormat:
        if any(head.startswith(magic, offset) for offset, magic in found.magics):
            return found
    return ImageFormat.VMDK if head[: len(_DESCRIPTOR)].lower() == _DESCRIPTOR else None


def _refuse_foreign(file: ContainerFile, head: bytes) -> None:
    for offset, magic, what, advice in _FOREIGN:
        if head.startswith(magic, offset):
            raise _foreign(file, what, advice)
    start = head[:512]
    if start.startswith((b"\xff\xfe<\0", b"\xef\xbb\xbf")) or _TEXT.issuperset(start):
        raise _foreign(file, *_name_text(head))


def _name_text(head: bytes) -> tuple[str, str]:
    text = head.replace(b"\0", b"").lower()
    if b"<envelope" in text:
        return "an OVF description of a virtual machine", _GIVE_AS_DESCRIPTION
    if b"<domain" in text:
        return "a libvirt description of a virtual machine", _GIVE_AS_DESCRIPTION
    if b"config.version" in text or b"virtualhw.version" in text:
        return "a VMware virtual machine's configuration (.vmx)", _GIVE_AS_DESCRIPTION
    return "a text file", "Give the disk image itself"


def _foreign(file: ContainerFile, what: str, advice: str) -> ImageError:
    choices = [("--vm", file.name)] if advice == _GIVE_AS_DESCRIPTION else []
    return ImageError(
        f"this is {what}, not a disk image",
        where=file.name,
        advice=advice.format(file=shlex.quote(file.name)),
        said=file.name,
        choices=choices,
        id="not-an-image",
    )
