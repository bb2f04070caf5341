"""XML of strangers: what attacks need is refused with one message, in no time."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.errors import VmDescriptionError
from bootgraft.targets.descriptions.xmltree import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    XmlElement,
    encoding_of,
    parse_xml,
    start_tag,
)

PATH = Path("vm.xml")
BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE domain [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<domain><name>&c;</name></domain>"""
EXTERNAL = b'<!DOCTYPE domain [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<domain><name>&x;</name></domain>'
PARAMETER = b'<!DOCTYPE domain SYSTEM "http://127.0.0.1:9/evil.dtd">\n<domain/>'


@pytest.mark.parametrize("data", [BOMB, EXTERNAL, PARAMETER, BOMB.decode().encode("utf-16")])
def test_a_document_type_is_refused(data: bytes) -> None:
    with pytest.raises(VmDescriptionError, match=r"has a document type \(DOCTYPE\)"):
        parse_xml(data, PATH)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1), "more elements than any description"),
        (b"<a>" + b"<b/>" * MAX_ELEMENTS + b"</a>", "more elements than any description"),
        (b"<a>&lol;</a>", "it is no sound XML"),
        (b"<a><b></a>", "line 1: it is no sound XML"),
        (b"", "it is no sound XML"),
        (b"<a>\xff</a>", "it is no sound XML"),
        (b"<?xml version='1.0' encoding='klingon'?><a/>", "encoding|no sound XML"),
    ],
)
def test_refused(data: bytes, what: str) -> None:
    with pytest.raises(VmDescriptionError, match=what) as fault:
        parse_xml(data, PATH)
    assert str(fault.value).count("\n") == 0


def test_the_tree() -> None:
    root = parse_xml(b"<x:a xmlns:x='u'>\n <b x:n='1'>t<c/></b><b>v</b>\n</x:a>", PATH)
    assert (root.name, [child.name for child in root.children]) == ("a", ["b", "b"])
    assert [each.text for each in root.all("b")] == ["t", "v"]
    assert (root.attribute(("b",), "n"), root.value("b"), root.value("no"), root.first("no")) == ("1", "t", "", None)
    assert [child.line for child in root.children] == [2, 2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_places_are_bytes_of_the_file(encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding}'?>\n<a ü='>'>é<b  x=\"/>\" /><c></c></a>"
    data = text.encode(encoding)
    root = parse_xml(data, PATH)
    own = encoding_of(data)
    assert start_tag(data, root, own) == "<a ü='>'>"
    empty, full = root.children
    assert start_tag(data, empty, own) == '<b  x="/>" />'
    assert data[empty.start : empty.end].decode(own) == '<b  x="/>" />'
    assert data[full.start : full.end].decode(own) == "<c>"


@settings(deadline=None)  # the first example loads modules
@given(st.binary(max_size=300) | st.text(alphabet="<>/ab=\"' &;!-[]?", max_size=80).map(str.encode))
def test_garbage_is_read_or_refused(data: bytes) -> None:
    with suppress(VmDescriptionError):
        assert isinstance(parse_xml(data, PATH), XmlElement)
