"""A virtual machine's description as a file: read within bounds, recognised by its content, edited by its format."""

import os
import re
import shlex
from collections.abc import Collection, Sequence
from pathlib import Path

from bootgraft.errors import UsageError, VmDescriptionError
from bootgraft.storage.images.detect import known_start
from bootgraft.targets.descriptions import hyperv, libvirt, ovf, proxmox, vmx
from bootgraft.targets.descriptions.vmdescription import VmDescription, VmFormat, malformed

MAX_SIZE = 2**20
"""Bytes that a description may have: real ones have kilobytes."""
_TAR_MAGIC, _TAR_AT = b"ustar", 257
_ROOT = re.compile(r"<(?:[A-Za-z0-9_.-]+:)?([A-Za-z0-9_.-]+)[\s>/]")
_ASIDES = {"<!--": "-->", "<?": "?>"}
"""How what may stand before the first element begins and ends: comments and instructions."""
FORMATS = (vmx.FORMAT, ovf.FORMAT, libvirt.FORMAT, proxmox.FORMAT, hyperv.FORMAT)
"""All formats, each of them the work of one module."""
EDITABLE = tuple(each for each in FORMATS if each.plug)
"""Those that a hypervisor reads at each start, so that an edit of them has an effect."""


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
    return _format_of(data, path).parse(data, path)


def plug(data: bytes, description: VmDescription, names: Collection[str], *, plugged: bool) -> bytes:
    """Return the description's bytes with the network adapters ``names`` connected or not, all else as it is.

    Raises:
        UsageError: the format is only imported once, so that an edit of it would change no machine.
        VmDescriptionError: one of the adapters cannot be disconnected.
    """
    if description.format.plug is None:
        raise UsageError(
            "the network adapters in such a description cannot be disconnected: it is read once, when it is imported",
            where=str(description.path),
            advice="Import the machine without starting it, and disconnect its adapters in the hypervisor",
        )
    edited = description.format.plug(data, description.path, names, plugged=plugged)
    # Whoever disconnects an adapter relies on it: what was edited is read again.
    for card in parse_description(edited, description.path).cards:
        if card.name in names and card.plugged is not plugged:
            state = "connected" if plugged else "disconnected"
            raise malformed(description.path, card.line, f"its network adapter {card.name} could not be {state}")
    return edited


def titles(formats: Sequence[VmFormat]) -> str:
    """What these formats are called, as a sentence lists them: ``a .vmx, an .ovf or libvirt's domain XML``."""
    *others, last = (each.title for each in formats)
    return f"{', '.join(others)} or {last}"


def _format_of(data: bytes, path: Path) -> VmFormat:
    if data[_TAR_AT : _TAR_AT + len(_TAR_MAGIC)] == _TAR_MAGIC:
        raise _packed(path)
    if path.suffix.casefold() in (".vmcx", ".vmrs"):
        raise _binary_export(path)
    if known_start(data) is not None:
        raise VmDescriptionError(
            "this is a disk, not a machine's description",
            where=str(path),
            advice="Give it without --vm",
            said="--vm",
            choices=[()],
        )
    text = _start_of_xml(data)
    if text is not None:
        return _format_of_xml(text, path)
    lines = [(found.start(), each) for each in FORMATS if each.line and (found := each.line.search(data))]
    if b"\0" in data or not lines:
        raise _no_description(path, data)
    return min(lines, key=lambda line: line[0])[1]


def _format_of_xml(text: str, path: Path) -> VmFormat:
    root = _ROOT.search(text)
    known = [each for each in FORMATS if each.root]
    for each in known:
        if root and root[1] == each.root:
            return each
    raise malformed(path, None, f"it is XML, but not {titles(known)}")


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
    name = ovf.name_in_archive(path)
    return VmDescriptionError(
        "its disks lie inside this archive, where they cannot be read or repaired",
        where=str(path),
        advice=f"To unpack it in this folder, run:\n    tar xf {shlex.quote(str(path))}\n"
        f"Then give --vm {shlex.quote(name)}",
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
        advice=f"Give {titles(FORMATS)}",
        said="--vm",
        choices=[()] if len(data) > MAX_SIZE else [],  # so large is a disk
    )
