"""What must hold of every script of a kit, line by line."""

import re
from collections.abc import Iterator, Mapping

_GOTO = re.compile(r"\bgoto ([A-Za-z0-9]+)")
_CALL = re.compile(r"\bcall :([A-Za-z0-9]+)")
_FILES = re.compile(r'(?<![\w%\\"])(?:files|package|undo|further)\\[\w.\\-]+|\bdriver\.reg')
_COMMANDS = {
    "@echo", "rem", "setlocal", "pushd", "popd", "set", "if", "ver", "echo", "goto", "call", "del", "copy", "fc",
    "mkdir", "rmdir", "reg", "regedit", "type", "find", "findstr", "for", "dir", "exit",
}  # fmt: skip
NOT_IN_NT4 = re.compile(r"~dp0|exit /b|\breg (?:query|import|export)|pushd|popd|copy /y|usebackq|cd /d", re.I)
NOT_IN_2000 = re.compile(r"\breg (?:query|import|export)", re.I)


def faults(name: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """What is wrong with one script of a kit."""
    data = files[name]
    if not data.isascii():
        yield "not ASCII"
    if data.count(b"\n") != data.count(b"\r\n") or data.count(b"\r") != data.count(b"\r\n") or data[-2:] != b"\r\n":
        yield "line ends"
    lines = data.decode("latin-1").split("\r\n")[:-1]
    labels = [line[1:] for line in lines if line.startswith(":")]
    yield from (f"label {label} twice" for label in {each for each in labels if labels.count(each) > 1})
    for number, line in enumerate(lines, start=1):
        yield from (f"line {number}: {fault}" for fault in _line_faults(line, labels, files))
    if lines[0] != "@echo off":
        yield "it echoes"


def _line_faults(line: str, labels: list[str], files: Mapping[str, bytes]) -> Iterator[str]:
    if len(line) >= 120:
        yield f"{len(line)} characters"
    if line.startswith(":"):
        return
    yield from (f"goto {label}, which is nowhere" for label in _GOTO.findall(line) if label not in labels)
    yield from (f"call {label}, which is nowhere" for label in _CALL.findall(line) if label not in labels)
    if line.startswith(("echo ", "rem ")):
        if re.search(r"[&|<^!]", line):
            yield "characters of cmd.exe in a text"
        return
    word = line.partition(" ")[0]
    if word not in _COMMANDS and not re.fullmatch(r'"%SYS%\\pnputil\.exe"', word):
        yield f"unknown command {word}"
    if line.count('"') % 2:
        yield "a quote is open"
    if "!" in line or "^" in line:
        yield "delayed expansion"
    if not line.startswith("set AT="):
        yield from (f"{file} is not in the kit" for file in _FILES.findall(line) if file not in files)


def unused_labels(data: bytes) -> set[str]:
    """Labels that nothing leads to."""
    text = data.decode("ascii")
    labels = set(re.findall(r"^:(\w+)", text, re.M))
    return labels - set(_GOTO.findall(text)) - set(_CALL.findall(text))
