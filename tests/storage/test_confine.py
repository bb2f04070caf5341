"""Which files an image may name."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.errors import ImageError
from bootgraft.storage.confine import Confinement, has_protocol, resolve


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("disk.vmdk", False),
        ("nbd:host:1", True),
        ("json:{}", True),
        ("C:\\vm\\disk.vmdk", True),
        ("./a:b", False),
        ("/a:b", False),
        (":", True),
        ("", False),
    ],
)
def test_protocols_are_told_as_qemu_tells_them(name: str, expected: bool) -> None:
    assert has_protocol(name) is expected


def test_the_own_folder_and_what_is_allowed(tmp_path: Path) -> None:
    image = tmp_path / "vm" / "disk.vmdk"
    (tmp_path / "vm" / "sub").mkdir(parents=True)
    (tmp_path / "allowed").mkdir()
    (tmp_path / "vm-other").mkdir()
    confinement = Confinement.around(image, [tmp_path / "allowed"])
    assert confinement.admit("a", named_by=image) == tmp_path / "vm" / "a"
    assert confinement.admit("sub/a", named_by=image) == tmp_path / "vm" / "sub" / "a"
    assert confinement.admit("../allowed/a", named_by=image) == tmp_path / "allowed" / "a"
    for name in ("../a", "../vm-other/a", "/etc/shadow", "sub/../../a", "a:b", "", "a\0b"):
        with pytest.raises(ImageError):
            confinement.admit(name, named_by=image)


def test_links_are_followed_before_judging(tmp_path: Path) -> None:
    image = tmp_path / "vm" / "disk.vmdk"
    (tmp_path / "vm").mkdir()
    (tmp_path / "vm" / "out").symlink_to("/etc")
    (tmp_path / "vm" / "loop").symlink_to("loop")
    confinement = Confinement.around(image, ())
    for name in ("out/shadow", "loop"):
        with pytest.raises(ImageError):
            confinement.admit(name, named_by=image)


@settings(max_examples=200, deadline=None)
@given(name=st.text(max_size=300))
def test_no_name_leads_out(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    try:
        found = Confinement((folder,)).admit(name, named_by=folder / "disk")
    except ImageError:
        return
    assert found.is_relative_to(folder)


def test_an_impossible_path_is_one_error() -> None:
    with pytest.raises(ImageError):
        resolve(Path("a\0b"))


def test_links_in_a_circle_are_one_error_and_what_is_missing_is_none(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "there").symlink_to("back/again")
    (tmp_path / "back").symlink_to("there")
    for name in ("circle", "circle/disk", "there"):
        with pytest.raises(ImageError, match="its path cannot be followed"):
            resolve(tmp_path / name)
    (tmp_path / "dangling").symlink_to("missing")
    assert resolve(tmp_path / "dangling") == tmp_path / "missing"
