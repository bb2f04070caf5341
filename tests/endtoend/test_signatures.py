"""What a repair makes of a driver's signature, on a Windows 10 that UEFI starts: by the firmware, and at all."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.drivers.inf.infs import GOOD
from tests.endtoend.story import Bootgraft, findings, hashes
from tests.endtoend.test_generations import uefi_machine
from tests.machines.build import BuiltMachine, content
from tests.machines.spec import Architecture, File, MachineSpec, PortableExecutable, Signature, Signer
from tests.machines.windows_hives import WINDOWS_10

VIRTIO = ("--target", "kvm:virtio-blk")


@pytest.fixture
def machine(build_machine: Callable[[MachineSpec], BuiltMachine]) -> BuiltMachine:
    return build_machine(uefi_machine(WINDOWS_10, "win10"))


@pytest.fixture
def package(tmp_path: Path, machine_cache: Path) -> Callable[..., Path]:
    """A function that makes a driver package in a folder, its driver signed so."""

    def make(name: str, *signatures: Signature, altered: bool = False) -> Path:
        imports = (("ntoskrnl.exe", ("DbgPrint",)),)
        driver = PortableExecutable("vdisk.sys", Architecture.X64, imports, (), (1, 2, 3, 4), signatures, altered)
        folder = tmp_path / name
        folder.mkdir()
        (folder / "disk.inf").write_text(GOOD)
        (folder / "vdisk.sys").write_bytes(content(File("vdisk.sys", driver), machine_cache))
        return folder

    return make


def test_a_vendors_own_signature_depends_on_secure_boot(
    machine: BuiltMachine, package: Callable[..., Path], bootgraft: Bootgraft
) -> None:
    """Its certificate is younger than 2015: likely refused under Secure Boot, and the disk does not tell whether.

    What can be done on the image is done all the same.
    """
    folder, pristine = package("cross", Signature(Signer.CROSS_SIGNED)), hashes(machine.disk.parent)
    words = ("repair", machine.disk, *VIRTIO, "--drivers", folder)
    for secure_boot in ((), ("--secure-boot", "on")):
        repaired = bootgraft(*words, *secure_boot, "--json")
        (after,) = repaired.json["after"]
        assert (repaired.status, repaired.json["committed"]) == (1, True)
        assert (after["verdict"], after["image_verdict"]) == ("unknown", "boots")
        assert {each["id"] for each in after["findings"]} == {"driver-signature-secure-boot"}
        assert bootgraft("undo", machine.disk).status == 0
        assert hashes(machine.disk.parent) == pristine
    assert bootgraft(*words, "--secure-boot", "off").status == 0
    checked = bootgraft("check", machine.disk, *VIRTIO, "--secure-boot", "off", "--json")
    assert (checked.status, findings(checked)) == (0, [])
    checked = bootgraft("check", machine.disk, *VIRTIO, "--secure-boot", "on")
    assert checked.status == 1
    assert "needs Secure Boot to be off" in checked.stdout


def test_what_windows_10_takes_of_several(
    machine: BuiltMachine, package: Callable[..., Path], tmp_path: Path, bootgraft: Bootgraft
) -> None:
    """Of four packages of the same release the one with Microsoft's signature, and why not the others."""
    package("a", Signature(Signer.SELF_SIGNED))
    package("b", Signature(Signer.CROSS_SIGNED))
    package("c", Signature(Signer.ATTESTATION), altered=True)
    package("d", Signature(Signer.ATTESTATION))
    repaired = bootgraft("repair", machine.disk, *VIRTIO, "--drivers", tmp_path, "--dry-run", "--json")
    assert repaired.status == 0, repaired
    head, passed = repaired.json["notes"][:2]
    assert "d\\disk.inf (chosen of 4 INFs)" in head
    assert "attestation-signed by" in head
    assert "a\\disk.inf: self-signed by" in passed
    assert "would stop with 0xc0000428" in passed
    assert "c\\disk.inf: altered after it was signed" in passed
    assert "b\\disk.inf: cross-signed with a certificate issued on" in passed


def test_a_source_of_which_this_windows_takes_nothing(
    machine: BuiltMachine, package: Callable[..., Path], bootgraft: Bootgraft
) -> None:
    pristine = hashes(machine.disk.parent)
    for name, signatures in {"unsigned": (), "stranger": (Signature(Signer.UNKNOWN_ROOT),)}.items():
        refused = bootgraft("repair", machine.disk, *VIRTIO, "--drivers", package(name, *signatures))
        assert (refused.status, refused.stdout) == (3, "")
        assert "would stop with 0xc0000428" in refused.stderr
        assert hashes(machine.disk.parent) == pristine
