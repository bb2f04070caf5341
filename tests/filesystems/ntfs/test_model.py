"""Any sequence of writes against a model: the files hold what the model holds, after remounting, and others stay."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from tests.filesystems.ntfs.images import assert_consistent, blank, mount

from bootgraft.filesystems.ntfs.volume import mount_ntfs
from bootgraft.storage.devices.blockdevice import check_range

NAMES = ("symmpi.sys", "SYSTEM", "boot.ini")
UNTOUCHED = bytes(range(256)) * 700
OPERATION = st.one_of(
    st.tuples(st.just("create"), st.sampled_from(NAMES), st.integers(0, 0), st.integers(0, 60_000)),
    st.tuples(st.just("write"), st.sampled_from(NAMES), st.integers(0, 90_000), st.integers(0, 30_000)),
    st.tuples(st.just("truncate"), st.sampled_from(NAMES), st.integers(0, 90_000), st.just(0)),
    st.tuples(st.just("remount"), st.just(""), st.just(0), st.just(0)),
)


class Memory(Struct):
    """Bytes as a block device."""

    content: bytearray

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int, /) -> bytes:
        check_range(self, offset, length, where="memory")
        return bytes(self.content[offset : offset + length])

    def write(self, offset: int, data: bytes, /) -> None:
        check_range(self, offset, len(data), where="memory")
        self.content[offset : offset + len(data)] = data

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    volume = blank(tmp_path_factory.mktemp("ntfs") / "volume", size=11 << 20)
    with mount(volume, writable=True) as mounted:
        mounted.create("\\untouched", UNTOUCHED)
    return volume


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=st.lists(OPERATION, max_size=12))
def test_files_hold_what_was_written(
    original: Path, tmp_path: Path, operations: list[tuple[str, str, int, int]]
) -> None:
    memory = Memory(bytearray(original.read_bytes()))
    model: dict[str, bytearray] = {}
    mounted = mount_ntfs(memory, writable=True, name="volume")
    for number, (what, name, offset, length) in enumerate(operations):
        data = bytes([number + 1]) * length
        path = f"\\{name.swapcase()}"
        if what == "create" and name not in model:
            mounted.create(f"\\{name}", data)
            model[name] = bytearray(data)
        elif what == "write" and name in model:
            mounted.write(path, offset, data)
            if length or offset > len(model[name]):
                model[name].extend(bytes(max(0, offset - len(model[name]))))
            model[name][offset : offset + length] = data
        elif what == "truncate" and name in model:
            mounted.truncate(path, offset)
            model[name] = model[name][:offset].ljust(offset, b"\0")
        elif what == "remount":
            mounted.close()
            mounted = mount_ntfs(memory, writable=True, name="volume")
    assert {name: mounted.read(f"\\{name}") for name in model} == model
    mounted.close()
    with mount_ntfs(memory, writable=False, name="volume") as again:
        assert {entry.name for entry in again.listdir("\\")} == {*model, "untouched"}
        assert {entry.name: entry.size for entry in again.listdir("\\")} == {
            **{name: len(content) for name, content in model.items()},
            "untouched": len(UNTOUCHED),
        }
        assert {name: again.read(f"\\{name}") for name in model} == model
        assert again.read("\\untouched") == UNTOUCHED
    written = tmp_path / "written"
    written.write_bytes(memory.content)
    assert_consistent(written)
