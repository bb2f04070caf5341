"""``reg query``, ``reg export`` and ``reg verify``: what only reads."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from bootgraft.errors import HiveError
from bootgraft.jsontext import to_json
from bootgraft.registry.hive import Hive, Key
from bootgraft.registry.integrity.survey import DefectSeverity, Generation, IntegrityReport, survey
from bootgraft.registry.regexport import export as export_key
from bootgraft.report.documents.registry import (
    DefectDocument,
    ExportDocument,
    HiveDocument,
    QueryDocument,
    QueryValueDocument,
    VerifyDocument,
)
from bootgraft.report.layout.lines import PrintedLine, Text, Tone
from bootgraft.report.registry import key_document, key_lines, value_document, value_line
from bootgraft.text import counted
from bootgraft.worker.ipc.job import Outcome
from bootgraft.worker.ipc.registry_request import ANSI, RegistryAction, RegistryRequest
from bootgraft.worker.registry.hives import Hives, Located

DONE: Final = 0
NOT_THERE: Final = 1
NOT_WHOLE: Final = 1

_WHO: dict[Generation | None, str] = {
    Generation.UP_TO_2000: "Windows up to 2000",
    Generation.XP_WITHOUT_SP: "Windows XP without a service pack",
    Generation.SINCE_XP_SP1: "Windows XP SP1, Server 2003 or later",
    None: "the strictest Windows",
}
_DOES = {
    DefectSeverity.REJECTS: "does not load the hive for",
    DefectSeverity.DROPS: "loads the hive and takes away what is affected by",
    DefectSeverity.LOSES: "loads the hive and does not find what is affected by",
    DefectSeverity.TOLERATES: "loads and finds all of it in spite of",
}

Output = Callable[[bytes], None]
"""Takes the answer piece by piece: it may be as large as the hive."""


def read(
    hives: Hives, request: RegistryRequest, output: Output
) -> Outcome[QueryDocument | ExportDocument | None] | Outcome[VerifyDocument]:
    """Answer a request that only reads; the answer itself goes to ``output``."""
    if request.action is RegistryAction.VERIFY:
        return _verify(hives, request)
    located = hives.locate(request.key, request.hive)
    hive = hives.open(located.file)
    path = hives.for_reading(located)
    key = hive.key(path)
    if key is None:
        return _missing(f"There is no key {_full(located)} in {hive.name}.")
    name = _full(located, key, path)
    if request.action is RegistryAction.EXPORT:
        left: list[str] = []
        for piece in export_key(key, name, ansi=ANSI if request.ansi else None, leave_out=left.append):
            output(piece)
        return Outcome(
            NOT_WHOLE if left else DONE, ExportDocument(exported=True, left_out=tuple(left)), _left_out(left)
        )
    if request.value is not None:
        return _query_value(key, name, request, output)
    _query(key, name, request, output)
    return Outcome(DONE, None, ())


def _left_out(names: Sequence[str]) -> Text:
    """What to say of keys that .reg text cannot say."""
    return tuple(f"left out with all that is below it, as its name has a line end: {name!r}" for name in names)


def _missing(text: str) -> Outcome[QueryDocument]:
    return Outcome(NOT_THERE, QueryDocument(keys=(), missing=text), (text,))


def _full(located: Located, key: Key | None = None, path: str = "") -> str:
    """A key's full name, in the hive's own spelling where it is there; the current control set stays called so."""
    names = located.path.split("\\") if located.path else []
    if key is not None and len(path.split("\\")) == len(names):
        own = key.path.split("\\")
        names = own if path == located.path else [names[0], *own[1:]]
    return "\\".join([located.prefix, *(name for name in names if name)])


def _walk(key: Key, name: str, *, recursive: bool) -> Iterator[tuple[Key, str]]:
    for each in key.walk() if recursive else (key,):
        rest = each.path[len(key.path) :].lstrip("\\")
        yield each, f"{name}\\{rest}" if rest else name


def _query(key: Key, name: str, request: RegistryRequest, output: Output) -> None:
    if not request.as_json:
        for each, path in _walk(key, name, recursive=request.recursive):
            lines = key_lines(each, path, subkeys=not request.recursive)
            output("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))
        return
    # Key by key, as there may be a million: what stands around the keys is written as of a document without any.
    head, brackets, tail = to_json(QueryDocument(keys=())).encode().rpartition(b"[]")
    output(head + brackets[:1])
    separator = b""
    for each, path in _walk(key, name, recursive=request.recursive):
        output(separator + to_json(key_document(each, path)).encode())
        separator = b", "
    output(brackets[1:] + tail + b"\n")


def _query_value(key: Key, name: str, request: RegistryRequest, output: Output) -> Outcome[QueryDocument | None]:
    value = key.value(request.value or "")
    if value is None:
        return _missing(f"The key {name} has no value {request.value or '(Default)'}.")
    if request.as_json:
        document = QueryValueDocument(key=name, value=value_document(value))
        output(to_json(document).encode() + b"\n")
    else:
        output(f"{name}\n{value_line(value)}\n".encode("utf-8", "backslashreplace"))
    return Outcome(DONE, None, ())


def _verify(hives: Hives, request: RegistryRequest) -> Outcome[VerifyDocument]:
    places = hives.all() if request.hive is None else (hives.named(request.hive),)
    documents: list[HiveDocument] = []
    lines: list[str] = []
    unsound = 0
    for place in places:
        try:
            hive = hives.open(place)
            found = survey(hive, hives.generation)
        except HiveError as error:
            unsound += 1
            documents.append(HiveDocument(hive=str(place), error=error.what, defects=()))
            lines.append(f"UNUSABLE  {error.where}: {error.what}. {error.advice}.")
            continue
        unsound += not found.sound
        documents.append(_survey_document(str(place), hive, found, hives.generation))
        lines += _survey_lines(str(place), hive, found, hives.generation)
    count = counted(len(places), "hive")
    words = f"{count} verified: " + (f"{unsound} not sound." if unsound else "sound.")
    text: Text = (PrintedLine(words, tone=Tone.BAD if unsound else Tone.GOOD), "", *lines)
    return Outcome(NOT_THERE if unsound else DONE, VerifyDocument(hives=tuple(documents)), text)


def _survey_document(name: str, hive: Hive, found: IntegrityReport, generation: Generation | None) -> HiveDocument:
    return HiveDocument(
        hive=name,
        error=None,
        defects=msgspec.convert(found.defects, tuple[DefectDocument, ...], from_attributes=True),
        version=f"1.{hive.version}",
        pending_transactions=0 if hive.pending is None else hive.pending.transactions,
        keys=found.keys,
        values=found.values,
        bins_size=found.bins_size,
        free_bytes=found.free_bytes,
        unreachable_cells=found.unreachable,
        sound=found.sound,
        judged_for=generation,
    )


def _survey_lines(name: str, hive: Hive, found: IntegrityReport, generation: Generation | None) -> Iterator[str]:
    mark = "sound   " if found.sound else "DAMAGED "
    yield f"{mark}  {name}: version 1.{hive.version}, {found.keys} keys, {found.values} values"
    if hive.pending is not None:
        count = counted(hive.pending.transactions, "transaction")
        yield f"          read with {count} replayed that lie in its logs; reg recover writes them into it"
    for severity in DefectSeverity:
        told = [each for each in found.defects if each.severity is severity]
        if told and severity is not DefectSeverity.HARMLESS:
            yield f"          {_WHO[generation]} {_DOES[severity]}:"
        yield from (f"          {severity}: {each}" for each in told)
