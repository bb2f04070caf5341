"""What was meant by a command line that is wrong: the command that works, to be pasted. Loaded only for an error."""

import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

from bootgraft.errors import BootgraftError, UsageError

_ALIKE = 0.6
_MOST = 4
"""Commands that are printed at most."""
_SYNONYMS = {
    **dict.fromkeys(("fix", "heal", "inject", "convert", "graft", "mend"), "repair"),
    **dict.fromkeys(("info", "show", "list", "ls", "scan", "disks"), "inspect"),
    **dict.fromkeys(("diagnose", "verify", "test", "analyze", "analyse"), "check"),
    **dict.fromkeys(("revert", "rollback", "restore", "reset"), "undo"),
    **dict.fromkeys(("log", "logs", "explainlog"), "explain-log"),
    **dict.fromkeys(("journal", "journals", "changes"), "history"),
    **dict.fromkeys(("registry", "regedit", "hive"), "reg"),
    **dict.fromkeys(("driver", "harvest"), "drivers"),
    **dict.fromkeys(("controllers", "hypervisors"), "targets"),
    "version": "--version",
    "help": "--help",
}
"""What commands are called elsewhere."""
WITH_VALUE = frozenset({
    "--target", "--drivers", "--reg", "--file", "--boot-code", "--fix", "--skip", "--overlay", "--windows",
    "--secure-boot", "--symptom", "--vm", "--disk", "--journal", "--format", "--allow-path", "--out", "--arch",
    "--image",
})  # fmt: skip
"""Options that have a value, as far as they are left out of a command here."""
REPAIRS = frozenset({
    "--drivers", "--reg", "--file", "--boot-code", "--add-system-partition", "--fix", "--skip", "--overlay",
    "--isolate", "--reset-journal", "--discard-hibernation",
})  # fmt: skip
"""Options of ``repair`` that ``check`` does not have."""
CHECKS = frozenset({
    "--target", "--secure-boot", "--symptom", "--why", "--recommend", "--these-are-all-disks", "--windows",
})  # fmt: skip
"""Options of ``check`` that ``inspect`` does not have."""
_DIAGNOSES = frozenset({"--symptom", "--why"})
"""Options of ``check`` that ``repair`` does not have."""


def usage_error(message: str, program: str, usage: str) -> UsageError:
    """The error for what the parser of ``program``, a command, refuses; ``usage`` is its help."""
    said = ""
    choices: list[tuple[str, ...]] = []
    unknown = re.match(r"unrecognized arguments: (.*)", message)
    wrong = re.match(r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)", message)
    if unknown:
        said, near = _near_option(unknown[1].split(" "), usage)
        choices = [(each,) for each in near]
    elif wrong:
        said = wrong[2]
        choices = list(_near_choice(said, [each.strip("' ") for each in wrong[3].split(",")], wrong[1]))
    where = program.partition(" ")[2] or "command line"
    advice = f"For its usage, run:\n    {program} --help"
    return UsageError(message, where=where, advice=advice, said=said, choices=choices)


def advised(error: BootgraftError, words: Sequence[str]) -> BootgraftError:
    """Add to the advice the commands that were meant, as far as can be told; ``words`` are what was typed."""
    commands = list(dict.fromkeys(map(shlex.join, _commands(error, words))))[:_MOST]
    if commands:
        label = "Did you mean" if len(commands) == 1 else "Did you mean one of these"
        meant = "\n".join((f"{label}:", *(f"    {each}" for each in commands)))
        error.advice = f"{meant}\n{error.advice}"
    return error


def _commands(error: BootgraftError, words: Sequence[str]) -> Iterator[list[str]]:
    swapped = re.match(r"argument SUBCOMMAND: invalid choice: .* \(choose from (.*)\)", error.what)
    if swapped:  # the image before what is to be done with it
        known = [each.strip("' ") for each in swapped[1].split(",")]
        for number, word in enumerate(words[:3]):
            if word in known:
                yield ["bootgraft", words[0], word, *words[1:number], *words[number + 1 :]]
                return
    for choice in error.choices:
        yield ["bootgraft", *_instead(words, error.said, choice)]
    if not isinstance(error, UsageError) or error.choices or not words:
        return
    unknown = re.match(r"unrecognized arguments: (.*)", error.what)
    if unknown:
        yield from _elsewhere(words, [each.partition("=")[0] for each in unknown[1].split(" ")])
    elif error.what.endswith("required: LOG") and not sys.stdin.isatty():
        yield ["bootgraft", *words, "-"]


def _instead(words: Sequence[str], said: str, choice: Sequence[str]) -> list[str]:
    """The words with others in place of one; at the end where it is none of them."""
    for number, word in enumerate(words):
        if word == said:
            return [*words[:number], *choice, *words[number + 1 :]]
        option, sign, value = word.partition("=")
        if sign and said and value == said:
            return [*words[:number], option, *choice, *words[number + 1 :]]
        if sign and said and option == said:
            return [*words[:number], *choice, value, *words[number + 1 :]]
    return [*words, *choice]


def _near_option(unknown: Sequence[str], usage: str) -> tuple[str, list[str]]:
    """The first unknown option, and what of the command's own it is like."""
    said = next((each.partition("=")[0] for each in unknown if each.startswith("-")), "")
    known = list(dict.fromkeys(re.findall(r"(?<![\w-])--[a-z][a-z-]*", usage)))
    if said in REPAIRS | CHECKS or len(said) < 3:
        return said, []
    return said, get_close_matches(said.casefold().replace("_", "-"), known, 1, _ALIKE)


def _near_choice(said: str, known: Sequence[str], argument: str) -> Iterator[tuple[str, ...]]:
    """What may stand in place of a word that is none of the known ones."""
    meant = _SYNONYMS.get(said.casefold()) if argument == "COMMAND" else None
    if meant is not None:
        yield (meant,)
        return
    near = get_close_matches(said.casefold(), known, 2, _ALIKE)
    yield from ((each,) for each in near)
    if not near and Path(said).exists():  # the command itself was forgotten
        first = {"COMMAND": "check", "SUBCOMMAND": "list" if "list" in known else "verify"}.get(argument)
        if first is not None:
            yield (first, said)


def _elsewhere(words: Sequence[str], unknown: Sequence[str]) -> Iterator[list[str]]:
    """Commands that have the options which this one has not, or this one without them."""
    command, asked = words[0], frozenset(unknown)
    has_target = any(each.partition("=")[0] in ("--target", "--vm") for each in words)
    if command in ("inspect", "check") and asked & REPAIRS and has_target:
        kept = _without([each for each in words[1:] if each != "--dry-run"], _DIAGNOSES)
        yield ["bootgraft", "repair", *kept, "--dry-run"]
    elif command == "inspect" and asked & CHECKS:
        yield ["bootgraft", "check", *_without(words[1:], REPAIRS)]
    elif any(each.startswith("-") for each in asked):
        yield ["bootgraft", *_without(words, asked)]
    else:
        yield ["bootgraft", *(each for each in words if each not in asked)]


def _without(words: Sequence[str], options: frozenset[str]) -> Iterator[str]:
    """The words without these options and their values."""
    left = iter(words)
    for word in left:
        if word.partition("=")[0] not in options:
            yield word
        elif word in WITH_VALUE:
            next(left, None)
