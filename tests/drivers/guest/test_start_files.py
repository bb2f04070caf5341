"""Of which release a folder's ntldr is, and what another machine gives."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.checks.chain.ntldr.left_behind import LOADERS, MENU, XP_SETUP, windows_xp
from tests.fakes import FakePartition, machine_of, volume_of
from tests.machines.build import content
from tests.machines.spec import Architecture, File, PortableExecutable
from tests.machines.tools import run

from bootgraft.drivers.guest.start_files import StartFiles, of_machine, of_medium, own_files
from bootgraft.drivers.sources import open_source
from bootgraft.machine import Machine
from bootgraft.windows import pe
from bootgraft.windows.installation import read_installation

FOLDER = "\\I386"


def machine(files: Mapping[str, bytes]) -> Machine:
    return machine_of([FakePartition(windows_xp({f"{FOLDER}\\{name}": data for name, data in files.items()}))])


def kept(files: Mapping[str, bytes]) -> list[StartFiles]:
    """What that folder of a machine with Windows XP has."""
    made = machine(files)
    (volume,) = made.volumes()
    return list(own_files(made, read_installation(volume, "\\WINDOWS", default_boot=False)))


def szdd(data: bytes, folder: Path) -> bytes:
    """Packed by mscompress, as the files of NT 4's medium are."""
    (folder / "file.com").write_bytes(data)
    run("mscompress", "file.com", cwd=folder)
    return (folder / "file.com_").read_bytes()


def test_packed_files_are_unpacked(tmp_path: Path) -> None:
    detection = b"the detection of hardware " * 40
    packed = szdd(detection, tmp_path)
    (found,) = kept({"NTLDR": b"the loader", "NTDETECT.CO_": packed, "TXTSETUP.SIF": XP_SETUP})
    assert (found.loader, found.detection) == (b"the loader", detection)
    (found,) = kept({"NTLDR": packed, "NTDETECT.COM": b"x", "TXTSETUP.SIF": XP_SETUP})
    assert found.loader == detection


@pytest.mark.parametrize("arch", [Architecture.X86, Architecture.X64])
def test_without_setups_text_the_kernel_beside_it_tells(arch: Architecture, machine_cache: Path) -> None:
    kernel = PortableExecutable("ntoskrnl.exe", arch, version=(5, 2, 3790, 3959))
    (found,) = kept({**LOADERS, "ntoskrnl.exe": content(File("\\ntoskrnl.exe", kernel), machine_cache)})
    assert (found.version, found.arch) == ((5, 2), pe.Architecture(arch))


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"ntldr": b"x", "TXTSETUP.SIF": XP_SETUP},
        {"ntldr": b"", "NTDETECT.COM": b"x", "TXTSETUP.SIF": XP_SETUP},
        dict(LOADERS),
        {**LOADERS, "ntoskrnl.exe": b"MZ" * 50},
        {**LOADERS, "TXTSETUP.SIF": b"[SetupData]\r\nMajorVersion=99999\r\nMinorVersion=1\r\n"},
        {**LOADERS, "TXTSETUP.SIF": b"[Other]\r\nMajorVersion=5\r\nMinorVersion=1\r\n"},
        {**LOADERS, "TXTSETUP.SIF": b"[SetupData]\r\n[Other]\r\nMajorVersion=5\r\nMinorVersion=1\r\n"},
        {**LOADERS, "TXTSETUP.SIF": b"[SetupData]\r\nMajorVersion=5\r\nMinorVersion=1\r\nArchitecture=alpha\r\n"},
        {"ntldr": bytes(5 << 20), "NTDETECT.COM": b"x", "TXTSETUP.SIF": XP_SETUP},
        {"ntldr": b"MSCF" + bytes(99), "NTDETECT.COM": b"x", "TXTSETUP.SIF": XP_SETUP},
    ],
)
def test_a_folder_of_which_the_release_or_a_file_is_not_known_is_passed_over(files: Mapping[str, bytes]) -> None:
    assert kept(files) == []


@pytest.mark.parametrize("folder", ["I386", "."])
def test_a_setup_medium(folder: str, tmp_path: Path) -> None:
    place = tmp_path / folder
    place.mkdir(exist_ok=True)
    for name, data in {"NTLDR": b"its loader", "NTDETECT.COM": b"its detection", "TXTSETUP.SIF": XP_SETUP}.items():
        (place / name).write_bytes(data)
    (found,) = of_medium(open_source(str(tmp_path)))
    assert (found.version, found.loader, found.detection) == ((5, 1), b"its loader", b"its detection")
    assert found.source.startswith(str(tmp_path))
    (place / "NTLDR").unlink()
    assert of_medium(open_source(str(tmp_path))) == ()


def donor(files: Mapping[str, bytes]) -> tuple[StartFiles, ...]:
    return of_machine(machine_of([FakePartition(windows_xp(files), active=True)]), "donor.vmdk")


def test_of_a_donor() -> None:
    (found,) = donor({"\\NTLDR": b"its loader", "\\ntdetect.com": b"its detection", "\\boot.ini": MENU})
    assert (found.version, found.arch, found.loader) == ((5, 1), pe.Architecture.X86, b"its loader")
    assert found.source == "disk 0 partition 1 of donor.vmdk (Windows XP)"


def test_a_donor_that_does_not_start_by_ntldr_gives_nothing() -> None:
    assert donor({"\\boot.ini": MENU}) == ()
    assert of_machine(machine_of([FakePartition(volume_of("\\bootmgr"), active=True)]), "donor.vmdk") == ()
    assert of_machine(machine_of([]), "floppy.img") == ()


def test_the_real_setup_text_of_a_64_bit_windows() -> None:
    path = Path(__file__).parents[4] / "shared/testdata/ms-setup-media/xp-x64-smolxp-modified/TXTSETUP.SIF"
    if not path.exists():
        pytest.skip("the real TXTSETUP.SIF is not here")
    (found,) = kept({**LOADERS, "TXTSETUP.SIF": path.read_bytes()})
    assert (found.version, found.arch) == ((5, 2), pe.Architecture.X64)
