"""What a machine's description has to say so that a disk boots on a target: fragments for the target's hypervisor.

Sources: libvirt ``docs/formatdomain.rst``, pve-docs ``qm.conf.5``, ``VBoxManage storagectl``, xl-disk-configuration(5),
Microsoft ``New-VM``. Where bootgraft reads a format too, its reader's table of controllers says how it names them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from msgspec import Struct

from bootgraft.targets.controllers import Attachment, Controller
from bootgraft.targets.descriptions import libvirt, proxmox, vmx
from bootgraft.targets.descriptions.vmdescription import Firmware, names_of

_MODERN = "-modern"
"""How names of virtio's controllers end that are not transitional."""


class Fragment(Struct, frozen=True):
    """Lines for one kind of description: ``vmx``, ``libvirt``, ``proxmox``, ``qemu``, and so on."""

    format: str
    text: str


class DiskFile(Struct, frozen=True):
    """One disk's file and its format in qemu's words."""

    location: str
    format: str


class _Machine(Struct, frozen=True):
    """All that the fragments are made of."""

    controller: Controller
    firmware: Firmware
    disks: tuple[DiskFile, ...]

    @property
    def chipset(self) -> str:
        """Qemu's machine type: pc for what old Windows knows, q35 where the controller or UEFI is better on it."""
        name = self.controller.name
        if name == "ide":
            return "pc"  # q35 has none
        is_newer = self.firmware is Firmware.UEFI or name.endswith(_MODERN)
        return "q35" if is_newer or self.controller.attachment in (Attachment.AHCI, Attachment.NVME) else "pc"


def fragments(controller: Controller, firmware: Firmware, disks: Sequence[DiskFile]) -> tuple[Fragment, ...]:
    """Return what presents these disks, in BIOS order, on this controller to this firmware; nothing for a cloud's."""
    if controller.cloud is not None:
        return ()
    machine = _Machine(controller, firmware, tuple(disks))
    return tuple(_WRITERS[controller.hypervisor](machine))


_VMX_TYPES = {"ide": "ata-hardDisk", "scsi": "scsi-hardDisk"}


def _vmware(machine: _Machine) -> Iterator[Fragment]:
    names = names_of(machine.controller.target, vmx.CONTROLLERS)
    assert names is not None  # all of VMware's have one
    kind, model = names
    bus = kind if kind == "ide" else f"{kind}0"
    lines = [f'firmware = "{"efi" if machine.firmware is Firmware.UEFI else "bios"}"']
    if bus != "ide":
        lines.append(f'{bus}.present = "TRUE"')
    if model:
        lines.append(f'{bus}.virtualDev = "{model}"')
    for number, disk in enumerate(machine.disks):
        # Place 7 of a SCSI bus is the controller's own.
        place = f"ide{number // 2}:{number % 2}" if bus == "ide" else f"{bus}:{number + (number > 6)}"
        if disk.format != "vmdk":
            lines.append(f"# first: qemu-img convert -O vmdk {quote(_name(disk))} {quote(_vmdk(disk))}")
        lines.append(f'{place}.present = "TRUE"')
        lines.append(f'{place}.deviceType = "{_VMX_TYPES.get(kind, "disk")}"')
        lines.append(f'{place}.fileName = "{_vmdk(disk).replace("|", "|7C").replace(chr(34), "|22")}"')
    yield _fragment("vmx", lines)


def _kvm(machine: _Machine) -> Iterator[Fragment]:
    target = machine.controller.target
    in_libvirt = names_of(target.removesuffix(_MODERN), libvirt.CONTROLLERS)
    in_proxmox = names_of(target, proxmox.CONTROLLERS)
    if in_libvirt is not None and "nvme" not in in_libvirt:  # only the newest libvirt has that bus
        _, bus, model = in_libvirt
        yield _libvirt(machine, bus, model)
    else:
        yield _qemu(machine)
    if in_proxmox is not None:
        bus, model = in_proxmox
        yield _proxmox(machine, bus, model)


def _libvirt(machine: _Machine, bus: str, model: str) -> Fragment:
    name = machine.controller.name
    prefix = next((prefix for prefix, known in libvirt.DISK_NAMES.items() if known == bus), "sd")
    virtio = ""
    if name.startswith("virtio") and machine.chipset == "q35":
        virtio = "virtio-non-transitional" if name.endswith(_MODERN) else "virtio-transitional"
    firmware = " firmware='efi'" if machine.firmware is Firmware.UEFI else ""
    lines = [
        "<domain type='kvm'>",
        f"  <os{firmware}>",
        f"    <type arch='x86_64' machine='{machine.chipset}'>hvm</type>",
        "  </os>",
        "  <devices>",
    ]
    if model:
        lines.append(f"    <controller type='scsi' index='0' model='{virtio if virtio and bus == 'scsi' else model}'/>")
    for number, disk in enumerate(machine.disks):
        own = f" model='{virtio}'" if virtio and bus == "virtio" else ""
        kind, attribute = ("block", "dev") if disk.location.startswith("/dev/") else ("file", "file")
        lines += [
            f"    <disk type='{kind}' device='disk'{own}>",
            f"      <driver name='qemu' type='{disk.format}'/>",
            f"      <source {attribute}={_attribute(_full(disk))}/>",
            f"      <target dev='{prefix}{_letters(number)}' bus='{bus}'/>",
            f"      <boot order='{number + 1}'/>",
            "    </disk>",
        ]
    return _fragment("libvirt", [*lines, "  </devices>", "</domain>"])


