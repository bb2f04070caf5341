"""libvirt's domain XML, as ``virsh dumpxml`` prints it and ``/etc/libvirt/qemu/NAME.xml`` holds it.

Source: libvirt, ``docs/formatdomain.rst``: disks of one kind are sorted by their target, the buses in the order of the
file, and the first is marked as bootable, unless the devices have a ``<boot order='N'/>`` of their own.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from bootgraft.targets.descriptions import libvirt_hardware
from bootgraft.targets.descriptions.hardware import quoted
from bootgraft.targets.descriptions.vmdescription import (
    NetworkCard,
    VmDescription,
    VmDisk,
    VmFormat,
    counted,
    in_order,
    malformed,
    passed_through,
)
from bootgraft.targets.descriptions.xmltree import XmlElement, encoding_of, parse_xml, start_tag
from bootgraft.text import printable

_HYPERVISORS = {"kvm": "kvm", "qemu": "kvm", "xen": "xen", "vmware": "vmware", "vbox": "virtualbox"}
DISK_NAMES = {"hd": "ide", "sd": "scsi", "vd": "virtio", "xvd": "xen", "fd": "fdc", "ub": "usb"}
"""The bus that libvirt takes a disk to be on by the beginning of its name, where nothing else tells."""
CONTROLLERS: dict[tuple[str, ...], str] = {
    ("kvm", "ide", ""): "kvm:ide",
    ("kvm", "sata", ""): "kvm:ahci",
    ("kvm", "nvme", ""): "kvm:nvme",
    ("kvm", "virtio", ""): "kvm:virtio-blk",
    ("kvm", "scsi", "virtio-scsi"): "kvm:virtio-scsi",
    ("kvm", "scsi", "lsilogic"): "kvm:lsi",
    ("kvm", "scsi", "lsisas1068"): "kvm:lsisas1068",
    ("kvm", "scsi", "lsisas1078"): "kvm:megasas",
    ("kvm", "scsi", "vmpvscsi"): "kvm:pvscsi",
    ("xen", "ide", ""): "xen:ide",
    ("xen", "xen", ""): "xen:pv",
    ("vmware", "ide", ""): "vmware:ide",
    ("vmware", "sata", ""): "vmware:ahci",
    ("vmware", "scsi", "lsilogic"): "vmware:lsilogic",
    ("vmware", "scsi", "lsisas1068"): "vmware:lsisas1068",
    ("vmware", "scsi", "buslogic"): "vmware:buslogic",
    ("vmware", "scsi", "vmpvscsi"): "vmware:pvscsi",
    ("virtualbox", "ide", ""): "virtualbox:piix4",
    ("virtualbox", "sata", ""): "virtualbox:ahci",
    ("virtualbox", "scsi", "lsilogic"): "virtualbox:lsilogic",
    ("virtualbox", "scsi", "lsisas1068"): "virtualbox:lsisas1068",
    ("virtualbox", "scsi", "buslogic"): "virtualbox:buslogic",
}
"""By hypervisor, libvirt's bus and, for SCSI, the controller's model; of virtio's, those that are transitional."""
_OTHER_DEVICES = {"cdrom", "floppy"}
_ATTRIBUTE = re.compile(r"""\s(?P<name>[^\s=]+)\s*=\s*(?P<value>"[^"]*"|'[^']*')""")


def parse(data: bytes, path: Path) -> VmDescription:
    """Read a domain.

    Raises:
        VmDescriptionError: it is no sound XML, or a device is not as libvirt writes it.
    """
    domain = parse_xml(data, path)
    found = [(each, _disk(domain, each, path)) for each in counted(_disk_elements(domain), path)]
    orders = {disk.place: _order(element, path) for element, disk in found}
    buses = list(dict.fromkeys(_bus(element) for element, _ in found))
    found.sort(key=lambda pair: (buses.index(_bus(pair[0])), len(pair[1].place), pair[1].place))
    ordered = [place for _, place in sorted((n, place) for place, n in orders.items() if n is not None)]
    first = ordered or [disk.place for _, disk in found[:1]]
    named = set(first)
    rest = list(dict.fromkeys(_bus(element) for element, disk in found if disk.place not in named))
    doubt = f"it has disks on {quoted(' and '.join(rest))}, and no <boot order> in them" if len(rest) > 1 else ""
    return VmDescription(
        path,
        FORMAT,
        in_order([disk for _, disk in found], first),
        libvirt_hardware.firmware(domain),
        tuple(_card(number, each) for number, each in enumerate(domain.all("devices", "interface"))),
        doubt,
        passed_through([each.attributes.get("type", "hostdev") for each in domain.all("devices", "hostdev")]),
        secure_boot=libvirt_hardware.secure_boot(domain),
        boot_order=libvirt_hardware.boot_order(domain, [disk.place for _, disk in found], ordered),
        processor=libvirt_hardware.processor(domain),
        spare_processors=libvirt_hardware.spare_processors(domain),
    )


def plug(data: bytes, path: Path, names: Collection[str], *, plugged: bool) -> bytes:
    """Return the file with these adapters connected or not, and every other byte as it was.

    Raises:
        VmDescriptionError: a card is a passed-through host device, which has no cable to disconnect.
    """
    encoding = encoding_of(data)
    state = "up" if plugged else "down"
    for number, interface in reversed(list(enumerate(parse_xml(data, path).all("devices", "interface")))):
        if _card(number, interface).name not in names:
            continue
        if interface.attributes.get("type") == "hostdev":
            raise malformed(
                path,
                interface.line,
                "this network adapter is passed through from the host: libvirt cannot disconnect it",
            )
        start, end, text = _edit(data, interface, encoding, state)
        data = data[:start] + text.encode(encoding) + data[end:]
    return data


