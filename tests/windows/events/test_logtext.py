"""The ends of text logs."""

from tests.windows.events.logfiles import file_of

from bootgraft.windows.events.logtext import TAIL, last_lines


def test_either_encoding() -> None:
    lines = ["one", "tw\xf6", ""]
    assert last_lines(file_of("\r\n".join(lines).encode("latin-1"))) == lines
    assert last_lines(file_of(b"\xff\xfe" + "\r\n".join(lines).encode("utf-16-le"))) == lines


def test_only_the_end_of_a_long_one() -> None:
    data = b"\xff\xfe" + ("x" * 998 + "\r\n").encode("utf-16-le") * 1000 + "last".encode("utf-16-le")
    found = last_lines(file_of(data))
    assert found[-1] == "last"
    assert len(found) < TAIL // 1900
    assert len(last_lines(file_of(b"\n" * TAIL * 2))) == 16384
    assert {len(line) for line in found[1:-1]} == {400}
