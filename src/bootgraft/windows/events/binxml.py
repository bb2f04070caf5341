"""Binary XML: what is in a record of an EVTX log (libyal, "Windows XML Event Log (EVTX) format"; [MS-EVEN6] 2.2.12).

A record instantiates a template: a tree of elements with numbered gaps, and the values that fill them. Templates and
names lie anywhere in the record's chunk, where the first record that needed them was written, so a reading knows one
chunk. Trees and names are kept for all its records.

Everything may be hostile: trees are as deep as :data:`_MAX_DEPTH`, texts as long as :data:`_MAX_TEXT`, and every token
and value is paid for from one :class:`Budget` for the whole log.
"""

import struct
from collections.abc import Iterator

from msgspec import Struct

from bootgraft.windows.events.record import from_filetime

_MAX_DEPTH = 16
_MAX_NESTED = 3
_MAX_TEXT = 1024
_MAX_DATA = 64
_MAX_ARRAY = 8192
_BYTES_FOR_A_TOKEN = 32
_HAS_MORE = 0x40
_EOF, _ELEMENT, _CLOSE_START, _CLOSE_EMPTY, _END_ELEMENT, _VALUE, _ATTRIBUTE, _CDATA = range(8)
_CHARACTER, _ENTITY, _PI_TARGET, _PI_DATA, _TEMPLATE, _NORMAL, _OPTIONAL, _FRAGMENT = range(8, 16)
_NULL, _STRING, _ANSI = range(3)
_BOOLEAN, _FILETIME, _HEX32, _HEX64, _BINARY_XML, _STRINGS = 0x0D, 0x11, 0x14, 0x15, 0x21, 0x81
_INTEGERS = {3: "<b", 4: "<B", 5: "<h", 6: "<H", 7: "<i", 8: "<I", 9: "<q", 10: "<Q", 0x14: "<I", 0x15: "<Q"}
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_U16, _U32 = struct.Struct("<H"), struct.Struct("<I")
_NAME = struct.Struct("<IHH")
_DEFINITION = struct.Struct("<I16sI")  # next definition, GUID, size
_DESCRIPTOR = struct.Struct("<HBB")
UNREADABLE = (ValueError, IndexError, struct.error)
"""What reading a damaged record raises."""


class BudgetSpentError(Exception):
    """A log is too complicated to be read to its end."""


class Budget:
    """How many tokens and values a log may have."""

    def __init__(self, tokens: int) -> None:
        self._left = tokens

    def spend(self, size: int = 0) -> None:
        """Pay for one, and for the bytes of its text. Raises BudgetSpentError."""
        self._left -= 1 + size // _BYTES_FOR_A_TOKEN
        if self._left < 0:
            raise BudgetSpentError


class Gap(Struct, frozen=True):
    """A place in a template that the value of that number fills."""

    number: int


class BinaryElement(Struct, frozen=True):
    """One element of a template."""

    name: str
    attributes: tuple[tuple[str, "tuple[Part, ...]"], ...]
    content: "tuple[BinaryElement | Part, ...]"

    def child(self, name: str) -> "BinaryElement | None":
        """Its first child element of that name."""
        return next((each for each in self.content if isinstance(each, BinaryElement) and each.name == name), None)

    def attribute(self, name: str) -> "tuple[Part, ...]":
        """What makes up the value of that attribute; nothing where there is none."""
        return next((parts for each, parts in self.attributes if each == name), ())


Part = str | Gap
Values = tuple[tuple[int, int, int], ...]
"""Each value's type, and where it begins and ends in the chunk."""


class BinaryEvent(Struct, frozen=True):
    """One record's tree, with the values for its gaps."""

    root: BinaryElement
    values: Values


