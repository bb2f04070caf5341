"""What people call hypervisors and controllers, and which target they mean by it.

Beside our names there are those of products (``esxi``, ``proxmox``), of the buses and models in their dialogs and
files (``sata``, ``virtio-scsi-single``, ``LSILogicSAS``: the same sources as those of ``descriptions``) and of Windows'
drivers (``vioscsi``). Only letters and digits count: ``Hyper-V`` and ``hyperv`` are the same.
"""

from collections.abc import Iterable, Sequence

from bootgraft.errors import UsageError

HYPERVISORS = {
    "proxmox": "kvm", "pve": "kvm", "qemu": "kvm", "libvirt": "kvm", "ovirt": "kvm", "openstack": "kvm",
    "esxi": "vmware", "esx": "vmware", "vsphere": "vmware", "workstation": "vmware",
    "hyper-v": "hyperv", "vbox": "virtualbox", "xenserver": "xen", "xcp-ng": "xen",
    "ec2": "aws", "amazon": "aws", "gcp": "google", "gce": "google",
}  # fmt: skip
"""Other names of hypervisors, or of products that are made of one."""
CONTROLLERS = {
    "sata": ("kvm:ahci", "vmware:ahci", "virtualbox:ahci"),
    "intelahci": ("virtualbox:ahci",),
    "scsi": (
        "vmware:lsilogic", "vmware:lsisas1068", "vmware:pvscsi", "vmware:buslogic",
        "kvm:virtio-scsi", "kvm:lsi", "kvm:megasas", "kvm:pvscsi", "hyperv:gen2", "azure:gen2",
        "virtualbox:lsilogic", "virtualbox:buslogic", "google:virtio-scsi",
    ),
    "sas": ("vmware:lsisas1068", "virtualbox:lsisas1068", "kvm:lsisas1068", "kvm:megasas"),
    "virtio": ("kvm:virtio-blk", "google:virtio-scsi"),
    "virtio-blk-pci": ("kvm:virtio-blk",),
    "virtio-scsi-pci": ("kvm:virtio-scsi",),
    "virtio-scsi-single": ("kvm:virtio-scsi",),
    "viostor": ("kvm:virtio-blk",),
    "vioscsi": ("kvm:virtio-scsi", "google:virtio-scsi"),
    "paravirtual": ("vmware:pvscsi", "xen:pv"),
    "vmpvscsi": ("vmware:pvscsi", "kvm:pvscsi"),
    "lsilogicsas": ("vmware:lsisas1068", "virtualbox:lsisas1068"),
    "lsisas": ("vmware:lsisas1068", "virtualbox:lsisas1068", "kvm:lsisas1068"),
    "lsi": ("vmware:lsilogic", "virtualbox:lsilogic", "kvm:lsi"),
    "lsi53c895a": ("kvm:lsi",),
    "mptsas1068": ("kvm:lsisas1068",),
    "lsisas1078": ("kvm:megasas",),
    "ide": ("hyperv:gen1", "azure:gen1", "virtualbox:piix4", "virtualbox:piix3"),
    "generation1": ("hyperv:gen1", "azure:gen1"),
    "generation2": ("hyperv:gen2", "azure:gen2"),
    "ebs": ("aws:nvme",),
}  # fmt: skip
"""Other names of controllers, and what each may mean; a name of our own table comes before these."""
_ALIKE = 0.6


def meant_target(said: str, known: Sequence[str], presented: Iterable[str] = ()) -> str:
    """The one of the ``known`` targets that is meant; ``presented`` are those that the machine's description has.

    Raises UsageError that names what may be meant: there are several, or there is none.
    """
    meant = _candidates(said, known)
    if len(meant) > 1 and ":" not in said:
        meant = _of_description(meant, tuple(presented)) or meant
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise UsageError(
            f"{said!r} may mean any of {', '.join(meant)}",
            where="--target",
            advice="Give the one that the new machine has",
            said=said,
            choices=[(each,) for each in meant],
            id="target-unknown",
        )
    raise _unknown(said, known)


def other_names(target: str) -> tuple[str, ...]:
    """What else ``--target`` takes for a target: ``proxmox:virtio-scsi`` and ``kvm:vioscsi`` for ``kvm:virtio-scsi``.

    Left out is what may mean another controller of that hypervisor too.
    """
    hypervisor, _, name = target.partition(":")
    by_product = (f"{alias}:{name}" for alias, meant in HYPERVISORS.items() if meant == hypervisor)
    by_name = (f"{hypervisor}:{alias}" for alias, meant in CONTROLLERS.items() if _of([hypervisor], meant) == (target,))
    return (*by_product, *(each for each in by_name if each != target))


def _candidates(said: str, known: Sequence[str]) -> tuple[str, ...]:
    hypervisor, colon, name = said.casefold().partition(":")
    if not colon:
        alone = _of(_hypervisors(hypervisor, known), known)
        if alone:
            return alone
        name = hypervisor
    exact = tuple(each for each in known if _bare(each.partition(":")[2]) == _bare(name))
    aliases = next((meant for alias, meant in CONTROLLERS.items() if _bare(alias) == _bare(name)), ())
    if not colon:
        return tuple(dict.fromkeys((*exact, *(each for each in aliases if each in known))))
    here = _hypervisors(hypervisor, known)
    return _of(here, exact) or _of(here, aliases)


def _of_description(meant: Sequence[str], presented: Sequence[str]) -> tuple[str, ...]:
    """Those that the description itself has, or else those of its hypervisor."""
    own = tuple(each for each in meant if each in presented)
    return own or _of([each.partition(":")[0] for each in presented], meant)


def _of(hypervisors: Sequence[str], targets: Sequence[str]) -> tuple[str, ...]:
    return tuple(each for each in targets if each.partition(":")[0] in hypervisors)


def _hypervisors(said: str, known: Sequence[str]) -> tuple[str, ...]:
    """The hypervisor of that name, if there is one."""
    names = {_bare(each.partition(":")[0]): each.partition(":")[0] for each in known}
    names |= {_bare(alias): meant for alias, meant in HYPERVISORS.items()}
    return tuple(each for name, each in names.items() if name == _bare(said))


def _unknown(said: str, known: Sequence[str]) -> UsageError:
    hypervisor, colon, _ = said.casefold().partition(":")
    same = _of(_hypervisors(hypervisor, known), known)
    names = {each: each for each in known}
    names |= {other: each for each in known for other in other_names(each)}
    if not colon:
        names |= {alias: meant[0] for alias, meant in CONTROLLERS.items() if len(meant) == 1}
    near = _nearest(said.casefold(), names)
    there = same or tuple(sorted({f"{each.partition(':')[0]}:…" for each in known}))
    return UsageError(
        f"no such target: {said!r}",
        where="--target",
        advice=f"Known are {', '.join(there)}.\nTo list them all, run:\n    bootgraft targets",
        said=said,
        choices=[(each,) for each in near],
        id="target-unknown",
    )


def _nearest(said: str, names: dict[str, str]) -> tuple[str, ...]:
    from difflib import get_close_matches  # only where there was a mistake

    return tuple(dict.fromkeys(names[each] for each in get_close_matches(said, names, 3, _ALIKE)))[:2]


def _bare(name: str) -> str:
    return "".join(each for each in name if each.isalnum())