def _proxmox(machine: _Machine, bus: str, hardware: str) -> Fragment:
    lines = [
        f"bios: {'ovmf' if machine.firmware is Firmware.UEFI else 'seabios'}",
        f"machine: {machine.chipset}",
        *([f"scsihw: {hardware}"] if hardware else []),
    ]
    places = [f"{bus}{number}" for number in range(len(machine.disks))]
    for place, disk in zip(places, machine.disks, strict=True):
        lines.append(f"# first: qm importdisk VMID {quote(_name(disk))} STORAGE, which prints the volume's name")
        lines.append(f"{place}: STORAGE:VOLUME")
    return _fragment("proxmox", [*lines, f"boot: order={';'.join(places)}"])


def _qemu(machine: _Machine) -> Fragment:
    lines = [f"-machine {machine.chipset}"]
    if machine.firmware is Firmware.UEFI:
        lines.append("-drive if=pflash,format=raw,readonly=on,file=OVMF_CODE.fd")
    bus = {"megasas-gen2": "megasas-gen2"}.get(machine.controller.name)
    if bus:
        lines.append(f"-device {bus},id=disks")
    for number, disk in enumerate(machine.disks):
        device = f"scsi-hd,bus=disks.0,scsi-id={number}" if bus else f"nvme,serial=disk{number}"
        file = _full(disk).replace(",", ",,")
        lines.append(f"-drive if=none,id=disk{number},format={disk.format},file={file}")
        lines.append(f"-device {device},drive=disk{number},bootindex={number + 1}")
    return _fragment("qemu", lines)


def _hyperv(machine: _Machine) -> Iterator[Fragment]:
    generation = 2 if machine.controller.name == "gen2" else 1
    kind = "IDE" if generation == 1 else "SCSI"
    first, *others = [str(Path(_name(disk)).with_suffix(".vhdx")) for disk in machine.disks]
    lines = [
        f"# first, for each disk: qemu-img convert -O vhdx {quote(_name(machine.disks[0]))} {quote(first)}",
        f"New-VM -Name NAME -Generation {generation} -VHDPath {_quoted(first)}",
    ]
    lines += [f"Add-VMHardDiskDrive -VMName NAME -ControllerType {kind} -Path {_quoted(each)}" for each in others]
    yield _fragment("powershell", lines)


_VIRTUALBOX = {
    "piix3": ("ide", "PIIX3"),
    "piix4": ("ide", "PIIX4"),
    "ahci": ("sata", "IntelAhci"),
    "lsilogic": ("scsi", "LsiLogic"),
    "lsisas1068": ("sas", "LSILogicSAS"),
    "buslogic": ("scsi", "BusLogic"),
    "nvme": ("pcie", "NVMe"),
}


def _virtualbox(machine: _Machine) -> Iterator[Fragment]:
    bus, chip = _VIRTUALBOX[machine.controller.name]
    lines = [
        f"VBoxManage modifyvm NAME --firmware {'efi' if machine.firmware is Firmware.UEFI else 'bios'} --ioapic on",
        f"VBoxManage storagectl NAME --name disks --add {bus} --controller {chip} --bootable on",
    ]
    for number, disk in enumerate(machine.disks):
        port, device = (number // 2, number % 2) if bus == "ide" else (number, 0)
        place = f"--port {port} --device {device}"
        lines.append(
            f"VBoxManage storageattach NAME --storagectl disks {place} --type hdd --medium {quote(_full(disk))}"
        )
    yield _fragment("virtualbox", lines)


def _xen(machine: _Machine) -> Iterator[Fragment]:
    # A disk called hdX is both: emulated IDE until the paravirtual driver takes it over (xl-disk-configuration).
    prefix = "hd" if machine.controller.name == "ide" else "xvd"
    disks = [
        f'  "format={disk.format}, vdev={prefix}{_letters(number)}, access=rw, target={_full(disk)}",'
        for number, disk in enumerate(machine.disks)
    ]
    firmware = "ovmf" if machine.firmware is Firmware.UEFI else "seabios"
    yield _fragment("xl", ['type = "hvm"', f'bios = "{firmware}"', "disk = [", *disks, "]"])


_WRITERS = {"vmware": _vmware, "kvm": _kvm, "hyperv": _hyperv, "virtualbox": _virtualbox, "xen": _xen}


def _fragment(kind: str, lines: Sequence[str]) -> Fragment:
    return Fragment(kind, "\n".join(lines) + "\n")


def _name(disk: DiskFile) -> str:
    return Path(disk.location).name


def _vmdk(disk: DiskFile) -> str:
    return _name(disk) if disk.format == "vmdk" else str(Path(_name(disk)).with_suffix(".vmdk"))


def _full(disk: DiskFile) -> str:
    is_path = "://" not in disk.location
    return str(Path(disk.location).absolute()) if is_path else disk.location


def _letters(number: int) -> str:
    """``a`` to ``z``, then ``aa``: names of disks as Linux counts them."""
    head, last = divmod(number, 26)
    return (_letters(head - 1) if head else "") + "abcdefghijklmnopqrstuvwxyz"[last]


def _attribute(text: str) -> str:
    """A value in XML; the standard library's own quoteattr loads urllib."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), ("'", "&apos;")):
        text = text.replace(character, entity)
    return f"'{text}'"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
