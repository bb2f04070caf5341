"""A virtual machine's description as a file: read within bounds, told apart by its content, edited as its format wants.

Each format's module is imported where it is needed: most commands meet one, or none.
"""

import os
import re
from collections.abc import Collection
from pathlib import Path

from bootgraft.errors import UsageError, VmDescriptionError
from bootgraft.targets.vmdescription import VmDescription, VmFormat, malformed

MAX_SIZE = 2**20
"""Bytes that a description may have: real ones have kilobytes."""
_TAR_MAGIC, _TAR_AT = b"ustar", 257
_ROOT = re.compile(r"<(?:[A-Za-z0-9_.-]+:)?([A-Za-z0-9_.-]+)[\s>/]")
_ROOTS = {"domain": VmFormat.LIBVIRT, "Envelope": VmFormat.OVF, "configuration": VmFormat.HYPERV}
_VMX_LINE = re.compile(rb'^[ \t]*[^\s="#]+[ \t]*=', re.MULTILINE)
_PROXMOX_LINE = re.compile(rb"^[a-z][a-z0-9]*:[ \t]", re.MULTILINE)
_DISK_STARTS = (b"# Disk DescriptorFile", b"KDMV", b"COWD", b"QFI\xfb", b"conectix", b"vhdxfile", b"<<< ")
_ASIDES = {"<!--": "-->", "<?": "?>"}
"""How what may stand before the first element begins and ends: comments and instructions."""
EDITABLE = (VmFormat.VMX, VmFormat.LIBVIRT, VmFormat.PROXMOX)
"""Formats that a hypervisor reads at each start, so that an edit of them has an effect."""


