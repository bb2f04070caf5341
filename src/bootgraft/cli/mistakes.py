"""What was meant by a command line that is wrong: the command that works, to be pasted. Loaded only for an error."""

import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from bootgraft.cli.images.repeated import TWICE
from bootgraft.errors import BootgraftError, DamagedImageError, ImageError, PartitionTableError, UsageError
from bootgraft.storage.confine import exists

_ALIKE = 0.6
_MOST = 4
"""Commands that are printed at most."""
_CLOSE = 0.8
_IMAGES = frozenset({".vmdk", ".qcow2", ".vhd", ".vhdx", ".vdi", ".raw", ".img"})
_EXTENT = re.compile(r"-(?:s\d{3}|f\d{3}|delta|sesparse|flat)\.vmdk$")
"""How files of a VMDK are called that its descriptor names."""
_DISK_OF_PARTITION = re.compile(r"(/dev/(?:sd|vd|xvd|hd)[a-z]+)\d+|(/dev/(?:nvme\d+n|mmcblk|nbd|loop)\d+)p\d+")
_SYNONYMS = {
    **dict.fromkeys(("fix", "heal", "inject", "convert", "graft"), "repair"),
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
    """Add to the advice the commands that were meant, as far as can be determined; ``words`` are what was typed."""
    commands = list(dict.fromkeys(map(shlex.join, _commands(error, words))))[:_MOST]
    if commands:
        label = "Did you mean" if len(commands) == 1 else "Did you mean one of these"
        meant = "\n".join((f"{label}:", *(f"    {each}" for each in commands)))
        error.advice = f"{meant}\n{error.advice}"
    return error


def _commands(error: BootgraftError, words: Sequence[str]) -> Iterator[list[str]]:
    """The commands that were meant, the likeliest first."""
    choices = [(error.said, choice) for choice in error.choices] or list(_choices(error, words))
    swapped = _swapped(error, words)
    if swapped:
        yield swapped
    elif choices:
        yield from (["bootgraft", *_instead(words, said, choice)] for said, choice in choices)
    elif isinstance(error, UsageError) and words:
        yield from _other_words(error, words)


def _choices(error: BootgraftError, words: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Words that are wrong, and what may stand in their place, as far as the error's own words tell."""
    if isinstance(error, ImageError):
        if isinstance(error, DamagedImageError) or not any(_is_path(each, error.where) for each in words):
            return
        # A command that writes is not turned on a disk that nobody named.
        is_named = words[:1] in (["inspect"], ["check"], ["history"]) or "--dry-run" in words
        yield from ((error.where, [str(each)]) for each in _files_for(Path(error.where), alike=is_named))
    elif isinstance(error, PartitionTableError):
        disk = _DISK_OF_PARTITION.fullmatch(error.where)
        if disk:
            yield error.where, [disk[1] or disk[2]]
    elif error.where.startswith("--journal ") and isinstance(error, UsageError):
        folder = Path(error.where.removeprefix("--journal "))
        is_new = "undo" not in words and "--resume" not in words
        names = [folder / "undo.journal"] if is_new else sorted(folder.glob("*.journal"))
        yield from ((str(folder), [str(each)]) for each in names if is_new is not each.exists())
    elif error.where == "--windows" and error.advice.startswith("There are: "):
        known = error.advice.removeprefix("There are: ").split(", ")
        said = error.what.rpartition(": ")[2]
        yield from ((said, [each]) for each in get_close_matches(said, known, 1, _ALIKE) or known if each != "none")


def _swapped(error: BootgraftError, words: Sequence[str]) -> list[str]:
    """The words in their order, where the image stands before what is to be done with it; none else."""
    known = re.match(r"argument SUBCOMMAND: invalid choice: .* \(choose from (.*)\)", error.what)
    names = [each.strip("' ") for each in known[1].split(",")] if known else []
    for number, word in enumerate(words[:3]):
        if word in names:
            return ["bootgraft", words[0], word, *words[1:number], *words[number + 1 :]]
    return []


def _other_words(error: UsageError, words: Sequence[str]) -> Iterator[list[str]]:
    unknown = re.match(r"unrecognized arguments: (.*)", error.what)
    if error.what == TWICE:
        yield from _once(words, error.where)
    elif unknown:
        yield from _elsewhere(words, [each.partition("=")[0] for each in unknown[1].split(" ")])
    elif error.what.endswith("required: LOG") and not sys.stdin.isatty():
        yield ["bootgraft", *words, "-"]


def _once(words: Sequence[str], disk: str) -> Iterator[list[str]]:
    """The words with the disk in one place less: the machine has it no more, or the option that names it is gone."""
    places = [number for number, word in enumerate(words) if word == disk]
    values = [number for number in places if words[number - 1] in WITH_VALUE]
    given = [number for number, word in enumerate(words) if not word.startswith("-") and number]
    images = [number for number in given if words[number - 1] not in WITH_VALUE]
    for number in (*(each for each in places if each in images and len(images) > 1), *values):
        first = number - (number in values)
        yield ["bootgraft", *words[:first], *words[number + 1 :]]


def _instead(words: Sequence[str], said: str, choice: Sequence[str]) -> list[str]:
    """The words with others in place of one; at the end where it is none of them."""
    for number, word in enumerate(words):
        if word == said or (said.startswith("/") and _is_path(word, said)):
            # An option in place of another's value takes the place of that one too.
            first = number - (bool(choice) and choice[0].startswith("--") and words[number - 1] in WITH_VALUE)
            return [*words[:first], *choice, *words[number + 1 :]]
        option, sign, value = word.partition("=")
        if sign and said and value == said:
            return [*words[:number], option, *choice, *words[number + 1 :]]
        if sign and said and option == said:
            return [*words[:number], *choice, value, *words[number + 1 :]]
    return [*words, *choice]


def _is_path(word: str, resolved: str) -> bool:
    if word.startswith("-") or word == resolved:
        return word == resolved
    try:
        return os.path.realpath(word) == resolved
    except (OSError, ValueError):  # the folder that we are in was removed, or the word can be no path
        return False


def _files_for(path: Path, *, alike: bool) -> list[Path]:
    """What may stand in place of a file that is no disk image: the disk that it belongs to, or one ``alike``."""
    found: list[Path] = []
    with suppress(OSError, ValueError):
        if path.is_dir():
            found = [each for each in sorted(path.iterdir()) if each.suffix.casefold() in _IMAGES and each.is_file()]
            found = found if alike or len(found) == 1 else []
        elif not path.exists() and alike:
            names = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
            found = [path.with_name(name) for name in get_close_matches(path.name, names, 2, _CLOSE)]
        elif _EXTENT.search(path.name):
            found = [path.with_name(_EXTENT.sub(".vmdk", path.name))]
    return [each for each in found if not _EXTENT.search(each.name) and each.exists()][:_MOST]


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
    first = {"COMMAND": "check", "SUBCOMMAND": "list" if "list" in known else "verify"}.get(argument)
    if first is not None and exists(Path(said)):  # the command itself was forgotten
        yield (first, said)
    yield from ((each,) for each in get_close_matches(said.casefold(), known, 2, _ALIKE))


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