class Chunk:
    """One chunk's binary XML: ``data`` is the whole chunk."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        self._data = data
        self._budget = budget
        self._names: dict[int, tuple[str, int]] = {}
        self._templates: dict[int, BinaryElement] = {}

    def event(self, start: int) -> BinaryEvent:
        """The document at an offset. Raises one of :data:`UNREADABLE` for damage, BudgetSpentError."""
        position = start
        if self._data[position] == _FRAGMENT:
            position += 4
        token = self._data[position]
        if token == _TEMPLATE:
            return self._instance(position)
        if token & ~_HAS_MORE == _ELEMENT:
            return BinaryEvent(self._element(position, 0, in_template=False)[0], ())
        raise ValueError(token)

    def text(self, parts: "tuple[BinaryElement | Part, ...]", values: Values) -> str:
        """What texts and gaps come to, without the elements among them."""
        plain = (part for part in parts if not isinstance(part, BinaryElement))
        return "".join(part if isinstance(part, str) else self._filled(part, values) for part in plain)[:_MAX_TEXT]

    def data(self, event: BinaryEvent, nested: int = 0) -> Iterator[tuple[str, str]]:
        """What a record says besides its head: the elements of EventData, or the leaves of whatever stands there."""
        for each in event.root.content if event.root.name == "Event" else (event.root,):
            if isinstance(each, BinaryElement) and each.name != "System":
                yield from self._leaves(each, event.values, nested)
            elif isinstance(each, Gap):
                yield from self._nested(each, event.values, nested)

    def _leaves(self, element: BinaryElement, values: Values, nested: int) -> Iterator[tuple[str, str]]:
        self._budget.spend()
        children = [each for each in element.content if isinstance(each, BinaryElement)]
        for child in children:
            yield from self._leaves(child, values, nested)
        gaps = [each for each in element.content if isinstance(each, Gap)]
        if not children and len(gaps) == 1 and self._type(gaps[0], values) in (_STRINGS, _BINARY_XML):
            yield from self._spread(element, gaps[0], values, nested)
        elif element.name == "Data":
            yield self.text(element.attribute("Name"), values), self.text(element.content, values)
        elif not children and element.content:
            yield element.name, self.text(element.content, values)

    def _spread(self, element: BinaryElement, gap: Gap, values: Values, nested: int) -> Iterator[tuple[str, str]]:
        """A gap that stands for several elements: an array of strings, or XML of its own."""
        kind, start, end = values[gap.number]
        if kind == _BINARY_XML:
            yield from self._nested(gap, values, nested)
            return
        name = self.text(element.attribute("Name"), values)
        raw = self._data[start : min(end, start + _MAX_ARRAY)]
        self._budget.spend(len(raw))
        texts = raw.decode("utf-16-le", "replace").removesuffix("\0").split("\0")
        for text in texts[:_MAX_DATA]:
            yield name, text[:_MAX_TEXT]

    def _nested(self, gap: Gap, values: Values, nested: int) -> Iterator[tuple[str, str]]:
        if self._type(gap, values) == _BINARY_XML and nested < _MAX_NESTED:
            yield from self.data(self.event(values[gap.number][1]), nested + 1)

    def _instance(self, position: int) -> BinaryEvent:
        definition = _U32.unpack_from(self._data, position + 6)[0]
        position += 10
        if definition == position:
            position += _DEFINITION.size + _DEFINITION.unpack_from(self._data, position)[2]
        count = _U32.unpack_from(self._data, position)[0]
        position += 4
        start = position + count * _DESCRIPTOR.size
        if start > len(self._data):
            raise ValueError(count)
        values = []
        for place in range(position, start, _DESCRIPTOR.size):
            self._budget.spend()
            size, kind, _ = _DESCRIPTOR.unpack_from(self._data, place)
            values.append((kind, start, start + size))
            start += size
        if start > len(self._data):
            raise ValueError(start)
        return BinaryEvent(self._template(definition), tuple(values))

    def _template(self, definition: int) -> BinaryElement:
        if definition not in self._templates:
            position = definition + _DEFINITION.size
            if self._data[position] == _FRAGMENT:
                position += 4
            if self._data[position] & ~_HAS_MORE != _ELEMENT:
                raise ValueError(definition)
            self._templates[definition] = self._element(position, 0, in_template=True)[0]
        return self._templates[definition]

    def _element(self, position: int, depth: int, *, in_template: bool) -> tuple[BinaryElement, int]:
        """An element and where it ends; only those of templates have a dependency identifier."""
        self._budget.spend()
        if depth > _MAX_DEPTH:
            raise ValueError(depth)
        token = self._data[position]
        position += 7 if in_template else 5
        name, position = self._name(position)
        attributes = []
        if token & _HAS_MORE:
            position += 4
            more = True
            while more:
                self._budget.spend()
                token = self._data[position]
                if token & ~_HAS_MORE != _ATTRIBUTE:
                    raise ValueError(token)
                more = bool(token & _HAS_MORE)
                attribute, position = self._name(position + 1)
                parts, position = self._parts(position)
                attributes.append((attribute, parts))
        token = self._data[position]
        if token == _CLOSE_EMPTY:
            return BinaryElement(name, tuple(attributes), ()), position + 1
        if token != _CLOSE_START:
            raise ValueError(token)
        content, position = self._content(position + 1, depth, in_template=in_template)
        return BinaryElement(name, tuple(attributes), content), position

    def _content(
        self, position: int, depth: int, *, in_template: bool
    ) -> "tuple[tuple[BinaryElement | Part, ...], int]":
        found: list[BinaryElement | Part] = []
        while (token := self._data[position] & ~_HAS_MORE) != _END_ELEMENT:
            if token == _ELEMENT:
                element, position = self._element(position, depth + 1, in_template=in_template)
                found.append(element)
            elif token == _PI_TARGET:
                self._budget.spend()
                position = self._name(position + 1)[1]
            else:
                parts, position = self._parts(position)
                if not parts:
                    raise ValueError(token)
                found += parts
        return tuple(found), position + 1

    def _parts(self, position: int) -> tuple[tuple[Part, ...], int]:
        """The texts and gaps from a position on, and where they end."""
        found: list[Part] = []
        while True:
            token = self._data[position] & ~_HAS_MORE
            if token in (_VALUE, _CDATA, _PI_DATA):
                text, end = self._counted(position + (2 if token == _VALUE else 1))
                self._budget.spend(end - position)
                found.append("" if token == _PI_DATA else text)
            elif token in (_NORMAL, _OPTIONAL):
                found.append(Gap(_U16.unpack_from(self._data, position + 1)[0]))
                end = position + 4
            elif token == _CHARACTER:
                found.append(chr(_U16.unpack_from(self._data, position + 1)[0]))
                end = position + 3
            elif token == _ENTITY:
                name, end = self._name(position + 1)
                found.append(_ENTITIES.get(name, ""))
            else:
                return tuple(found), position
            self._budget.spend()
            position = end

    def _counted(self, position: int) -> tuple[str, int]:
        start = position + 2
        end = start + 2 * _U16.unpack_from(self._data, position)[0]
        if end > len(self._data):
            raise ValueError(end)
        return self._data[start:end].decode("utf-16-le", "replace"), end

    def _name(self, position: int) -> tuple[str, int]:
        """The name that the offset at a position leads to, and where reading goes on: it may lie right there."""
        offset = _U32.unpack_from(self._data, position)[0]
        if offset not in self._names:
            count = _NAME.unpack_from(self._data, offset)[2]
            start = offset + _NAME.size
            if count > _MAX_TEXT or start + 2 * count + 2 > len(self._data):
                raise ValueError(count)
            name = self._data[start : start + 2 * count].decode("utf-16-le", "replace")
            self._names[offset] = (name, start + 2 * count + 2)
        name, end = self._names[offset]
        return name, end if offset == position + 4 else position + 4

    @staticmethod
    def _type(gap: Gap, values: Values) -> int:
        return values[gap.number][0] if gap.number < len(values) else _NULL

    def _filled(self, gap: Gap, values: Values) -> str:
        if gap.number >= len(values):
            return ""
        kind, start, end = values[gap.number]
        raw = self._data[start : min(end, start + 2 * _MAX_TEXT)]
        self._budget.spend(len(raw))
        return _value_text(kind, raw)


def _value_text(kind: int, raw: bytes) -> str:
    """A value as text: what is no text, number or time as hexadecimal digits."""
    if kind == _NULL:
        return ""
    if kind in (_STRING, _STRINGS):
        return raw.decode("utf-16-le", "replace").rstrip("\0")
    if kind == _ANSI:
        return raw.decode("latin-1").rstrip("\0")
    if kind == _BOOLEAN:
        return "true" if any(raw) else "false"
    if kind in _INTEGERS:
        (number,) = struct.unpack(_INTEGERS[kind], raw)
        return hex(number) if kind in (_HEX32, _HEX64) else str(number)
    if kind == _FILETIME:
        time = from_filetime(struct.unpack("<Q", raw)[0])
        return "" if time is None else time.isoformat()
    return raw.hex().upper()
