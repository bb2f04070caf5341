"""Lines of a converter's output within JSON: of containers, of journald, of structured loggers, of Ansible.

- Docker: ``{"log":"text\\n","stream":"stderr","time":"…"}`` (https://docs.docker.com/engine/logging/drivers/json-file)
- ``journalctl -o json``: ``{"MESSAGE": "text", "SYSLOG_IDENTIFIER": …}``; a text that is not printable is a list of
  bytes (https://systemd.io/JOURNAL_EXPORT_FORMATS)
- zap, slog, zerolog, bunyan: ``{"level": "info", "ts": …, "msg": "text", "error": …}``
- Ansible: ``fatal: [host]: FAILED! => {"msg": …, "stderr": "text\\ntext", "stdout": …}``
  (https://github.com/os-migrate/os-migrate/issues/513)
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from bootgraft.explain.wrapping.textlayers import RANKS, Layer, program, unquoted

_ANSIBLE = re.compile(r"(?:fatal|failed|changed|ok): \[[^\]]{1,200}\].{0,300}?=> ?(?=\{)")
_MEMBERS = re.compile(r'"(?:msg|message|stderr|stdout|module_stderr|module_stdout|log|MESSAGE)": ?"((?:[^"\\]|\\.)*)')
_OUTPUTS = ("msg", "stdout", "stderr", "module_stdout", "module_stderr", "exception")
_DOCKER = {"log", "stream", "time", "attrs"}
_SERIOUS = 3
"""syslog's "err", and what is graver."""


def pieces(text: str) -> tuple[Layer, ...]:
    """What is within, empty where it is no such JSON (virt-v2v's own, for one)."""
    start = 0
    if not text.startswith("{"):
        found = _ANSIBLE.match(text)
        if not found:
            return ()
        start = found.end()
    try:
        document = json.loads(text[start:])
    except (ValueError, RecursionError):  # cut off, or with something behind it
        return tuple(Layer(unquoted(each)) for each in _MEMBERS.findall(text, start)) if start else ()
    return tuple(_members(document)) if isinstance(document, dict) else ()


def _members(document: dict[str, object]) -> Iterator[Layer]:
    if "MESSAGE" in document:
        yield _journal(document)
    elif isinstance(document.get("log"), str):
        yield _container(document)
    elif "rc" in document or "changed" in document:
        for name in _OUTPUTS:
            if _text(document, name):
                yield Layer(_text(document, name), stream=name)
    elif "msg" in document or ("message" in document and "type" not in document):
        yield _structured(document)


def _journal(document: dict[str, object]) -> Layer:
    message = document["MESSAGE"]
    if isinstance(message, list):
        bytes_of = (each for each in message if isinstance(each, int) and 0 <= each < 256)
        message = bytes(bytes_of).decode("utf-8", "replace")
    ident = _text(document, "SYSLOG_IDENTIFIER") or _text(document, "_COMM")
    pid = _text(document, "SYSLOG_PID") or _text(document, "_PID")
    priority = _text(document, "PRIORITY")
    rank = "error" if priority.isdecimal() and int(priority[:3]) <= _SERIOUS else ""
    stamp = _moment(_text(document, "__REALTIME_TIMESTAMP"))
    run, stream = program(ident[:128], pid[:10])
    return Layer(message if isinstance(message, str) else "", stamp, rank, stream, run)


def _container(document: dict[str, object]) -> Layer:
    log = _text(document, "log")
    goes_on = not log.endswith("\n") and document.keys() <= _DOCKER and "time" in document
    return Layer(log, _text(document, "time")[:40], stream=_text(document, "stream")[:20], goes_on=goes_on)


def _structured(document: dict[str, object]) -> Layer:
    text = _text(document, "msg") or _text(document, "message")
    error = _text(document, "error") or _text(document, "err")
    stamp = next((_time(document[name]) for name in ("ts", "time", "timestamp") if name in document), "")
    rank = RANKS.get(_text(document, "level").lower(), "")
    return Layer(f"{text}: {error}" if error else text, stamp[:40], rank)


def _text(document: dict[str, object], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _time(value: object) -> str:
    """A text as it is; seconds since 1970, as zap writes them, as a date."""
    if isinstance(value, int | float) and 0 < value < 1e10:
        return _moment(str(int(value * 1e6)))
    return value if isinstance(value, str) else ""


def _moment(microseconds: str) -> str:
    if not microseconds.isdecimal() or len(microseconds) > 17:
        return ""
    return datetime.fromtimestamp(int(microseconds) // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