def read_description(path: Path) -> VmDescription:
    """Read the description in a file.

    Raises:
        VmDescriptionError: there is no such file, or it is none that bootgraft understands.
    """
    return parse_description(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """Return what is in a description's file, which must be a plain one.

    Raises:
        VmDescriptionError: it cannot be read, or is larger than any description.
    """
    from bootgraft.storage.durable import open_regular, read_all

    try:
        descriptor = open_regular(path.resolve(), os.O_RDONLY)
        try:
            data = read_all(descriptor, 0, MAX_SIZE + 1)
        finally:
            os.close(descriptor)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its path cannot be followed"
        raise VmDescriptionError(
            f"the machine's description cannot be read ({reason})", where=str(path), advice="Check the path"
        ) from error
    if len(data) > MAX_SIZE and data[_TAR_AT : _TAR_AT + len(_TAR_MAGIC)] != _TAR_MAGIC:
        raise _no_description(path, data)
    return data


def parse_description(data: bytes, path: Path) -> VmDescription:
    """Understand the content of a description.

    Raises:
        VmDescriptionError: it is none that bootgraft understands.
    """
    match _format_of(data, path):
        case VmFormat.VMX:
            from bootgraft.targets import vmx

            return vmx.parse(data, path)
        case VmFormat.LIBVIRT:
            from bootgraft.targets import libvirt

            return libvirt.parse(data, path)
        case VmFormat.PROXMOX:
            from bootgraft.targets import proxmox

            return proxmox.parse(data, path)
        case VmFormat.OVF:
            from bootgraft.targets import ovf

            return ovf.parse(data, path)
        case VmFormat.HYPERV:
            from bootgraft.targets import hyperv

            return hyperv.parse(data, path)


def plug(data: bytes, description: VmDescription, names: Collection[str], *, plugged: bool) -> bytes:
    """Return the description's bytes with the network cards ``names`` plugged in or not, all else as it is.

    Raises:
        UsageError: the format is only imported once, so that an edit of it would change no machine.
        VmDescriptionError: one of the cards cannot be unplugged.
    """
    edited = _plug(data, description, names, plugged=plugged)
    # Whoever unplugs a card counts on it: what was edited is read again.
    for card in parse_description(edited, description.path).cards:
        if card.name in names and card.plugged is not plugged:
            state = "plugged in" if plugged else "unplugged"
            raise malformed(description.path, card.line, f"its network card {card.name} could not be {state}")
    return edited


def _plug(data: bytes, description: VmDescription, names: Collection[str], *, plugged: bool) -> bytes:
    path = description.path
    match description.format:
        case VmFormat.VMX:
            from bootgraft.targets import vmx

            return vmx.plug(data, path, names, plugged=plugged)
        case VmFormat.LIBVIRT:
            from bootgraft.targets import libvirt

            return libvirt.plug(data, path, names, plugged=plugged)
        case VmFormat.PROXMOX:
            from bootgraft.targets import proxmox

            return proxmox.plug(data, path, names, plugged=plugged)
        case VmFormat.OVF | VmFormat.HYPERV:
            raise UsageError(
                "the network cards in such a description cannot be unplugged: it is read once, when it is imported",
                where=str(path),
                advice="Import the machine without starting it, and disconnect its cards in the hypervisor",
            )


def _format_of(data: bytes, path: Path) -> VmFormat:
    if data[_TAR_AT : _TAR_AT + len(_TAR_MAGIC)] == _TAR_MAGIC:
        raise _packed(path)
    if path.suffix.casefold() in (".vmcx", ".vmrs"):
        raise _binary_export(path)
    if data.startswith(_DISK_STARTS):
        raise VmDescriptionError(
            "this is a disk, not a machine's description", where=str(path), advice="Give it without --vm"
        )
    text = _start_of_xml(data)
    if text is not None:
        found = _ROOT.search(text)
        kind = _ROOTS.get(found[1]) if found else None
        if kind is None:
            raise malformed(path, None, "it is XML, but neither libvirt's nor an .ovf nor an export of Hyper-V's")
        return kind
    if b"\0" in data:
        raise _no_description(path, data)
    proxmox, vmx = _PROXMOX_LINE.search(data), _VMX_LINE.search(data)
    if vmx is not None and (proxmox is None or vmx.start() < proxmox.start()):
        return VmFormat.VMX
    if proxmox is not None:
        return VmFormat.PROXMOX
    raise _no_description(path, data)


def _start_of_xml(data: bytes) -> str | None:
    """The text from the first element on, without what may stand before it; None where this is no XML."""
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "latin-1"
    text = data[: 2**16].decode(encoding, "replace").removeprefix("\xef\xbb\xbf").lstrip()
    if not text.startswith("<"):
        return None
    while text.startswith(tuple(_ASIDES)):
        opening = next(each for each in _ASIDES if text.startswith(each))
        _, closing, text = text[len(opening) :].partition(_ASIDES[opening])
        text = text.lstrip() if closing else ""
    return text


def _packed(path: Path) -> VmDescriptionError:
    import shlex

    from bootgraft.targets import ovf

    name = ovf.name_in_archive(path)
    return VmDescriptionError(
        "its disks lie inside this archive, where they cannot be read or repaired",
        where=str(path),
        advice=f"Unpack it (tar -xf {shlex.quote(path.name)}), then give --vm {shlex.quote(name)}",
    )


def _binary_export(path: Path) -> VmDescriptionError:
    return VmDescriptionError(
        "this is Hyper-V's binary format (since Windows Server 2016), which bootgraft cannot read",
        where=str(path),
        advice="Give the disks in their order and --target hyperv:gen1 or hyperv:gen2 without --vm (`Get-VM | fl "
        "Name,Generation` and `Get-VMHardDiskDrive` show them)",
    )


def _no_description(path: Path, data: bytes) -> VmDescriptionError:
    what = f"it is larger than {MAX_SIZE} bytes" if len(data) > MAX_SIZE else "it is of no kind that bootgraft knows"
    return VmDescriptionError(
        f"this is no machine's description: {what}",
        where=str(path),
        advice="Give a .vmx, .ovf, libvirt's domain XML, Proxmox's .conf or an XML export of Hyper-V's",
    )
