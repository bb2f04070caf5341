"""libvirt's domains: disks, their order and controllers, and the links of network adapters."""

from pathlib import Path

import pytest
from tests.machines.tools import run
from tests.targets.descriptions.summaries import changed_lines, disconnect_all, plugged, summary

from bootgraft.errors import VmDescriptionError
from bootgraft.targets.descriptions import libvirt
from bootgraft.targets.descriptions.vmdescription import Firmware

PATH = Path("server1.xml")


def domain(devices: str, *, kind: str = "kvm", machine: str = "pc-i440fx-7.2", os: str = "") -> bytes:
    """A domain with these devices."""
    return f"""\
<domain type='{kind}'>
  <name>server1</name>
  <os>
    <type arch='x86_64' machine='{machine}'>hvm</type>{os}
  </os>
  <devices>
{devices}
  </devices>
</domain>
""".encode()


def disk(target: str, *, bus: str = "", name: str = "", more: str = "") -> str:
    """One disk."""
    bus = f" bus='{bus}'" if bus else ""
    file = name or f"{target}.qcow2"
    return f"<disk type='file' device='disk'><source file='{file}'/><target dev='{target}'{bus}/>{more}</disk>"


def places(data: bytes) -> list[str]:
    return [each.place for each in libvirt.parse(data, PATH).disks]


def test_what_virt_v2v_writes(shared_testdata: Path) -> None:
    path = shared_testdata / "vm-config" / "virt-v2v-tests" / "test-i-ova.xml"
    assert summary(libvirt.parse(path.read_bytes(), path)) == (
        "test-i-ova.xml: libvirt, bios\n"
        "  vda kvm:virtio-blk-modern TestOva-sda (line 26)\n"
        "  interface 0 in (line 40)\n"
        "  boot vda (exclusive first_only) only these devices have a <boot order>: <disk> in line 26 (line 26)\n"
        "    else <boot order='1'/> in the <disk> {place}\n"
        "  processor host: <cpu mode='host-model'> (line 13)\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "order"),
    # The two examples of libvirt's own documentation of <boot dev='hd'/>.
    [(["vdb", "hda", "vda", "hdc"], ["vda", "vdb", "hda", "hdc"]), (["hdc", "vda", "vdb", "hda"], None)],
)
def test_without_an_order_of_their_own_disks_are_sorted_bus_by_bus(given: list[str], order: list[str] | None) -> None:
    data = domain("".join(disk(name) for name in given))
    assert places(data) == (order or ["hda", "hdc", "vda", "vdb"])
    assert libvirt.parse(data, PATH).order_doubt.startswith("it has disks on ")


def test_an_order_of_their_own_comes_first() -> None:
    first, second = "<boot order='1'/>", "<boot order='2'/>"
    data = domain(disk("sda", bus="sata", more=second) + disk("vda", more=first) + disk("sdb", bus="sata"))
    found = libvirt.parse(data, PATH)
    assert ([each.place for each in found.disks], found.order_doubt) == (["vda", "sda", "sdb"], "")


def test_names_of_disks_count_as_letters_do() -> None:
    assert places(domain(disk("vdaa") + disk("vdb") + disk("vda"))) == ["vda", "vdb", "vdaa"]


LSI = "<controller type='scsi' index='0' model='lsilogic'/>"


