"""A machine given by its description: checked, repaired and isolated in one transaction, reconnected, undone."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import Struct
from tests.endtoend.processes import kill_at, steps, writes_of
from tests.endtoend.refusals import Run, read_refusal, refused
from tests.endtoend.story import WINDOWS, require_repaired
from tests.machines.build import BuiltMachine
from tests.machines.oracles import sha256
from tests.machines.tools import run
from tests.report.contract import faults

VMX = """\
#!/usr/bin/vmware\r
.encoding = "windows-1252"\r
displayName = "B\udcfcro"\r
guestOS = "winnetstandard"\r
scsi0.present = "TRUE"\r
scsi0.virtualDev = "lsilogic"\r
scsi0:0.present = "TRUE"\r
scsi0:0.fileName = "server1.raw"\r
scsi0:0.deviceType = "scsi-hardDisk"\r
ethernet0.present = "TRUE"\r
ethernet0.virtualDev = "vlance"\r
ethernet1.present = "TRUE"\r
ethernet1.startConnected = "FALSE"\
"""
LIBVIRT = """\
<domain type='vmware'>
  <name>server1</name>
  <memory>1048576</memory>
  <os><type arch='i686'>hvm</type></os>
  <devices>
    <controller type='scsi' index='0' model='lsilogic'/>
    <disk type='file' device='disk'>
      <source file='/var/lib/libvirt/images/server1.raw'/>
      <target dev='sda' bus='scsi'/>
    </disk>
    <interface type='bridge'>
      <mac address='00:0c:29:00:00:01'/>
      <source bridge='br0'/>
    </interface>
    <interface type='bridge'><source bridge='br1'/><link state="down"/></interface>
  </devices>
</domain>
"""
PROXMOX = """\
boot: order=scsi0
name: server1
net0: e1000=00:0C:29:00:00:01,bridge=vmbr0,firewall=1
net1: e1000=00:0C:29:00:00:02,bridge=vmbr1,link_down=1
scsi0: local:100/server1.raw,size=1G
scsihw: lsi

[before]
net0: e1000=00:0C:29:00:00:01,bridge=vmbr0
"""


class Kind(Struct, frozen=True):
    """One format: a description, what disconnecting adds to it, and the first card's name."""

    name: str
    text: str
    disconnected: Callable[[str], str]
    card: str
    target: str


KINDS = (
    Kind(
        "server1.vmx", VMX, lambda text: text.replace(
            'ethernet0.present = "TRUE"\r\n', 'ethernet0.present = "TRUE"\r\nethernet0.startConnected = "FALSE"\r\n'
        ), "ethernet0", "vmware:lsilogic",
    ),
    Kind(
        "server1.xml", LIBVIRT, lambda text: text.replace(
            "<source bridge='br0'/>\n", "<source bridge='br0'/>\n      <link state='down'/>\n"
        ), "interface 0 (00:0c:29:00:00:01)", "vmware:lsilogic",
    ),
    Kind(
        "100.conf", PROXMOX, lambda text: text.replace(",firewall=1", ",firewall=1,link_down=1"), "net0", "kvm:lsi"
    ),
)  # fmt: skip
ALL = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def described(server1: BuiltMachine, kind: Kind) -> Path:
    """The description beside the dead server's disk."""
    path = server1.disk.parent / kind.name
    path.write_bytes(kind.text.encode("utf-8", "surrogateescape"))
    return path


