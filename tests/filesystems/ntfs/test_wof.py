"""WOF-compressed files: made by wimcapture and the ntfs-3g driver; damaged streams are one clear error."""

import contextlib
import random
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.filesystems.ntfs.images import assert_consistent, blank, fill, mount
from tests.filesystems.ntfs.wof_images import captured, compressed, reparse_point, stream

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.ntfs import _libwim_build, wof
from bootgraft.filesystems.ntfs.wof import Algorithm, Compressed, algorithm

NOISE = random.Random(6).randbytes(40_000)
TEXT = b"".join(b"line %d of a driver\r\n" % number for number in range(9000))
CONTENT = TEXT[:100_000] + NOISE + TEXT[100_000:]  # chunks that shrink, and some that do not
KINDS = [each.name for each in Algorithm]


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wof")
    packed = {kind: captured(CONTENT, kind, folder / kind) for kind in KINDS}
    jobs = [job for kind in KINDS for job in compressed(f"{kind}.sys", CONTENT, kind, packed[kind])]
    jobs += compressed("one.sys", b"MZ" * 50, "LZX")
    image = blank(folder / "volume")
    return fill(image, *jobs, options="streams_interface=windows")


@pytest.mark.parametrize("kind", KINDS)
def test_the_content_of_a_compressed_file(volume: Path, kind: str) -> None:
    with mount(volume) as mounted:
        entry = mounted.stat(f"\\{kind}.sys")
        assert (entry.size, entry.is_wof_compressed, entry.wof_algorithm) == (len(CONTENT), True, Algorithm[kind])
        assert mounted.read(f"\\{kind}.sys") == CONTENT
        for offset, length in ((0, 1), (4095, 2), (32_767, 32_770), (len(CONTENT) - 5, 99), (len(CONTENT), 5)):
            assert mounted.read(f"\\{kind}.sys", offset, length) == CONTENT[offset : offset + length]
        assert mounted.read("\\one.sys") == b"MZ" * 50


@pytest.mark.parametrize("kind", KINDS)
def test_wimcapture_lays_a_stream_out_as_these_tests_do(kind: str, tmp_path: Path) -> None:
    packed = captured(CONTENT, kind, tmp_path)
    assert opened(packed, Algorithm[kind], len(CONTENT)).read(0, len(CONTENT)) == CONTENT
    table = 4 * (-(-len(CONTENT) // wof._CHUNKS[Algorithm[kind]][1]) - 1)
    assert packed[:table] == stream(CONTENT, kind)[:table]


def test_a_compressed_file_is_never_written(volume: Path) -> None:
    before = volume.read_bytes()
    with mount(volume, writable=True) as mounted:
        with pytest.raises(FileSystemError, match=r"compressed with WOF.*read but not changed here"):
            mounted.write("\\LZX.sys", 0, b"x")
        with pytest.raises(FileSystemError, match=r"compressed with WOF.*read but not changed here"):
            mounted.truncate("\\LZX.sys", 0)
    assert volume.read_bytes() == before
    assert_consistent(volume)


def test_without_the_library_the_file_is_refused_with_its_name(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wof._load.cache_clear()
    monkeypatch.setattr(wof, "LIBWIM", msgspec.structs.replace(wof.LIBWIM, soname="libwim.so.4711"))
    with mount(volume) as mounted, pytest.raises(FileSystemError, match=r"libwim\.so\.4711.*apt install libwim15 "):
        mounted.read("\\LZX.sys")
    wof._load.cache_clear()


@pytest.mark.parametrize(
    ("point", "found"),
    [
        (reparse_point(0), Algorithm.XPRESS4K),
        (reparse_point(1), Algorithm.LZX),
        (reparse_point(4), None),
        (reparse_point(0, provider=1), None),  # WIMBoot: the content is in a WIM file
        (reparse_point(0)[:20], None),
        (b"", None),
    ],
)
def test_what_a_reparse_point_says(point: bytes, found: Algorithm | None) -> None:
    assert algorithm(point) is found


def opened(data: bytes, kind: Algorithm, size: int) -> Compressed:
    return Compressed(kind, size, len(data), lambda offset, length: data[offset : offset + length], "x.sys")


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(list(Algorithm)),
    st.lists(st.sampled_from([TEXT[:5000], NOISE[:5000], b"\0" * 9000, b"x"]), max_size=12).map(b"".join),
    st.data(),
)
def test_every_part_of_every_content(kind: Algorithm, content: bytes, data: st.DataObject) -> None:
    made = opened(stream(content, kind.name), kind, len(content))
    offset = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, len(content) - offset))
    assert made.read(offset, length) == content[offset : offset + length]


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(list(Algorithm)), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1))
def test_a_damaged_stream_gives_bytes_or_one_clear_error(kind: Algorithm, changes: list[tuple[int, int]]) -> None:
    content = TEXT[:60_000]
    data = bytearray(stream(content, kind.name))
    for place, value in changes:
        data[place % len(data)] = value
    with contextlib.suppress(FileSystemError):
        assert len(opened(bytes(data), kind, len(content)).read(0, len(content))) == len(content)


@pytest.mark.parametrize("size", [2**31, 2**62])
def test_a_size_that_the_stream_cannot_have(size: int) -> None:
    data = stream(TEXT, "LZX")
    with pytest.raises(FileSystemError, match="WofCompressedData is damaged"):
        opened(data, Algorithm.LZX, size).read(size - 10, 10)


def test_the_generated_module_is_what_the_declarations_say() -> None:
    assert _libwim_build.TARGET.read_text() == _libwim_build.generate()


def test_every_declared_function_is_in_the_library() -> None:
    _, library = wof._load()
    names = re.findall(r"\b(wimlib_\w+)\(", _libwim_build.DECLARATIONS)
    assert len(names) == 3
    assert all(getattr(library, name) for name in names)
