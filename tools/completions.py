"""The completions of shells, made from the parser: ``python -m tools.completions completions`` writes them there.

They are kept in the repository rather than made by the build: a build has neither the parser's dependencies nor a
reason to fail for the sake of a convenience, and a package of a distribution takes them as they are. A test makes them
anew and compares.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import shtab

from bootgraft.checks.catalogue import documentation
from bootgraft.cli.main import full_parser
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.targets.controllers import CONTROLLERS

SHELLS = ("bash", "fish", "zsh")
_FILES = {"FILE", "FILE.reg", "IMAGE", "PATH", "NAME=PATH", "SOURCE", "SYS", "LOG", "OUT.qcow2", "DIR|ZIP"}
"""What these are called by is a file's name; a folder where it is ``DIR``."""
_BASH = r"""
# bash takes : and = for the ends of words. What they cut apart is put together for shtab's function, which knows words
# of ours; of its answers bash wants what comes after the last of them. Where it has none, bash completes file names.
_bootgraft() {
  local line=("${COMP_WORDS[@]:0:COMP_CWORD}") last="${COMP_WORDS[COMP_CWORD]}" words=() word cut="" i
  for word in "${line[@]}" "$last"; do
    i=$((${#words[@]} - 1))
    if [[ $word == = && $i -gt 0 && ${words[i]} == --* ]]; then
      words+=("")  # --option=value is --option value
    elif [[ $i -gt 0 && ${words[i]} == "" && ${words[i-1]} == --* ]]; then
      words[i]=$word
    elif [[ $i -gt 0 && ( $word == : || ${words[i]} == *: ) ]]; then
      words[i]+=$word
    else
      words+=("$word")
    fi
  done
  COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1))
  _shtab_bootgraft
  word="${words[COMP_CWORD]}"
  if [[ $word == *:* ]]; then
    cut="${word%:*}:"
    COMPREPLY=("${COMPREPLY[@]#"$cut"}")
  fi
}

complete -o default -F _bootgraft bootgraft
"""


def completions(shell: str) -> str:
    """The completions of one of ``SHELLS``."""
    parser = full_parser()
    for action in _actions(parser):
        _say_what_completes(action, shell)
    made = shtab.complete(parser, shell)
    if shell == "bash":
        made = made[: made.rindex("\ncomplete ")] + _BASH
    return "".join(f"{line.rstrip()}\n" for line in made.rstrip().splitlines())


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _actions(each)
        else:
            yield action


def _say_what_completes(action: argparse.Action, shell: str) -> None:
    """Give an option what shtab looks for: its choices, or an attribute that argparse does not know."""
    if action.metavar == "T":
        action.choices = [each.target for each in CONTROLLERS]
        if shell == "zsh":  # where a colon ends a part of what is said of an option
            action.complete = {"zsh": f"({' '.join(action.choices)})".replace(":", r"\:")}  # type: ignore[attr-defined]
    elif action.metavar in ("ID", "ID|SYMPTOM") and action.dest != "windows":
        action.choices = sorted(doc.id for doc in documentation())
    elif action.metavar == "FORMAT":
        action.choices = [each.value for each in ImageFormat if each.qemu_driver]
    elif action.metavar in _FILES and shell != "bash":
        action.complete = shtab.FILE  # type: ignore[attr-defined]
    elif action.metavar == "DIR" and shell != "bash":
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]


def main() -> None:
    """Write the completions of all shells into a folder."""
    folder = Path(sys.argv[1])
    for shell in SHELLS:
        (folder / f"bootgraft.{shell}").write_text(completions(shell))


if __name__ == "__main__":
    main()
