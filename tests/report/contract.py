"""``docs/json.md`` as a judge: its notation is read, and documents are compared with it member by member.

The notation: ``"name"`` is a member of any value, ``"name": x`` one of that form; ``a|b`` is either; ``[x, …]`` a list
of such; ``{…as above…}`` a document described elsewhere. One text alone is an example (but for "kind" and "schema"),
several are all that occur.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct
from tests.report.schemas import schema_faults

from bootgraft.jsontext import to_json

PAGE = Path(__file__).parents[2] / "docs" / "json.md"

_TOKEN = re.compile(r'\s*("[^"]*"|\{…[^}]*…\}|[{}\[\],:|…]|[a-z0-9]+)')


class Anything(Struct, frozen=True):
    """Any value."""


class Literal(Struct, frozen=True):
    """A text, or one of the words true, false, null, a number, or a word that stands for a text (hex, path)."""

    word: str


class Either(Struct, frozen=True):
    """One of several forms."""

    forms: tuple["Form", ...]


class List(Struct, frozen=True):
    """A list whose elements have this form."""

    element: "Form"


class Members(Struct, frozen=True):
    """An object with exactly these members."""

    members: dict[str, "Form"]


class Reference(Struct, frozen=True):
    """A document that is described elsewhere."""

    text: str


Form = Anything | Literal | Either | List | Members | Reference


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = [match[1] for match in _TOKEN.finditer(text)]
        self._at = 0

    def forms(self) -> Iterator[Form]:
        while self._at < len(self._tokens):
            yield self._form()

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self._peek()
        assert not wanted or token == wanted, (wanted, self._tokens[self._at - 5 : self._at + 5])
        self._at += 1
        return token

    def _form(self) -> Form:
        forms = [self._single()]
        while self._peek() == "|":
            self._take()
            forms.append(self._single())
        return forms[0] if len(forms) == 1 else Either(tuple(forms))

    def _single(self) -> Form:
        token = self._take()
        if token.startswith("{…"):
            return Reference(token.strip("{}…"))
        if token == "{":
            return self._members()
        if token == "[":
            return self._list()
        return Literal(token)

    def _members(self) -> Form:
        members: dict[str, Form] = {}
        while self._peek() != "}":
            name = self._take().strip('"')
            members[name] = Anything()
            if self._peek() == ":":
                self._take()
                members[name] = self._form()
            if self._peek() == ",":
                self._take()
        self._take("}")
        return Members(members)

    def _list(self) -> Form:
        elements = []
        while self._peek() != "]":
            if self._peek() in (",", "…"):
                self._take()
            else:
                elements.append(self._form())
        self._take("]")
        return List(elements[0] if elements else Anything())


def _section(title: str) -> str:
    return PAGE.read_text().split(f"\n## {title}\n", 1)[1].split("\n## ")[0]


def _blocks(title: str) -> list[list[Form]]:
    return [list(_Reader(block).forms()) for block in re.findall(r"```\n(.*?)```", _section(title), re.S)]


def _inline(title: str) -> list[Form]:
    codes = re.findall(r"`(\{.*?\})`", _section(title), re.S)
    return [form for code in codes for form in _Reader(code).forms()]


def contract() -> dict[str, Form]:
    """The forms of the page by name: inspect, check, repair, change, undo, reconnect, drivers (three), and so on."""
    (inspect,), (check,), (undo,) = _blocks("inspect")[0], _blocks("check")[0], _blocks("undo")[0]
    (repair,), changes = _blocks("repair")
    (resumed,) = (form for form in _inline("repair") if isinstance(form, Members) and "schema" in form.members)
    (reconnect,) = _blocks("reconnect")[0]
    (history,) = _blocks("history")[0]
    (listed,), (shown,), (harvested,) = _blocks("drivers")
    (kit,) = _blocks("kit")[0]
    targets, doctor = _inline("targets, doctor")
    (explained,) = _blocks("explain-log")[0]
    (event,) = (
        next(_Reader(each).forms())
        for each in re.findall(r"`(\{\"schema\": \"bootgraft-event/1\".*?)`", PAGE.read_text(), re.S)
    )
    error = next(_Reader(re.findall(r"An error .*? is `(.*?)`", PAGE.read_text())[0]).forms())
    assert isinstance(inspect, Members)
    return {
        "inspect": inspect, "check": check, "repair": repair, "change": Either(tuple(changes)), "undo": undo,
        "history": history, "resume": resumed,
        "drivers-list": listed, "drivers-show": shown, "drivers-harvest": harvested, "kit": kit,
        "reconnect": reconnect, "targets": targets, "event": event, "doctor": doctor,
        "explain-log": explained, "error": error,
    }  # fmt: skip


def printed(document: object) -> Any:
    """A document of the code as it arrives."""
    return json.loads(to_json(document))


def faults(document: Any, name: str) -> list[str]:
    """Where a document is not what the page and its schema say; empty where it is."""
    forms = contract()
    inspect = forms["inspect"]
    assert isinstance(inspect, Members)
    windows = inspect.members["windows"]
    assert isinstance(windows, List)
    known = {"as above": windows.element, "a check document": forms["check"]}
    found = list(_faults(document, forms[name], name, known))
    if name == "repair" and not found:
        for number, change in enumerate(document["changes"]):
            found += _faults(change, forms["change"], f"changes[{number}]", known)
    return found or schema_faults(document)


def _faults(value: Any, form: Form, at: str, known: dict[str, Form]) -> Iterator[str]:
    match form:
        case Reference(text):
            yield from _faults(value, known[text], at, known)
        case Members(members):
            yield from _member_faults(value, members, at, known)
        case List(element):
            yield from _list_faults(value, element, at, known)
        case Either(forms) if not _is_one_of(value, forms, at, known):
            yield f"{at} is none of what is listed: {value!r}"
        case Literal(word) if not _is_literal(value, word, exact=at.endswith((".kind", ".schema"))):
            yield f"{at} is not {word}: {value!r}"


def _member_faults(value: Any, members: dict[str, Form], at: str, known: dict[str, Form]) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at} is no object: {value!r}"
    elif set(value) != set(members):
        yield f"{at} differs in {sorted(set(value) ^ set(members))}"
    else:
        for name, inner in members.items():
            yield from _faults(value[name], inner, f"{at}.{name}", known)


def _list_faults(value: Any, element: Form, at: str, known: dict[str, Form]) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{at} is no list: {value!r}"
        return
    for number, each in enumerate(value):
        yield from _faults(each, element, f"{at}[{number}]", known)


def _is_one_of(value: Any, forms: tuple[Form, ...], at: str, known: dict[str, Form]) -> bool:
    texts = [form.word.strip('"') for form in forms if isinstance(form, Literal) and form.word.startswith('"')]
    if isinstance(value, str) and len(texts) > 1:
        return value in texts
    return any(not list(_faults(value, form, at, known)) for form in forms)


def _is_literal(value: Any, word: str, *, exact: bool) -> bool:
    if word in ("true", "false", "null"):
        return value is {"true": True, "false": False, "null": None}[word]
    if word.isdecimal():
        return type(value) is int
    return isinstance(value, str) and (not exact or value == word.strip('"'))
