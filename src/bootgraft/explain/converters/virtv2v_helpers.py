"""What the programs say that work for virt-v2v: a failure or a warning in one line, or a clue to the reason of one.

libguestfs, nbdkit (with the name of its plugin) and virt-customize mark what is one: ``nbdkit: vddk[1]: error: …``;
qemu's programs and nbdcopy print nothing else on standard error. With ``-v -x`` the programs in libguestfs' appliance
are heard too: ``mount: /sysroot: unknown filesystem type 'ntfs'.`` (https://github.com/libguestfs/virt-v2v/issues/31).
"""

import re

from bootgraft.explain.message import Level, LogMessage, Tool
from bootgraft.explain.wrapping.unwrapping import LogLine

_MARKED = re.compile(
    r"(?:^|(?<=[\s)\]]))(?P<program>libguestfs|nbdkit|virt-(?!v2v)[a-z0-9-]{2,20}|guestfish|supermin)"
    r"(?:\[\d{1,10}\])?: "
    r"(?:[\w.-]{1,40}\[\d{1,6}\]: |libguestfs )?(?P<level>error|warning): ."
)
_UNMARKED = re.compile(
    r"(?:nbdcopy|nbdinfo|qemu-(?:img|nbd|io|kvm|system-\w{1,16})|nbd(?:\+\w{1,8})?://\S{1,400}):"
    r" (?!terminating on signal|debug: |info: |trace: |libguestfs:)(?P<level>warning: )?."
)
_INSIDE = re.compile(r"(?<=[\s(\]])qemu-img: (?:error while|Could not).*")
"""In a sentence of another program's (https://github.com/canonical/lxd-ui/issues/1652)."""
_WITHOUT_PROGRAM = re.compile(r"(?:DEBUG INFO: )?(?P<text>libguestfs error: .*)")
"""As OneSwap repeats it (https://github.com/OpenNebula/one-swap/issues/59)."""
_FAILED_COMMAND = re.compile(
    r"(?:Error executing v2v command|Failed to execute virt-v2v command|(?:.{0,80}, )?qemu-img execution failed)\b.*"
)
"""The last lines of Forklift and of KubeVirt's importer (https://github.com/kubev2v/forklift/issues/1942)."""
_CLUE = re.compile(
    r"unknown filesystem type 'ntfs'|mount: unsupported filesystem type"
    r"|\"BitLocker\"|NTFS partition is (?:in an|hibernated)|hibernated, refused to mount"
    r"|Metadata kept in Windows cache, refused to mount|\$MFTMirr does not match \$MFT|NTFS is either inconsistent"
    r"|ould not access KVM kernel module|failed to initialize (?:kvm|KVM)"
)


def parse(line: LogLine, tool: Tool) -> LogMessage | None:
    """The message of a line, None where it is none. ``tool`` is the converter that the program works for."""
    text = line.text
    marked = "error: " in text or "warning: " in text  # a bar of progress may be before it
    found = (_MARKED.search(text) if marked else None) or _UNMARKED.match(text)
    if found:
        level = Level.WARNING if (found["level"] or "").startswith("warning") else Level.ERROR
        return LogMessage(line.number, tool, level, text[found.start() :], stamp=line.stamp)
    inside = _INSIDE.search(text) if "qemu-img: " in text else None
    if inside:
        return LogMessage(line.number, tool, Level.ERROR, inside[0], stamp=line.stamp)
    failed = _WITHOUT_PROGRAM.match(text) or _FAILED_COMMAND.match(text)
    if failed:
        return LogMessage(line.number, tool, Level.ERROR, text, stamp=line.stamp)
    if _CLUE.search(text):
        return LogMessage(line.number, tool, Level.INFO, text, stamp=line.stamp)
    return None