@pytest.mark.parametrize(
    ("devices", "settings", "controller"),
    [
        (disk("hda"), {}, "kvm:ide"),
        (disk("sda", bus="sata"), {"machine": "q35"}, "kvm:ahci"),
        (disk("vda"), {}, "kvm:virtio-blk"),
        (disk("vda"), {"machine": "pc-q35-7.2"}, "kvm:virtio-blk-modern"),
        (disk("vda").replace("device=", "model='virtio-transitional' device="), {"machine": "q35"}, "kvm:virtio-blk"),
        (disk("vda").replace("device=", "model='virtio-non-transitional' device="), {}, "kvm:virtio-blk-modern"),
        (LSI + disk("sda"), {}, "kvm:lsi"),
        (LSI.replace("lsilogic", "virtio-scsi") + disk("sda"), {}, "kvm:virtio-scsi"),
        (LSI.replace("lsilogic", "virtio-scsi") + disk("sda"), {"machine": "q35"}, "kvm:virtio-scsi-modern"),
        (LSI.replace("lsilogic", "lsisas1078") + disk("sda"), {}, "kvm:megasas"),
        (LSI.replace("lsilogic", "lsisas1068") + disk("sda"), {"kind": "vmware"}, "vmware:lsisas1068"),
        (LSI.replace("lsilogic", "vmpvscsi") + disk("sda"), {"kind": "vmware"}, "vmware:pvscsi"),
        (LSI.replace("index='0'", "index='1'") + disk("sda"), {}, None),
        (disk("xvda"), {"kind": "xen"}, "xen:pv"),
        (disk("hda"), {"kind": "xen"}, "xen:ide"),
        (disk("sda", bus="usb"), {}, None),
    ],
)
def test_controllers(devices: str, settings: dict[str, str], controller: str | None) -> None:
    (found,) = libvirt.parse(domain(devices, **settings), PATH).disks
    assert found.controller == controller


@pytest.mark.parametrize(
    ("os", "firmware"),
    [
        ("", Firmware.BIOS),
        ("<loader readonly='yes' type='pflash'>/x/OVMF.fd</loader>", Firmware.UEFI),
        ("<loader>/x/some.rom</loader>", None),
    ],
)
def test_firmware(os: str, firmware: Firmware | None) -> None:
    assert libvirt.parse(domain("", os=os), PATH).firmware is firmware


def test_virtualbox_tells_libvirt_no_firmware() -> None:
    assert libvirt.parse(domain("", kind="vbox"), PATH).firmware is None


POLICIES = {"sse4.2": "require", "popcnt": "optional", "cx16": "disable", "avx": "forbid"}
CDROM = "<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>"
CARD = "<interface type='user'/>"
ORDERED_CARD = "<interface type='user'><boot order='1'/></interface>"


@pytest.mark.parametrize(
    ("devices", "os", "tried"),
    [
        (disk("vda") + disk("vdb"), "", ("vda",)),
        (disk("vda"), "<boot dev='hd'/><boot dev='network'/>", ("vda",)),
        (disk("vda") + CDROM, "<boot dev='cdrom'/>", ()),
        (disk("vda") + CARD, "<boot dev='network'/>", ()),
        (disk("vda"), "<boot dev='cdrom'/>", None),  # there is none: qemu is told of no device, and tries all
        (disk("vda") + ORDERED_CARD, "", ()),
        (disk("vda") + disk("vdb", more="<boot order='2'/>") + ORDERED_CARD, "", ("vdb",)),
        (disk("vda"), "<kernel>/x/vmlinuz</kernel>", None),
        (CARD, "", None),
    ],
)
def test_which_disks_are_tried(devices: str, os: str, tried: tuple[str, ...] | None) -> None:
    order = libvirt.parse(domain(devices, os=os), PATH).boot_order
    assert (None if order is None else order.tried) == tried
    assert order is None or (order.exclusive and order.first_only)


@pytest.mark.parametrize(
    ("kind", "blockio", "size"),
    [
        ("kvm", "", 512),
        ("kvm", "<blockio logical_block_size='4096' physical_block_size='4096'/>", 4096),
        ("kvm", "<blockio physical_block_size='4096'/>", 512),
        ("kvm", "<blockio logical_block_size='520'/>", None),
        ("vmware", "", None),
    ],
)
def test_sectors(kind: str, blockio: str, size: int | None) -> None:
    (found,) = libvirt.parse(domain(disk("sda", bus="sata", more=blockio), kind=kind), PATH).disks
    assert found.sector_size == size


