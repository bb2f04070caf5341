"""What libguestfs, nbdkit and qemu's programs say in virt-v2v's output."""

import pytest

from bootgraft.explain.converters.virtv2v import V2V
from bootgraft.explain.converters.virtv2v_helpers import parse
from bootgraft.explain.message import Level
from bootgraft.explain.wrapping.unwrapping import LogLine


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("libguestfs: error: /usr/bin/supermin exited with error status 1.", Level.ERROR),
        ("libguestfs: warning: odd", Level.WARNING),
        ("DEBUG INFO: libguestfs error: guestfs_launch failed, see earlier error messages", Level.ERROR),
        ("nbdkit: error: VixDiskLib_Read: odd", Level.ERROR),
        ("nbdkit: vddk[12]: error: odd", Level.ERROR),
        ("nbdkit: warning: odd", Level.WARNING),
        ("supermin: error: odd", Level.ERROR),
        ("virt-customize: error: odd", Level.ERROR),
        ("nbdcopy: write: No space left on device", Level.ERROR),
        (
            "nbd+unix:///?socket=/tmp/a: nbd_block_status_64: block-status: command failed: Input/output error",
            Level.ERROR,
        ),
        ("qemu-img: error while reading at byte 0: Input/output error", Level.ERROR),
        ("qemu-system-x86_64: warning: host doesn't support requested feature", Level.WARNING),
        ("Error executing v2v command: exit status 1", Level.ERROR),
        ("mount: /sysroot: unknown filesystem type 'ntfs'.", Level.INFO),
        ('libguestfs: trace: v2v: vfs_type = "BitLocker"', Level.INFO),
    ],
)
def test_what_is_a_message(text: str, level: Level) -> None:
    message = parse(LogLine(3, text, "t"), V2V)
    assert message is not None
    assert (message.number, message.tool, message.level, message.text, message.stamp) == (3, V2V, level, text, "t")


def test_a_bar_of_progress_before_it_is_left_out() -> None:
    message = parse(LogLine(1, "Full copy  98% [] (2.8/2.8 TiB) [14h0m5s:5s]nbdkit: error: odd"), V2V)
    assert message is not None
    assert message.text == "nbdkit: error: odd"


def test_what_qemu_img_said_may_be_in_the_sentence_of_another_program() -> None:
    # the form of https://github.com/canonical/lxd-ui/issues/1652
    message = parse(LogLine(1, "Error: failed: exit status 1 (qemu-img: Could not open '/a': Invalid argument)"), V2V)
    assert message is not None
    assert message.text == "qemu-img: Could not open '/a': Invalid argument)"


@pytest.mark.parametrize(
    "text",
    [
        "libguestfs: trace: v2v: mount_ro = -1 (error)",
        "libguestfs: command: run: qemu-img",
        "nbdkit: vddk[1]: debug: error: none",
        "nbdkit: debug: vddk: error: odd",
        "qemu-system-x86_64: terminating on signal 15 from pid 41 (virt-v2v)",
        "commandrvf: stdout=n stderr=y flags=0x0",
        "guestfsd: error: not of libguestfs itself",
        "mount: /sysroot: wrong fs type, bad option, bad superblock on /dev/sda",
        "error: ",
    ],
)
def test_what_is_none(text: str) -> None:
    assert parse(LogLine(1, text), V2V) is None
