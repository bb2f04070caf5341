"""The tools of libguestfs. They work in a small virtual machine, which they start for each command."""

import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from benchmarks.disks import Case
from benchmarks.floor import Edit
from benchmarks.measure import Words
from benchmarks.peers.peer import SYSTEM_PYTHON, Peer, found, python_module, said
from benchmarks.subjects import Question

_QEMU_DRIVERS = {"raw": "raw", "monolithicSparse": "vmdk", "QCOW2": "qcow2", "VHDX": "vhdx", "VHD dynamic": "vpc"}
_INSPECT = """
import sys, guestfs
g = guestfs.GuestFS(python_return_dict=True)
g.add_drive_opts(sys.argv[1], format=sys.argv[2], readonly=1)
g.launch()
(root,) = g.inspect_os()
print(g.inspect_get_product_name(root), g.inspect_get_major_version(root), g.inspect_get_arch(root))
print(g.inspect_get_windows_systemroot(root), g.inspect_get_windows_current_control_set(root))
print(g.inspect_get_drive_mappings(root))
g.close()
"""
_EDIT = """
import subprocess, sys, tempfile, guestfs
image, form, driver, registry = sys.argv[1:]
g = guestfs.GuestFS(python_return_dict=True)
g.add_drive_opts(image, format=form)
g.launch()
(root,) = g.inspect_os()
g.mount(root, "/")
g.upload(driver, "/WINDOWS/system32/drivers/symmpi.sys")
hive = g.inspect_get_windows_system_hive(root)
with tempfile.NamedTemporaryFile() as copy:
    g.download(hive, copy.name)
    subprocess.run(["hivexregedit", "--merge", copy.name, registry], check=True)
    g.upload(copy.name, hive)
g.shutdown()
g.close()
"""
_DOMAIN = """<domain type="kvm">
  <name>server1</name><memory unit="MiB">512</memory><vcpu>1</vcpu>
  <os><type arch="x86_64">hvm</type></os>
  <devices><disk type="file" device="disk"><driver name="qemu" type="{form}"/><source file="{image}"/>
  <target dev="sda" bus="scsi"/></disk></devices>
</domain>
"""


def peers(folder: Path, virtio_win: Path) -> list[Peer]:
    """They ask the same edit as the floor; virt-v2v its own, with the drivers in ``virtio_win``."""
    edit = cache(lambda: Edit(folder))
    settings = _settings()
    tools = folder / "virt-tools"
    tools.mkdir(parents=True, exist_ok=True)
    for name in ("rhsrvany.exe", "pvvxsvc.exe"):
        (tools / name).write_bytes(b"MZ stands for the service that virt-v2v copies into the guest")
    converting = {**settings, "VIRTIO_WIN": str(virtio_win), "VIRT_TOOLS_DATA_DIR": str(tools)}
    return [
        Peer(
            "guestfish",
            "Debian: libguestfs-tools",
            lambda: found("guestfish"),
            lambda: said("guestfish", "--version"),
            {Question.INSPECT: _guestfish},
            is_virtual=True,
            environment=settings,
        ),
        Peer(
            "python guestfs",
            "Debian: python3-guestfs",
            lambda: python_module("guestfs"),
            lambda: said("guestfish", "--version").replace("guestfish", "libguestfs"),
            {Question.INSPECT: _python_inspect, Question.REPAIR: lambda case: _python_edit(case, edit())},
            changes=(Question.REPAIR,),
            is_virtual=True,
            environment=settings,
        ),
        Peer(
            "virt-inspector",
            "Debian: guestfs-tools",
            lambda: found("virt-inspector"),
            lambda: said("virt-inspector", "--version"),
            {Question.INSPECT: _virt_inspector},
            is_virtual=True,
            environment=settings,
        ),
        Peer(
            "virt-v2v-in-place",
            "Debian: virt-v2v (before Debian 13), and drivers of virtio-win",
            lambda: found("virt-v2v-in-place") if virtio_win.exists() else None,
            lambda: said("virt-v2v-in-place", "--version"),
            {Question.REPAIR: _virt_v2v},
            changes=(Question.REPAIR,),
            is_virtual=True,
            environment=converting,
        ),
    ]


def virtual_note() -> str:
    """What must stand beside the figures of all that work in a virtual machine."""
    return "" if _has_kvm() else "TCG: its processor is emulated; with KVM a fraction of this"


def _guestfish(case: Case) -> Words | None:
    form = _QEMU_DRIVERS.get(case.subject.form)
    listing = "/WINDOWS/system32/config"
    return form and ("guestfish", "--ro", f"--format={form}", "-a", case.image, "-i", "ll", listing)


def _virt_inspector(case: Case) -> Words | None:
    form = _QEMU_DRIVERS.get(case.subject.form)
    return form and ("virt-inspector", f"--format={form}", "-a", case.image)


def _python_inspect(case: Case) -> Words | None:
    form = _QEMU_DRIVERS.get(case.subject.form)
    return form and (SYSTEM_PYTHON, "-c", _INSPECT, case.image, form)


def _python_edit(case: Case, edit: Edit) -> Words | None:
    form = _QEMU_DRIVERS.get(case.subject.form)
    return form and (SYSTEM_PYTHON, "-c", _EDIT, case.image, form, edit.driver, edit.registry)


def _virt_v2v(case: Case) -> Words | None:
    form = _QEMU_DRIVERS.get(case.subject.form)
    domain = case.folder.with_name(f"{case.folder.name}.xml")
    domain.write_text(_DOMAIN.format(form=form, image=case.image))
    return form and ("virt-v2v-in-place", "-i", "libvirtxml", domain)


def _settings() -> Mapping[str, str]:
    backend = {"LIBGUESTFS_BACKEND": "direct"}
    return backend if _has_kvm() else {**backend, "LIBGUESTFS_BACKEND_SETTINGS": "force_tcg"}


@cache
def _has_kvm() -> bool:
    """Whether the virtual machine of libguestfs starts with KVM: that /dev/kvm is there promises nothing."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK) or found("guestfish") is None:
        return False
    environment = os.environ | {"LIBGUESTFS_BACKEND": "direct"}
    command = ["guestfish", "-a", "/dev/null", "run"]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