def test_the_boot_order_of_other_hypervisors_is_not_known() -> None:
    found = libvirt.parse(domain(disk("sda") + CDROM, kind="vmware", os="<boot dev='cdrom'/>"), PATH)
    assert (found.boot_order, found.processor) == (None, None)


@pytest.mark.parametrize(
    ("cpu", "model", "changed"),
    [
        ("", "qemu64", ((), ())),
        ("<cpu><topology sockets='1'/></cpu>", "qemu64", ((), ())),
        ("<cpu mode='custom' match='exact'><model>kvm64</model></cpu>", "kvm64", ((), ())),
        ("<cpu mode='host-passthrough'/>", "", ((), ())),
        ("<cpu match='minimum'><model>kvm64</model></cpu>", None, None),
        (
            "<cpu><model>kvm64</model>"
            + "".join(f"<feature name='{name}' policy='{policy}'/>" for name, policy in POLICIES.items())
            + "</cpu>",
            "kvm64",
            (("sse4.2", "popcnt"), ("cx16",)),
        ),
    ],
)
def test_processor(cpu: str, model: str | None, changed: tuple[tuple[str, ...], tuple[str, ...]] | None) -> None:
    data = domain("").replace(b"  <devices>", cpu.encode() + b"<devices>")
    found = libvirt.parse(data, PATH).processor
    assert (None if found is None else found.model) == model
    assert (None if found is None else (found.added, found.removed)) == changed


def test_processor_of_an_architecture_or_a_distribution() -> None:
    def model(old: bytes, new: bytes) -> str | None:
        found = libvirt.parse(domain("").replace(old, new), PATH).processor
        return None if found is None else found.model

    assert model(b"x86_64", b"i686") == "qemu32"
    assert model(b"x86_64", b"aarch64") is None
    assert model(b"pc-i440fx-7.2", b"pc-q35-rhel9.4.0") is None


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"secure-boot": "yes", "enrolled-keys": "yes"}, True),
        ({"secure-boot": "yes", "enrolled-keys": "no"}, False),
        ({"secure-boot": "no"}, False),
        ({"secure-boot": "yes"}, None),
        ({}, None),
    ],
)
def test_secure_boot(features: dict[str, str], expected: bool | None) -> None:
    wanted = "".join(f"<feature name='{name}' enabled='{value}'/>" for name, value in features.items())
    data = domain("", os=f"<loader secure='yes' type='pflash'>x</loader><firmware>{wanted}</firmware>")
    assert libvirt.parse(data, PATH).secure_boot is expected


def test_firmware_that_libvirt_is_to_choose() -> None:
    assert libvirt.parse(domain("").replace(b"<os>", b"<os firmware='efi'>"), PATH).firmware is Firmware.UEFI


