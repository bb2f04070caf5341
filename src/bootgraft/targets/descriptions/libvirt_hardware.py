"""Firmware, boot order and processor of a domain of libvirt's.

Sources: libvirt, ``docs/formatdomain.rst`` (operating system booting, CPU model) and ``src/qemu/qemu_command.c``:
``-boot strict=on``; without an order of their own the first disk, CD-ROM, floppy drive and network adapter are what
``<boot dev>`` names; without a ``<cpu>`` qemu takes its own default, qemu64 or, for i686, qemu32.
"""

import re
from collections.abc import Sequence

from bootgraft.targets.descriptions.hardware import BootOrder, Processor, quoted
from bootgraft.targets.descriptions.vmdescription import Firmware
from bootgraft.targets.descriptions.xmltree import XmlElement

_QEMU = ("kvm", "qemu")
_DEFAULT_MODELS = {"x86_64": "qemu64", "i686": "qemu32"}
_BETTER = "<cpu mode='host-passthrough'/>"
_SECTOR_SIZES = {"": 512, "0": 512, "512": 512, "4096": 4096}
_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)
_HOSTS = ("host-model", "host-passthrough", "maximum")


def firmware(domain: XmlElement) -> Firmware | None:
    """A loader of type ``rom`` may be either; without one it is SeaBIOS, but of VirtualBox nothing is told."""
    wanted = domain.attribute(("os",), "firmware")
    loader = domain.first("os", "loader")
    if wanted == "efi" or (loader is not None and loader.attributes.get("type") == "pflash"):
        return Firmware.UEFI
    if wanted == "bios":
        return Firmware.BIOS
    return Firmware.BIOS if loader is None and domain.attributes.get("type") != "vbox" else None


def secure_boot(domain: XmlElement) -> bool | None:
    """By the features that its firmware is chosen by; ``secure`` of a loader only keeps its variables safe."""
    wanted = {
        each.attributes.get("name"): each.attributes.get("enabled") == "yes"
        for each in domain.all("os", "firmware", "feature")
    }
    features = [wanted.get(name) for name in ("secure-boot", "enrolled-keys")]
    if False in features:
        return False
    return True if features == [True, True] else None


def boot_order(domain: XmlElement, disks: Sequence[str], ordered: Sequence[str]) -> BootOrder | None:
    """What is tried: ``disks`` are the places of all, ``ordered`` of those with a ``<boot order>``, in its order.

    None where no device that is there is named, as then all are tried, and for other hypervisors than qemu.
    """
    if domain.attributes.get("type") not in _QEMU or domain.first("os", "kernel") is not None:
        return None
    devices = domain.first("devices")
    own = [] if devices is None else [each for each in devices.children if each.first("boot") is not None]
    if own:
        listed = ", ".join(f"<{quoted(each.name)}> in line {each.line}" for each in own[:4])
        said, line = f"only these devices have a <boot order>: {listed}{' …' if len(own) > 4 else ''}", own[0].line
        return BootOrder(tuple(ordered), True, True, said, line, "<boot order='1'/> in the <disk> {place}")  # noqa: FBT003
    general = list(domain.all("os", "boot"))
    names = list(dict.fromkeys(each.attributes.get("dev", "") for each in general)) or ["hd"]
    if not any(_is_there(domain, name, disks) for name in names):
        return None
    said = f"<os> has {' '.join(f'<boot dev={quoted(name)!r}/>' for name in names[:4])}"
    first = tuple(disks[:1]) if "hd" in names else ()
    return BootOrder(first, True, True, said, general[0].line if general else None, "<boot dev='hd'/> in <os>")  # noqa: FBT003


def _is_there(domain: XmlElement, name: str, disks: Sequence[str]) -> bool:
    match name:
        case "hd":
            return bool(disks)
        case "network":
            return domain.first("devices", "interface") is not None
        case "cdrom" | "fd":
            kind = {"cdrom": "cdrom", "fd": "floppy"}[name]
            return any(each.attributes.get("device") == kind for each in domain.all("devices", "disk"))
        case _:
            return False


def processor(domain: XmlElement) -> Processor | None:
    """The model and features that ``<cpu>`` gives; None where more than these may be there, or less is known."""
    kind = domain.first("os", "type")
    architecture = "x86_64" if kind is None else kind.attributes.get("arch", "x86_64")
    default = _DEFAULT_MODELS.get(architecture)
    machine = "" if kind is None else kind.attributes.get("machine", "")
    if domain.attributes.get("type") not in _QEMU or default is None:
        return None
    cpu = domain.first("cpu")
    model = "" if cpu is None else cpu.value("model")
    mode = "" if cpu is None else cpu.attributes.get("mode", "")
    if cpu is not None and cpu.attributes.get("match") == "minimum":
        return None  # the host's other features are there too
    if cpu is None or (not model and mode not in _HOSTS):
        # A distribution's own machine types have defaults of their own.
        said = f"it has no model of a <cpu>, which means {default}"
        return None if "rhel" in machine else Processor(default, said, None if cpu is None else cpu.line, _BETTER)
    policies = [(each.attributes.get("name", ""), each.attributes.get("policy")) for each in cpu.all("feature")]
    return Processor(
        "" if mode in _HOSTS else model,
        f"<cpu mode='{mode}'>" if mode in _HOSTS else f"<cpu> has <model>{quoted(model)}</model>",
        cpu.line,
        _BETTER,
        tuple(name for name, policy in policies if policy not in ("disable", "forbid")),
        tuple(name for name, policy in policies if policy == "disable"),
    )


def spare_processors(domain: XmlElement) -> str:
    """What it says of processors that may be added: ``<vcpu current='2'>`` of more; empty where none may."""
    vcpu = domain.first("vcpu")
    current = "" if vcpu is None else vcpu.attributes.get("current", "")
    most = "" if vcpu is None else vcpu.text.strip()
    if not all(_NUMBER.fullmatch(each) for each in (current, most)) or int(current) >= int(most):
        return ""
    return f"<vcpu current='{current}'>{most}"


def sector_size(domain: XmlElement, disk: XmlElement) -> int | None:
    """The logical sector size of a disk, in bytes: that of ``<blockio>``, or qemu's default."""
    size = disk.attribute(("blockio",), "logical_block_size")
    if domain.attributes.get("type") not in _QEMU:
        return None
    return _SECTOR_SIZES.get(size)