def _edit(data: bytes, interface: XmlElement, encoding: str, state: str) -> tuple[int, int, str]:
    """Return what is to stand where, so that the interface's link is in this state."""
    link = interface.first("link")
    if link is not None:
        tag = start_tag(data, link, encoding)
        return link.start, link.start + len(tag.encode(encoding)), _with_state(tag, state)
    tag = start_tag(data, interface, encoding)
    if tag.endswith("/>"):
        end = interface.start + len(tag.encode(encoding))
        return interface.start, end, f"{tag[:-2].rstrip()}><link state='{state}'/></interface>"
    # Before the end tag, indented as the first child is.
    first = interface.children[0].start if interface.children else interface.end
    before = data[interface.start + len(tag.encode(encoding)) : first].decode(encoding)
    indent = before if before.strip() == "" else ""
    behind = data[max(child.end for child in interface.children) if interface.children else first : interface.end]
    tail = behind.decode(encoding)
    at = interface.end - len(tail[len(tail.rstrip()) :].encode(encoding))
    return at, at, f"{indent}<link state='{state}'/>"


def _with_state(tag: str, state: str) -> str:
    """The start tag of a ``<link>`` with this state; what stands inside another attribute's value is not meant."""
    for attribute in _ATTRIBUTE.finditer(tag):
        if attribute["name"].rpartition(":")[2] == "state":
            return f"{tag[: attribute.start('value')]}'{state}'{tag[attribute.end('value') :]}"
    end = re.search(r"[\s/>]", tag)
    at = len(tag) if end is None else end.start()
    return f"{tag[:at]} state='{state}'{tag[at:]}"


def _disk_elements(domain: XmlElement) -> Iterator[XmlElement]:
    for element in domain.all("devices", "disk"):
        if element.attributes.get("device", "disk") not in _OTHER_DEVICES:
            yield element


def _disk(domain: XmlElement, element: XmlElement, path: Path) -> VmDisk:
    place = element.attribute(("target",), "dev")
    if not place:
        raise malformed(path, element.line, "this disk has no <target dev>")
    size = libvirt_hardware.sector_size(domain, element)
    return VmDisk(_source(element, path), place, _controller(domain, element, path), element.line, size)


def _source(element: XmlElement, path: Path) -> str:
    source = element.first("source")
    attributes = {} if source is None else source.attributes
    match element.attributes.get("type", "file"):
        case "file" | "block" | "dir" as kind:
            name = attributes.get({"file": "file", "block": "dev", "dir": "dir"}[kind], "")
        case "network":
            name = f"{attributes.get('protocol', '?')}://{attributes.get('name', '')}"
        case "volume":
            name = f"{attributes.get('pool', '?')}:{attributes.get('volume', '')}"
        case other:
            raise malformed(path, element.line, f"this disk is of a type that bootgraft does not know: {other!r}")
    if not name:
        raise malformed(path, element.line, "this disk has no source")
    return name


def _bus(element: XmlElement) -> str:
    bus = element.attribute(("target",), "bus")
    name = element.attribute(("target",), "dev")
    return bus or next((known for prefix, known in DISK_NAMES.items() if name.startswith(prefix)), "")


def _controller(domain: XmlElement, element: XmlElement, path: Path) -> str | None:
    hypervisor = _HYPERVISORS.get(domain.attributes.get("type", ""), "")
    bus = _bus(element)
    model = ""
    if bus == "virtio":
        virtio = element.attribute(("target",), "model") or _model(element)
        return CONTROLLERS["kvm", bus, ""] + _suffix(domain, virtio)
    if bus == "scsi":
        model = _scsi_model(domain, element.attribute(("address",), "controller") or "0")
        if model.startswith("virtio"):
            return CONTROLLERS["kvm", bus, "virtio-scsi"] + _suffix(domain, model)
    elif bus not in ("ide", "sata", "nvme", "xen", "usb", "sd", "fdc"):
        raise malformed(path, element.line, f"this disk is on a bus that bootgraft does not know: {bus!r}")
    return CONTROLLERS.get((hypervisor, bus, model))


def _model(element: XmlElement) -> str:
    return element.attributes.get("model", "")


def _scsi_model(domain: XmlElement, index: str) -> str:
    for controller in domain.all("devices", "controller"):
        if controller.attributes.get("type") == "scsi" and controller.attributes.get("index", "0") == index:
            return _model(controller)
    return ""


def _suffix(domain: XmlElement, model: str) -> str:
    """A virtio device is transitional where it sits on a conventional bus, which q35 gives only on request."""
    if model.endswith("-non-transitional"):
        return "-modern"
    if model.endswith("-transitional"):
        return ""
    return "-modern" if "q35" in domain.attribute(("os", "type"), "machine") else ""


def _order(element: XmlElement, path: Path) -> int | None:
    text = element.attribute(("boot",), "order")
    if not text:
        return None
    if not re.fullmatch(r"\s*[0-9]{1,9}\s*", text):
        raise malformed(path, element.line, f"the boot order of this disk is no number: {text!r}")
    return int(text)


def _card(number: int, interface: XmlElement) -> NetworkCard:
    link = interface.first("link")
    plugged = link is None or link.attributes.get("state") != "down"
    name = interface.attribute(("mac",), "address")
    return NetworkCard(f"interface {number}" + (f" ({printable(name)})" if name else ""), plugged, interface.line)


FORMAT = VmFormat(
    name="libvirt",
    title="libvirt's domain XML",
    parse=parse,
    root="domain",
    plug=plug,
    read_again="libvirt knows the machine by what was defined: `virsh define {path}` makes it read the file.",
)
