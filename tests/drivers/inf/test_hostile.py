"""INFs that were tampered with: a package, an error in words, or passed over with its reason; never anything else."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.drivers.inf.infs import GOOD, SERVER_2003, SEVEN_X64, XP, driver, tree

from bootgraft.changes import RegistryData
from bootgraft.drivers.inf.selection import choose_package
from bootgraft.drivers.package import DriverPackage
from bootgraft.report.drivers import list_document, list_text, show_document, show_text
from bootgraft.targets.controllers import find_controller

VIRTIO = find_controller("kvm:virtio-blk")
_PIECES = (
    "[", "]", "=", ",", '"', "\\", "\\\n", ";", "%", "%%", "\n", "\r", "\x1a", "%12%", "%Vendor%", "0x", "-1",
    "99999999999999999999", "[Install]", "[Install.Services]", "NTx86", "NTamd64.6.1", "AddReg = Install",
    "Needs = Install", "Include = disk.inf", "CopyFiles = Service", "HKR,,,0x00010001,,,,", "HKLM,SYSTEM",
    "\u20ac", "\ufeff", "..\\..\\", "/", "*", "PCI\\CC_0100",
)  # fmt: skip


def mutated(text: str, rng: random.Random) -> str:
    """The text with a few places cut, doubled, swapped, or filled with what INFs are made of."""
    for _ in range(rng.randint(1, 6)):
        at, length = rng.randrange(len(text) + 1), rng.randint(0, 40)
        piece = text[at : at + length]
        text = rng.choice(
            (
                text[:at] + text[at + length :],
                text[:at] + piece * 3 + text[at + length :],
                text[:at] + rng.choice(_PIECES) + text[at:],
                text[:at] + rng.choice(_PIECES) + text[at + length :],
                text[:at] + piece[::-1] + text[at + length :],
            )
        )
    return text


def require_harmless(package: DriverPackage) -> None:
    """Assert that a package stays where a driver's may go: its own services, its bindings, the Windows directory."""
    for key in package.keys:
        assert key.path.split("\\")[0] in ("Services", "Control")
        assert all(0 < len(name) <= 255 for name in key.path.split("\\"))
        if key.path.startswith("Control"):
            assert key.path.startswith("Control\\CriticalDeviceDatabase\\")
        assert all(value.data is None or isinstance(value.data, RegistryData) for value in key.values)
    for file in package.files:
        names = file.path.split("\\")
        assert not {"", ".", ".."} & set(names)
        assert not set('<>:"/|?*') & set(file.path)


def judge(files: dict[str, str | bytes]) -> None:
    source = tree(files)
    document = list_document(source)
    list_text(document, detailed=True)
    choices = [(each, choose_package(source, VIRTIO, each)) for each in (XP, SERVER_2003, SEVEN_X64)]
    show_text(show_document("source", VIRTIO, choices), detailed=True)
    for _, choice in choices:
        if choice.package is not None:
            require_harmless(choice.package)


def real_infs(shared_testdata: Path) -> Iterator[str]:
    for path in sorted((shared_testdata / "drivers" / "virtio-win-old-drivers").rglob("viostor.inf")):
        yield path.read_text("cp1252")


@pytest.mark.parametrize("seed", range(4))
def test_mutated_infs(seed: int, shared_testdata: Path, machine_cache: Path) -> None:
    rng = random.Random(seed)
    binary = driver(machine_cache)
    texts = [GOOD, *real_infs(shared_testdata)]
    for _ in range(60):
        text = mutated(rng.choice(texts), rng)
        judge({"disk.inf": text.encode("utf-8", "replace"), "vdisk.sys": binary, "viostor.sys": binary})


@given(st.lists(st.sampled_from(_PIECES), max_size=60))
def test_what_infs_are_made_of(pieces: list[str]) -> None:
    judge({"disk.inf": GOOD[:400] + "".join(pieces), "other.inf": "[Version]\n" + "\n".join(pieces)})
