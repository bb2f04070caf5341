"""Random writes on a FAT volume against a dict, then fsck.fat and mtools."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.filesystems.fat_images import FileDevice, assert_consistent, make, mtools

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.fat import FatVolume, mount_fat

NAMES = st.one_of(
    st.sampled_from(["boot.ini", "NTLDR", "Long File Name.txt", "Long File Name 2.txt", "LONGFI~1.TXT", "größe.sys"]),
    st.text(st.sampled_from("abCD.~1 +"), min_size=1, max_size=20),
    st.text(max_size=30),
)
SIZES = st.integers(0, 6000)


class Machine(RuleBasedStateMachine):
    """The volume under test beside a dict of folded path to content."""

    image: Path
    paths = Bundle("paths")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.copy = self.folder / "image"
        shutil.copyfile(self.image, self.copy)
        self.volume = self.mount()
        self.model: dict[str, bytes] = {}

    def mount(self) -> FatVolume:
        return mount_fat(FileDevice(self.copy), writable=True, name="test")

    @initialize(target=paths)
    def first(self) -> str:
        return self.put("\\first", b"")

    def put(self, path: str, content: bytes) -> str:
        self.volume.create(path, content)
        self.model[path] = content
        return path

    @rule(target=paths, folder=st.sampled_from(["", "\\SUB", "\\sub\\deeper folder"]), name=NAMES, content=SIZES)
    def create(self, folder: str, name: str, content: int) -> str:
        try:
            return self.put(f"{folder}\\{name}", bytes(number % 253 for number in range(content)))
        except FileSystemError as error:
            assert "there already" in error.what or "can be called" in error.what or "not there" in error.what  # noqa: PT017
            return "\\first"

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