CARDS = {
    "plain": "    <interface type='bridge'>\n      <mac address='52:54:00:01:02:03'/>\n    </interface>",
    "up": '    <interface type="bridge">\n      <link  state = "up" />\n    </interface>',
    "stateless": "    <interface type='bridge'>\n      <link/>\n    </interface>",
    "empty": "    <interface type='user'/>",
    "on one line": "    <interface type='user'><model type='e1000'/></interface>",
    "with text in it": "    <interface type='user'><!-- <link state='up'/> > --></interface>",
    "misleading": "    <interface type='user'><link x=\" state='up'\" state='up'/></interface>",
    "long": f"    <interface type='user'><link x='{'a' * 70_000}'/></interface>",
    "two": "    <interface type='a'>\n\t<x/>\n\t</interface>\n<interface type='b'/>",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("kind", CARDS)
def test_disconnecting_and_reconnecting(kind: str, line_end: str, encoding: str, tmp_path: Path) -> None:
    text = domain(CARDS[kind]).decode().replace("\n", line_end)
    data = (f"<?xml version='1.0' encoding='{encoding}'?>{line_end}" + text).encode(encoding)
    names = list(plugged(data, PATH))
    assert all(plugged(data, PATH).values())
    assert len(names) == (2 if kind == "two" else 1)
    edited = disconnect_all(data, PATH)
    again = libvirt.plug(edited, PATH, names, plugged=True)
    assert plugged(again, PATH) == dict.fromkeys(names, True)
    judged = tmp_path / "edited.xml"
    judged.write_bytes(edited)
    link = run("xmllint", "--xpath", "//interface/link/@state", judged).decode().split()
    assert link == ['state="down"'] * len(names)


def test_disconnecting_adds_one_line_indented_as_its_neighbours() -> None:
    data = domain(CARDS["plain"] + "\n" + CARDS["plain"].replace("02:03", "02:04"))
    assert changed_lines(data, disconnect_all(data, PATH)) == ["+       <link state='down'/>\n"] * 2


def test_disconnecting_one_of_two() -> None:
    data = domain(CARDS["two"])
    edited = libvirt.plug(data, PATH, ["interface 1"], plugged=False)
    assert plugged(edited, PATH) == {"interface 0": True, "interface 1": False}


def test_a_card_of_the_hosts_cannot_be_disconnected() -> None:
    data = domain("<interface type='hostdev'/>")
    with pytest.raises(VmDescriptionError, match="passed through from the host"):
        libvirt.plug(data, PATH, ["interface 0"], plugged=False)


def test_devices_of_the_hosts_are_noted_and_names_cannot_break_lines() -> None:
    found = libvirt.parse(domain("<hostdev type='pci'/><interface><mac address='a&#10;b'/></interface>"), PATH)
    assert "(pci)" in found.notes[0]
    assert found.cards[0].name == "interface 0 (a?b)"


@pytest.mark.parametrize(
    ("devices", "what"),
    [
        ("<disk type='file'><source file='x'/></disk>", "this disk has no <target dev>"),
        ("<disk type='file'><target dev='vda'/></disk>", "this disk has no source"),
        (disk("vda").replace("'file'", "'tape'"), "of a type that bootgraft does not know: 'tape'"),
        (disk("vda", bus="mfm"), "on a bus that bootgraft does not know: 'mfm'"),
        (disk("vda", more="<boot order='first'/>"), "the boot order of this disk is no number: 'first'"),
    ],
)
def test_malformed(devices: str, what: str) -> None:
    with pytest.raises(VmDescriptionError, match="line 7") as fault:
        libvirt.parse(domain(devices), PATH)
    assert what in fault.value.what


def test_sources_that_are_no_files_keep_their_kind() -> None:
    network = "<disk type='network'><source protocol='rbd' name='pool/x'/><target dev='vda'/></disk>"
    volume = "<disk type='volume'><source pool='p' volume='v'/><target dev='vdb'/></disk>"
    block = "<disk type='block'><source dev='/dev/vg/x'/><target dev='vdc'/></disk>"
    other = "<disk type='file' device='cdrom'><target dev='vdd'/></disk>"
    found = libvirt.parse(domain(network + volume + block + other), PATH).disks
    assert [each.name for each in found] == ["rbd://pool/x", "p:v", "/dev/vg/x"]


@pytest.mark.parametrize(
    ("vcpu", "said"),
    [
        ("<vcpu placement='static' current='2'>8</vcpu>", "<vcpu current='2'>8"),
        ("<vcpu current='8'>8</vcpu>", ""),
        ("<vcpu>8</vcpu>", ""),
        ("<vcpu current='two'>8</vcpu>", ""),
        ("<vcpu current='2'>" + "9" * 5000 + "</vcpu>", ""),
        ("", ""),
    ],
)
def test_processors_that_may_be_plugged_in(vcpu: str, said: str) -> None:
    data = domain("").replace(b"  <devices>", vcpu.encode() + b"<devices>")
    assert libvirt.parse(data, PATH).spare_processors == said
