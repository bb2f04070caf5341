"""Proxmox VE's descriptions."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.targets.descriptions.summaries import changed_lines, disconnect_all, plugged, summary

from bootgraft.errors import VmDescriptionError
from bootgraft.targets.descriptions import proxmox
from bootgraft.targets.descriptions.vmdescription import Firmware

PATH = Path("100.conf")
CONF = b"""\
#server1%3A moved in the night
agent: 1
boot: order=scsi0;ide2;net0
ide2: none,media=cdrom
memory: 2048
name: server1
net0: virtio=BC:24:11:0A:0B:0C,bridge=vmbr0,firewall=1
net1: e1000=BC:24:11:0A:0B:0D,bridge=vmbr1,link_down=1
ostype: w2k3
parent: before
scsi0: local:100/vm-100-disk-0.qcow2,size=8G
scsihw: lsi
unused0: local-lvm:vm-100-disk-9

[before]
boot: order=ide0
ide0: local-lvm:vm-100-disk-1,size=8G
net0: virtio=BC:24:11:0A:0B:0C,bridge=vmbr0
"""


def test_the_machine_as_it_is_now() -> None:
    assert summary(proxmox.parse(CONF, PATH)) == (
        "100.conf: proxmox, bios\n"
        "  scsi0 kvm:lsi local:100/vm-100-disk-0.qcow2 (line 11)\n"
        "  net0 in (line 7)\n"
        "  net1 out (line 8)\n"
        "  boot scsi0 (exclusive first_only) boot: order=scsi0;ide2;net0 (line 3)\n"
        "    else boot: order={place};ide2;net0\n"
        "  processor kvm64: it has no `cpu` line, which means kvm64 (line None)\n"
        "  not attached: unused0 local-lvm:vm-100-disk-9 (line 13)\n"
    )


def test_disconnecting_leaves_snapshots_alone() -> None:
    assert changed_lines(CONF, disconnect_all(CONF, PATH)) == [
        "- net0: virtio=BC:24:11:0A:0B:0C,bridge=vmbr0,firewall=1\n",
        "+ net0: virtio=BC:24:11:0A:0B:0C,bridge=vmbr0,firewall=1,link_down=1\n",
    ]


def test_plugging_in() -> None:
    edited = proxmox.plug(CONF, PATH, ["net1"], plugged=True)
    assert edited == CONF.replace(b"link_down=1", b"link_down=0")
    assert plugged(edited, PATH) == {"net0": True, "net1": True}


@pytest.mark.parametrize(
    ("lines", "controller"),
    [
        ("scsi0: a:b", "kvm:lsi"),
        ("scsi0: a:b\nscsihw: virtio-scsi-single", "kvm:virtio-scsi"),
        ("scsi0: a:b\nscsihw: megasas", "kvm:megasas"),
        ("scsi0: a:b\nscsihw: pvscsi", "kvm:pvscsi"),
        ("scsi0: a:b\nscsihw: lsi53c810", None),
        ("ide0: a:b", "kvm:ide"),
        ("ide0: a:b\nmachine: pc-q35-8.1", "kvm:ahci"),
        ("sata0: file=a:b", "kvm:ahci"),
        ("virtio0: a:b", "kvm:virtio-blk"),
    ],
)
def test_controllers(lines: str, controller: str | None) -> None:
    (found,) = proxmox.parse(lines.encode(), PATH).disks
    assert (found.name, found.controller) == ("a:b", controller)


@pytest.mark.parametrize(
    ("boot", "places", "doubt"),
    [
        ("", ["ide0", "scsi0", "scsi1"], "it has disks on ide and scsi, and no boot order names them"),
        ("boot: order=scsi1;net0", ["scsi1", "ide0", "scsi0"], "it has disks on ide and scsi, and no boot order"),
        ("boot: order=scsi1;ide0", ["scsi1", "ide0", "scsi0"], ""),
        ("boot: cdn\nbootdisk: ide0", ["ide0", "scsi0", "scsi1"], ""),
    ],
)
def test_order(boot: str, places: list[str], doubt: str) -> None:
    found = proxmox.parse(f"scsi1: a:1\nide0: a:2\nscsi0: a:3\n{boot}\n".encode(), PATH)
    assert [each.place for each in found.disks] == places
    assert found.order_doubt.startswith(doubt)
    assert bool(found.order_doubt) == bool(doubt)


def test_devices_of_the_hosts_are_noted() -> None:
    assert "(hostpci0)" in proxmox.parse(b"hostpci0: 0000:03:00.0\n", PATH).notes[0]
    assert proxmox.parse(CONF, PATH).notes == ()


def test_secure_boot() -> None:
    assert proxmox.parse(b"bios: ovmf\n", PATH).secure_boot is False
    disk = b"bios: ovmf\nefidisk0: local-lvm:vm-100-disk-0,efitype=4m,pre-enrolled-keys=%d,size=4M\n"
    assert proxmox.parse(disk % 1, PATH).secure_boot is True
    assert proxmox.parse(disk % 0, PATH).secure_boot is False


def test_firmware() -> None:
    assert proxmox.parse(b"bios: ovmf\n", PATH).firmware is Firmware.UEFI
    assert proxmox.parse(b"bios: seabios\n", PATH).firmware is Firmware.BIOS
    assert proxmox.parse(b"args: -bios /x/other.fd\n", PATH).firmware is None


DEVICES = b"ide2: none,media=cdrom\nnet0: e1000=A\nscsi0: a:1\nscsi1: a:2\n"


@pytest.mark.parametrize(
    ("lines", "tried"),
    [
        ("boot: order=ide2;net0", ()),
        ("boot: order=net0;scsi1;scsi0", ("scsi1", "scsi0")),
        ("boot: order=scsi7", None),  # which is not there: qemu is told of no device, and tries all
        ("boot: order=", None),
        ("boot: ", ()),  # as without one: CD-ROMs and network adapters
        ("", ()),
        ("bootdisk: scsi1", ("scsi1",)),
        ("boot: dn\nbootdisk: scsi1", ()),
        ("boot: legacy=c\nbootdisk: scsi0", ("scsi0",)),
        ("boot: order=net0\nargs: -device x,bootindex=1", None),
    ],
)
def test_which_disks_are_tried(lines: str, tried: tuple[str, ...] | None) -> None:
    order = proxmox.parse(DEVICES + lines.encode() + b"\n", PATH).boot_order
    assert (None if order is None else order.tried) == tried


@pytest.mark.parametrize("volume", ["local-lvm:vm-100-cloudinit", "local:100/vm-100-cloudinit.qcow2", "a:cloudinit"])
def test_the_settings_of_cloud_init_are_no_cdrom_to_start_from(volume: str) -> None:
    lines = f"ide2: {volume},media=cdrom,size=4M\nscsi0: a:1\n".encode()
    assert proxmox.parse(lines, PATH).boot_order is None  # then all is tried
    other = lines.replace(b"cloudinit", b"virtio-win")
    order = proxmox.parse(other, PATH).boot_order
    assert order is not None
    assert order.tried == ()


@pytest.mark.parametrize(
    ("lines", "model", "changed"),
    [
        ("", "kvm64", ((), ())),
        ("kvm: 0", "qemu64", ((), ())),
        ("cpu: host", "", ((), ())),
        ("cpu: cputype=qemu64,flags=+sse4.2;+popcnt;-cx16", "qemu64", (("sse4.2", "popcnt"), ("cx16",))),
        ("cpu: x86-64-v2-AES", "x86-64-v2-AES", ((), ())),
        ("cpu: custom-mine", None, None),
        ("args: -cpu host", None, None),
        ("arch: aarch64", None, None),
    ],
)
def test_processor(lines: str, model: str | None, changed: tuple[tuple[str, ...], tuple[str, ...]] | None) -> None:
    found = proxmox.parse(lines.encode() + b"\n", PATH).processor
    assert (None if found is None else found.model) == model
    assert (None if found is None else (found.added, found.removed)) == changed


def test_sectors() -> None:
    assert [each.sector_size for each in proxmox.parse(DEVICES, PATH).disks] == [512, 512]
    args = b"args: -global scsi-hd.logical_block_size=4096\n"
    assert [each.sector_size for each in proxmox.parse(DEVICES + args, PATH).disks] == [None, None]


def test_evidence_of_a_long_line_is_cut() -> None:
    found = proxmox.parse(DEVICES + b"cpu: " + b"x" * 5000 + b"\nboot: order=net0;" + b"y" * 5000 + b"\n", PATH)
    assert found.processor is not None
    assert found.boot_order is not None
    assert max(len(found.processor.said), len(found.boot_order.said)) < 120


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"agent: 1\nwhat is this\n", "line 2: this line is not of the form key: value"),
        (b"net0: a\nnet0: b\n", "line 2: 'net0' is given twice, first in line 1"),
        (b"scsi0: a:b\nscsihw: hba\n", "line 2: scsihw is a controller that bootgraft does not know: 'hba'"),
    ],
)
def test_malformed(data: bytes, what: str) -> None:
    with pytest.raises(VmDescriptionError, match=what):
        proxmox.parse(data, PATH)


def test_a_long_line_is_read_in_no_time() -> None:
    """A million blanks inside a value: a pattern that goes back over them would take hours."""
    value = b"a" + b" " * 1_000_000 + b"b"
    assert proxmox.parse(b"name: " + value + b"  \nscsi0: a:b\n", PATH).disks[0].line == 2


_OPTIONS = st.lists(st.sampled_from(["bridge=vmbr0", "link_down=1", "link_down=0", "tag=7"]), unique=True)


@settings(deadline=None)  # the first example loads modules
@given(_OPTIONS, st.sampled_from([b"\n", b"\r\n", b" \n", b""]))
def test_only_the_option_changes(options: list[str], end: bytes) -> None:
    data = b"name: \xc3\xa9" + (end.strip(b" ") or b"\n") + ",".join(["net0: virtio=A", *options]).encode() + end
    edited = disconnect_all(data, PATH)
    before, after = (each.decode("latin-1").rstrip().split(",") for each in (data, edited))
    assert [each for each in after if "link_down" not in each] == [each for each in before if "link_down" not in each]
    assert edited.endswith(end)


@settings(deadline=None)  # the first example loads modules
@given(st.binary(max_size=300))
def test_garbage_is_read_or_refused(data: bytes) -> None:
    with suppress(VmDescriptionError):
        proxmox.parse(data, PATH)


@pytest.mark.parametrize(
    "word",
    ["backup", "clone", "create", "migrate", "rollback", "snapshot", "snapshot-delete", "suspending", "new-word"],
)
def test_a_task_that_is_at_work_on_it(word: str) -> None:
    lock = proxmox.parse(CONF.replace(b"memory", f"lock: {word}\nmemory".encode()), PATH).lock
    assert lock is not None
    assert lock.what.startswith(f"Proxmox has locked the machine ({word}): ")
    assert lock.line == 5
    assert "it was cut off: `qm unlock 100`" in lock.advice


def test_saved_memory_is_not_to_be_unlocked() -> None:
    lock = proxmox.parse(b"lock: suspended\n" + CONF, Path("server1.conf")).lock
    assert lock is not None
    assert "what Windows has not written yet" in lock.what
    assert lock.advice == "Resume it (`qm resume VMID`) and shut Windows down, then try again"


def test_a_lock_in_a_snapshot_is_none_of_the_machine() -> None:
    assert proxmox.parse(CONF + b"lock: backup\n", PATH).lock is None
    assert proxmox.parse(CONF, PATH).lock is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"hotplug: disk,network,cpu\n", "hotplug: disk,network,cpu"),
        (b"hotplug: 1\n", ""),
        (b"hotplug: disk\n", ""),
        (b"", ""),
    ],
)
def test_processors_that_may_be_plugged_in(line: bytes, said: str) -> None:
    assert proxmox.parse(b"scsi0: local:x\n" + line, PATH).spare_processors == said
