"""What a driver source is told by, and how it is opened."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.drivers.inf.infs import GOOD

from bootgraft.drivers.sources import is_package_source, open_source
from bootgraft.errors import DriverSourceError


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "disk.inf").write_text(GOOD)
    (folder / "other.inf").write_text(GOOD)
    return folder


def archives(package: Path) -> list[Path]:
    """The folder in every container, made by the tools that people make them with."""
    made = [package.parent / f"made.{kind}" for kind in ("zip", "iso", "cab")]
    commands: list[list[str | Path]] = [
        ["zip", "-q", "-r", made[0], "."],
        ["genisoimage", "-quiet", "-J", "-r", "-o", made[1], "."],
        ["gcab", "-c", made[2], "disk.inf", "other.inf"],
    ]
    for command in commands:
        subprocess.run(command, cwd=package, check=True, capture_output=True)
    return made


def test_folders_infs_and_archives_are_package_sources(package: Path) -> None:
    for source in (package, package / "disk.inf", *archives(package)):
        assert is_package_source(str(source)), source
        paths = [inf.path for inf in open_source(str(source)).infs()]
        assert paths == (["disk.inf"] if source.suffix == ".inf" else ["disk.inf", "other.inf"]), source


def test_the_name_of_an_archive_does_not_matter(package: Path) -> None:
    for number, archive in enumerate(archives(package)):
        plain = archive.rename(package.parent / f"plain{number}")
        assert is_package_source(str(plain))
        assert len(open_source(str(plain)).infs()) == 2


@pytest.mark.parametrize("content", [b"", b"MZ", bytes(40_000), b"KDMV" + bytes(600), b"# Disk DescriptorFile\n"])
def test_anything_else_is_opened_as_an_image(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(content)
    assert not is_package_source(str(path))


def test_what_cannot_be_looked_at_is_opened_as_an_image(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.inf")
    for location in (tmp_path / "absent.inf", tmp_path / "pipe.inf", "nbd://host/export", "a\0b"):
        assert not is_package_source(str(location))


def test_a_package_file_that_names_its_inf_in_capitals(package: Path) -> None:
    (package / "disk.inf").rename(package / "DISK.INF")
    (inf,) = open_source(str(package / "DISK.INF")).infs()
    assert inf.path == "DISK.INF"


def test_a_single_infs_files_lie_below_it(package: Path) -> None:
    deep = package / "a" / "b" / "c" / "d"
    deep.mkdir(parents=True)
    (deep / "far.sys").write_bytes(b"")
    (deep.parent.parent / "near.sys").write_bytes(b"")
    source = open_source(str(package / "disk.inf"))
    assert source.find("A\\B\\near.sys") == "a\\b\\near.sys"
    assert source.find("a\\b\\c\\d\\far.sys") is None


def test_what_is_cut_off_of_an_archive_is_told(package: Path) -> None:
    (package / "a.sys").write_bytes(os.urandom(900_000))  # lies before the INFs
    for archive in archives(package):
        archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 3])
        if not is_package_source(str(archive)):
            continue
        assert _is_told(str(archive)), archive


def _is_told(archive: str) -> bool:
    try:
        infs = open_source(archive).infs()
    except DriverSourceError as error:
        return archive in error.where
    return len(infs) < 2 or any(inf.fault for inf in infs)
