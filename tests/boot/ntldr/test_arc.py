"""ARC paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootgraft.boot.ntldr.arc import ArcKind, ArcPath, parse_arc

paths = st.builds(
    ArcPath,
    st.sampled_from(ArcKind),
    st.integers(0, 99999),
    st.integers(0, 99999),
    st.integers(0, 99999),
    st.integers(0, 99999),
)


@given(paths, st.text())
def test_what_is_written_is_read(path: ArcPath, rest: str) -> None:
    assert parse_arc(str(path) + rest) == (path, rest)
    assert parse_arc(str(path).upper() + rest) == (path, rest)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("multi(0)disk(0)rdisk(1)partition(2)", ArcPath(ArcKind.MULTI, 0, 0, 1, 2)),
        ("scsi(1)disk(33)rdisk(0)partition(1)", ArcPath(ArcKind.SCSI, 1, 33, 0, 1)),
        ("signature(4d859)disk(2)rdisk(0)partition(3)", ArcPath(ArcKind.SIGNATURE, 0x4D859, 2, 0, 3)),
        ("SIGNATURE(1B6A39D4)DISK(1)RDISK(0)PARTITION(1)", ArcPath(ArcKind.SIGNATURE, 0x1B6A39D4, 1, 0, 1)),
    ],
)
def test_the_three_kinds(text: str, path: ArcPath) -> None:
    assert parse_arc(text + "\\WINDOWS") == (path, "\\WINDOWS")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "C:\\",
        "multi(0)disk(0)rdisk(0)",
        "multi(0)disk(0)rdisk(0)partition()",
        "multi(0) disk(0)rdisk(0)partition(1)",
        "multi(-1)disk(0)rdisk(0)partition(1)",
        "multi(٣)disk(0)rdisk(0)partition(1)",
        "signature(123456789)disk(0)rdisk(0)partition(1)",
        "net(0)disk(0)rdisk(0)partition(1)",
        "multi(0)disk(0)rdisk(0)partition(" + "9" * 5000 + ")",
    ],
)
def test_what_is_no_arc_path(text: str) -> None:
    assert parse_arc(text) is None