def content(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


@ALL
def test_the_description_alone_is_enough(kind: Kind, server1: BuiltMachine, bootgraft: Run) -> None:
    vm = described(server1, kind)
    check = bootgraft("check", "--vm", vm, "--json")
    assert (check.status, check.json["target"], check.json["verdict"]) == (1, kind.target, "blocked")
    assert faults(check.json, "check") == []
    inspect = bootgraft("inspect", "--vm", vm, "--json").json
    assert faults(inspect, "inspect") == []
    assert [disk["controller"] for disk in inspect["vm"]["disks"]] == [kind.target]
    assert [card["plugged"] for card in inspect["vm"]["cards"]] == [True, False]
    assert inspect["vm"]["cards"][0]["name"] == kind.card
    told = bootgraft("inspect", "--vm", vm).stdout
    assert f"  {kind.card}: connected\n" in told
    assert sorted(path.name for path in vm.parent.iterdir()) == sorted([vm.name, server1.disk.name])


@ALL
def test_repaired_isolated_plugged_in_again_and_undone(
    kind: Kind, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run, tmp_path: Path
) -> None:
    vm, before = described(server1, kind), sha256(server1.disk)
    words = ("repair", "--vm", vm, "--isolate", "--target", "vmware:lsilogic", "--drivers", donor.disk)
    dry = bootgraft(*words, "--dry-run")
    assert dry.status == 0
    assert f"edit    {vm}  ({kind.card}: disconnected)" in dry.stdout
    assert (content(vm), sha256(server1.disk)) == (kind.text, before)
    done = bootgraft(*words)
    assert (done.status, " and 1 network adapter disconnected, proven" in done.stdout) == (0, True)
    assert f"bootgraft reconnect --vm {vm}" in done.stdout
    assert content(vm) == kind.disconnected(kind.text)
    require_repaired(server1.disk, server1.span(WINDOWS), donor, tmp_path)

    again = bootgraft("reconnect", "--vm", vm, "--json")
    assert faults(again.json, "reconnect") == []
    assert again.json["plugged"] == [kind.card]
    assert len(again.json["left"]) == 1  # the second card was disconnected by its owner
    assert [each["plugged"] for each in bootgraft("inspect", "--vm", vm, "--json").json["vm"]["cards"]] == [True, False]
    assert bootgraft("reconnect", "--vm", vm).stdout.startswith("Nothing to do")

    assert bootgraft("undo", "--vm", vm).stdout.startswith("Undone: 1 network adapter reconnected")
    assert content(vm) == kind.disconnected(kind.text)
    undone = bootgraft("undo", "--vm", vm)
    assert (undone.status, undone.stderr) == (0, "" if kind.name.endswith("vmx") else undone.stderr)
    assert (content(vm), sha256(server1.disk)) == (kind.text, before)
    assert sorted(path.name for path in vm.parent.iterdir()) == sorted([vm.name, server1.disk.name])


def test_all_of_it_is_taken_back_at_once(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    """The last change is of the description alone, the one before of the disk too."""
    kind = KINDS[0]
    vm, before = described(server1, kind), sha256(server1.disk)
    words = ("repair", "--vm", vm, "--isolate", "--target", "vmware:lsilogic", "--drivers", donor.disk)
    assert bootgraft(*words).status == 0
    assert bootgraft("reconnect", "--vm", vm).status == 0
    told = bootgraft("history", "--vm", vm)
    assert (told.status, told.stdout.count("finished")) == (0, 2)
    assert f"    bootgraft undo {server1.disk} --vm {vm} --all\n" in told.stdout
    undone = bootgraft("undo", "--all", "--vm", vm)
    assert undone.stdout == f"Undone: all 2 changes; {server1.disk}, {vm} are as they were before.\n"
    assert (content(vm), sha256(server1.disk)) == (kind.text, before)
    assert sorted(path.name for path in vm.parent.iterdir()) == sorted([vm.name, server1.disk.name])


def test_what_the_new_machine_lacks_does_not_keep_the_image_from_being_repaired(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run
) -> None:
    """A boot order without the disk is said first, and left to do when the image is right; other disks are named."""
    vm = server1.disk.parent / "100.conf"
    vm.write_text(
        PROXMOX.replace("order=scsi0", "order=net0").replace("scsihw", "unused0: local:100/vm-100-disk-9.raw\nscsihw")
    )
    check = bootgraft("check", "--vm", vm, "--json")
    (found,) = [each for each in check.json["findings"] if each["id"] == "vm-boot-order"]
    assert (found["fault_in"], found["severity"]) == ("outside", "blocker")
    assert found["evidence"] == [f"{vm}, line 1: boot: order=net0", "disk 0 is scsi0"]
    assert "unused0: local:100/vm-100-disk-9.raw belongs to the machine but is not attached" in check.stderr
    inspected = bootgraft("inspect", "--vm", vm, "--json").json
    assert faults(inspected, "inspect") == []
    assert inspected["vm"]["unattached"] == [{"place": "unused0", "name": "local:100/vm-100-disk-9.raw"}]
    done = bootgraft("repair", "--vm", vm, "--target", "vmware:lsilogic", "--drivers", donor.disk)
    assert done.status == 1
    assert "Left to do outside the image:\n    the machine's boot order does not reach disk 0 (scsi0)\n" in done.stdout
    vm.write_text(vm.read_text().replace("order=net0", "order=scsi0"))
    assert bootgraft("check", "--vm", vm, "--target", "vmware:lsilogic").status == 0


def test_the_edited_domain_keeps_to_libvirts_schema(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    vm = described(server1, KINDS[1])
    assert bootgraft("repair", "--vm", vm, "--isolate", "--drivers", donor.disk).status == 0
    assert run("xmllint", "--xpath", "//interface/link/@state", vm).split() == [b'state="down"'] * 2
    schema = Path("/usr/share/libvirt/schemas/domain.rng")
    if not schema.exists():
        pytest.skip("libvirt's schemas are not here (package libvirt0)")
    run("xmllint", "--noout", "--relaxng", schema, vm)


def test_killed_at_a_step_both_are_repaired(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    kind = KINDS[0]
    vm, before = described(server1, kind), server1.disk.read_bytes()
    words = ("repair", "--vm", vm, "--isolate", "--drivers", donor.disk)
    names = steps(*words)
    published, seal = names.index("rename"), writes_of(names)[1]
    assert bootgraft("undo", "--vm", vm).status == 0
    for turn, step in enumerate((published + 2, published + 6, (published + seal) // 2, seal)):
        kill_at(step, *words)
        refusal = refused(bootgraft, ("check", "--vm", vm), ("check", server1.disk), words, watch=vm.parent)
        assert f"bootgraft undo {server1.disk} --vm {vm}" in refusal.advice
        assert f"bootgraft repair {server1.disk} --vm {vm} --resume" in refusal.advice
        assert "was not given" in refused(bootgraft, ("undo", server1.disk), watch=vm.parent).what
        if turn:  # before that the pointer to the journal is not there yet, and nothing is written
            assert "interrupted" in refused(bootgraft, ("reconnect", "--vm", vm), watch=vm.parent).what
        if turn % 2:
            done = bootgraft("repair", server1.disk, "--vm", vm, "--resume")
            assert (done.status, content(vm)) == (0, kind.disconnected(kind.text))
            assert bootgraft("check", "--vm", vm).status == 0
        assert bootgraft("undo", "--vm", vm).status == 0
        assert (content(vm), server1.disk.read_bytes()) == (kind.text, before)
        left = [path for path in vm.parent.iterdir() if path.suffix != ".partial"]  # a pointer, half-written
        assert sorted(left) == sorted([vm, server1.disk])


def test_what_was_edited_since_stays_when_the_repair_is_undone(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run
) -> None:
    """VMware writes into the file as soon as the machine is registered."""
    kind = KINDS[0]
    vm, before = described(server1, kind), sha256(server1.disk)
    assert bootgraft("repair", "--vm", vm, "--isolate", "--drivers", donor.disk).status == 0
    vm.write_bytes(vm.read_bytes() + b'\r\nuuid.action = "create"')
    done = bootgraft("undo", "--vm", vm)
    assert done.status == 0
    assert "was edited since: its network adapters are put back, the other edits stay" in done.stderr
    expected = kind.text.replace(
        'ethernet0.present = "TRUE"\r\n', 'ethernet0.present = "TRUE"\r\nethernet0.startConnected = "TRUE"\r\n'
    )
    assert content(vm) == expected + '\r\nuuid.action = "create"'
    assert sha256(server1.disk) == before


def test_a_machine_that_boots_already_is_isolated_all_the_same(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run
) -> None:
    vm = described(server1, KINDS[0])
    words = ("repair", "--vm", vm, "--drivers", donor.disk)
    assert bootgraft(*words).status == 0
    now = sha256(server1.disk)
    done = bootgraft(*words, "--isolate", "--json")
    assert done.status == 0
    assert faults(done.json, "repair") == []
    assert [change["kind"] for change in done.json["changes"]] == ["edit-vm-file"]
    assert done.json["committed"] is True
    assert (content(vm), sha256(server1.disk)) == (KINDS[0].disconnected(VMX), now)


def test_nothing_is_disconnected_where_nothing_is_proven(server1: BuiltMachine, bootgraft: Run) -> None:
    vm = described(server1, KINDS[0])
    assert bootgraft("repair", "--vm", vm, "--isolate").status == 1
    assert content(vm) == VMX


def test_a_machine_without_a_plugged_card_says_so(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    vm = described(server1, KINDS[0])
    vm.write_text('ethernet9.present = "FALSE"\n' + "".join(VMX.replace("\udcfc", "u").partition("ethernet0")[:1]))
    done = bootgraft("repair", "--vm", vm, "--isolate", "--drivers", donor.disk, "--quiet")
    assert (done.status, done.stderr) == (0, f"bootgraft: {vm}: no network adapter in it is connected\n")


def test_a_machine_that_runs_is_left_alone(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    vm = described(server1, KINDS[0])
    vm.with_name("server1.vmx.lck").mkdir()
    words = ("repair", "--vm", vm, "--isolate", "--drivers", donor.disk)
    assert "VMware holds it" in refused(bootgraft, words, watch=vm.parent).what


def test_recommended_lines_describe_a_machine_that_boots(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run, tmp_path: Path
) -> None:
    """What repair prints for the target is a description that check then accepts."""
    words = ("--target", "vmware:lsilogic", "--recommend")
    assert bootgraft("check", server1.disk, *words, "--json").json["fragments"] == []
    done = bootgraft("repair", server1.disk, *words, "--drivers", donor.disk, "--json")
    assert faults(done.json, "repair") == []
    (fragment,) = done.json["after"][0]["fragments"]
    assert fragment["format"] == "vmx"
    made = tmp_path / "made"
    made.mkdir()
    run("qemu-img", "convert", "-O", "vmdk", server1.disk, made / "server1.vmdk")
    (made / "made.vmx").write_text(fragment["text"])
    check = bootgraft("check", "--vm", made / "made.vmx", "--recommend")
    assert check.status == 0
    assert "For vmware:lsilogic the machine's description has to say (vmx):\n    firmware = " in check.stdout


def test_the_wrong_firmware_is_left_to_do_and_the_image_is_repaired(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run, tmp_path: Path
) -> None:
    vm = described(server1, KINDS[0])
    vm.write_bytes(b'firmware = "efi"\r\n' + vm.read_bytes())
    before = content(vm), sha256(server1.disk)
    check = bootgraft("check", "--vm", vm, "--json").json
    assert (check["verdict"], check["stop_code"], check["findings"][0]["id"]) == ("blocked", None, "vm-firmware")
    words = ("repair", "--vm", vm, "--drivers", donor.disk)
    dry = bootgraft(*words, "--dry-run", "--json")
    assert (dry.status, dry.json["committed"], sha256(server1.disk)) == (1, False, before[1])
    done = bootgraft(*words)
    assert done.status == 1
    assert done.stdout.startswith("Repaired: 1 file and 32 registry changes, proven before written to ")
    assert "It does not boot before the rest is done, outside the image (see below).\n" in done.stdout
    assert (
        "\nLeft to do outside the image:\n    the machine has UEFI firmware, and its disk starts with " in done.stdout
    )
    require_repaired(server1.disk, server1.span(WINDOWS), donor, tmp_path)

    again = bootgraft(*words, "--isolate", "--json")
    assert faults(again.json, "repair") == []
    assert (again.status, again.json["committed"]) == (1, True)
    assert [change["kind"] for change in again.json["changes"]] == ["edit-vm-file"]
    told = [(each["id"], each["fault_in"]) for each in again.json["after"][0]["findings"]]
    assert told == [("vm-firmware", "outside")]
    assert bootgraft("undo", "--vm", vm).status == 0
    assert bootgraft("undo", "--vm", vm).status == 0
    assert (content(vm), sha256(server1.disk)) == before


HOSTILE = {
    "bomb.xml": b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><domain>&b;</domain>',
    "external.xml": b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain>&x;</domain>',
    "outside.vmx": VMX.encode("utf-8", "surrogateescape").replace(b"server1.raw", b"/etc/hostname"),
    "network.xml": LIBVIRT.replace("type='file'", "type='network'").replace("file=", "protocol='nbd' name=").encode(),
    "huge.vmx": b'a = "b"\n' * 2**20,
    "torn.xml": LIBVIRT[:300].encode(),
    "binary.vmx": os.urandom(4096),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_descriptions_end_as_one_message(name: str, server1: BuiltMachine, bootgraft: Run) -> None:
    vm = server1.disk.parent / name
    vm.write_bytes(HOSTILE[name])
    commands = [("check", "--vm", vm), ("repair", "--vm", vm, "--isolate", "--target", "vmware:lsilogic")]
    if name not in ("outside.vmx", "network.xml"):  # whose disks alone are hostile
        commands.append(("reconnect", "--vm", vm))
    refused(bootgraft, *commands, watch=vm.parent)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("check",), "the following arguments are required: IMAGE (or --vm FILE)"),
        (("repair", "x.raw", "--isolate"), "--isolate disconnects the network adapters in the machine's description"),
        (("check", "other.raw", "--vm", "VM"), "the images are not the disks that the description names: server1.raw"),
        (("repair", "--vm", "VM", "--isolate", "--overlay", "o.qcow2"), "--isolate edits the machine's description"),
        (("check", "x.raw", "--recommend"), "--recommend needs to know which controller"),
        (("reconnect",), "the following arguments are required: --vm"),
    ],
)
def test_command_lines_that_do_not_go_together(
    words: tuple[str, ...], what: str, server1: BuiltMachine, bootgraft: Run
) -> None:
    vm = described(server1, KINDS[0])
    refusal = bootgraft(*(str(vm) if word == "VM" else word for word in words), "--json")
    assert refusal.status == 2
    assert what in json.loads(refusal.stdout)["error"]["what"]


def test_a_controller_that_is_not_told_must_be_given(server1: BuiltMachine, bootgraft: Run) -> None:
    vm = described(server1, KINDS[0])
    vm.write_text(VMX.replace('scsi0.virtualDev = "lsilogic"\r\n', "").replace("\udcfc", "u"))
    refusal = read_refusal(bootgraft("check", "--vm", vm), 2)
    assert "does not say which controller scsi0:0 is attached to" in refusal.what
    assert bootgraft("check", "--vm", vm, "--target", "vmware:lsilogic").status == 1
    assert bootgraft("inspect", "--vm", vm).status == 0


def test_a_machine_that_proxmox_has_locked(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    vm, repair = described(server1, KINDS[2]), ("--target", "vmware:lsilogic", "--drivers", donor.disk)
    assert bootgraft("repair", "--vm", vm, *repair, "--isolate").status == 0
    text = content(vm)
    vm.write_text(f"lock: backup\n{text}")
    for command in (
        ("check", "--vm", vm),
        ("inspect", "--vm", vm),
        ("repair", server1.disk, "--vm", vm, *repair),
        ("undo", server1.disk, "--vm", vm),
        ("undo", "--vm", vm),
        ("reconnect", "--vm", vm),
    ):
        refusal = refused(bootgraft, command, watch=vm.parent)
        assert refusal.what == "Proxmox has locked the machine (backup): it is being backed up"
        assert refusal.where == f"{vm}, line 1"
        assert "qm unlock 100" in refusal.advice
    vm.write_text(text)
    assert bootgraft("undo", "--vm", vm).status == 0
