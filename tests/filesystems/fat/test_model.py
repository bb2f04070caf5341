"""Random writes on a FAT volume against a dict, then fsck.fat and mtools."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from tests.filesystems.fat.images import FileDevice, assert_consistent, make, mtools

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.fat.volume import FatVolume, mount_fat

NAMES = st.one_of(
    st.sampled_from(["boot.ini", "NTLDR", "Long File Name.txt", "Long File Name 2.txt", "LONGFI~1.TXT", "größe.sys"]),
    st.text(st.sampled_from("abCD.~1 +"), min_size=1, max_size=20),
    st.text(max_size=30),
)
SIZES = st.integers(0, 6000)


class Machine(RuleBasedStateMachine):
    """The volume under test beside a dict of path to content, and the directories made."""

    image: Path
    paths = Bundle("paths")
    folders = Bundle("folders")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.copy = self.folder / "image"
        shutil.copyfile(self.image, self.copy)
        self.volume = self.mount()
        self.model: dict[str, bytes] = {}
        self.made: list[str] = []

    def mount(self) -> FatVolume:
        return mount_fat(FileDevice(self.copy), writable=True, name="test")

    @initialize(target=folders)
    def first_folders(self) -> MultipleResults[str]:
        return multiple("", "\\SUB", "\\sub\\deeper folder")

    @initialize(target=paths)
    def first(self) -> str:
        return self.put("\\first", b"")

    def put(self, path: str, content: bytes) -> str:
        self.volume.create(path, content)
        self.model[path] = content
        return path

    @rule(target=paths, folder=folders, name=NAMES, content=SIZES)
    def create(self, folder: str, name: str, content: int) -> str:
        try:
            return self.put(f"{folder}\\{name}", bytes(number % 253 for number in range(content)))
        except FileSystemError as error:
            assert any(known in error.what for known in ("there already", "can be called", "is full", "not there"))  # noqa: PT017
            return "\\first"

    @rule(target=folders, folder=folders, name=NAMES)
    def create_directory(self, folder: str, name: str) -> str:
        path = f"{folder}\\{name}"
        try:
            self.volume.create_directory(path)
        except FileSystemError as error:
            assert any(known in error.what for known in ("there already", "can be called", "is full", "not there"))  # noqa: PT017
            return ""
        assert self.volume.listdir(path) == ()
        self.made.append(path)
        return path

    @rule(path=paths, offset=SIZES, content=st.binary(max_size=3000))
    def write(self, path: str, offset: int, content: bytes) -> None:
        self.volume.write(path, offset, content)
        if content:
            old = self.model[path].ljust(offset, b"\0")
            self.model[path] = old[:offset] + content + old[offset + len(content) :]

    @rule(path=paths, size=SIZES)
    def truncate(self, path: str, size: int) -> None:
        self.volume.truncate(path, size)
        self.model[path] = self.model[path][:size].ljust(size, b"\0")

    @rule(path=paths, offset=SIZES, length=SIZES)
    def read(self, path: str, offset: int, length: int) -> None:
        assert self.volume.read(path, offset, length) == self.model[path][offset : offset + length]

    @rule()
    def mount_again(self) -> None:
        self.volume = self.mount()

    @invariant()
    def sizes_are_right(self) -> None:
        assert all(self.volume.stat(path).size == len(content) for path, content in self.model.items())

    def teardown(self) -> None:
        assert_consistent(self.copy)
        fresh = self.mount()
        for path, content in self.model.items():
            assert fresh.read(path) == content
            device = FileDevice(self.copy)
            assert b"".join(device.read(*extent) for extent in fresh.extents(path)) == content
        for path in self.made:
            inside = {each[len(path) + 1 :] for each in (*self.model, *self.made) if each.startswith(path + "\\")}
            assert {entry.name for entry in fresh.listdir(path)} >= {name for name in inside if "\\" not in name}
            entry = fresh.stat(path)
            assert (entry.is_directory, entry.size, entry.attributes) == (True, 0, 0x10)
        if self.model:
            target = self.folder / "first"
            mtools(self.copy, "mcopy", "::/first", str(target))
            assert target.read_bytes() == self.model["\\first"]
        shutil.rmtree(self.folder)


@pytest.mark.parametrize(
    ("options", "kib"),
    [(("-F", "12", "-s", "1"), 720), (("-F", "16", "-s", "1"), 4096), (("-F", "32", "-s", "1"), 33900)],
    ids=["fat12", "fat16", "fat32"],
)
def test_random_writes(tmp_path: Path, options: tuple[str, ...], kib: int) -> None:
    image = make(tmp_path / "template", *options, kib=kib)
    mtools(image, "mmd", "::/SUB", "::/SUB/deeper folder")
    machine = type("OnThisImage", (Machine,), {"image": image})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
