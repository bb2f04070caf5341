"""Registry values: what bytes mean, and that strange ones give None instead of an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootgraft.registry.values import Value, ValueType, dword_data, multi_data, text_data

names = st.text(st.characters(exclude_characters="\0"), min_size=1)


@given(names)
def test_text_round_trip(text: str) -> None:
    for kind in (ValueType.REG_SZ, ValueType.REG_EXPAND_SZ, ValueType.REG_LINK):
        assert Value("v", kind, text_data(text)).text() == text


@given(st.integers(0, 2**32 - 1))
def test_dword_round_trip(number: int) -> None:
    assert Value("v", ValueType.REG_DWORD, dword_data(number)).dword() == number
    assert Value("v", ValueType.REG_DWORD_BIG_ENDIAN, dword_data(number)[::-1]).dword() == number


@given(st.lists(names))
def test_multi_round_trip(items: list[str]) -> None:
    assert Value("v", ValueType.REG_MULTI_SZ, multi_data(items)).multi() == tuple(items)


def test_multi_refuses_an_empty_string() -> None:
    with pytest.raises(ValueError, match="empty"):
        multi_data(["a", "", "b"])


@pytest.mark.parametrize(
    ("data", "text"), [(b"", ""), (b"a\0", "a"), (b"a\0b", "a"), (b"a\0\0\0b\0", "a"), (b"\x00\xd8", "\ud800")]
)
def test_text_is_tolerant(data: bytes, text: str) -> None:
    assert Value("v", ValueType.REG_SZ, data).text() == text


def test_multi_without_its_last_terminators() -> None:
    assert Value("v", ValueType.REG_MULTI_SZ, "a\0b".encode("utf-16-le")).multi() == ("a", "b")


@given(st.integers(0, 2**32 - 1), st.binary(max_size=40))
def test_any_bytes_under_any_type_are_read(kind: int, data: bytes) -> None:
    value = Value("v", kind, data)
    assert (value.text() is None) == (kind not in (1, 2, 6))
    assert (value.multi() is None) == (kind != 7)
    assert (value.dword() is None) == (kind not in (4, 5) or len(data) != 4)
