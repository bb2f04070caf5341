"""What the shells offer when Tab is pressed, asked of the shells themselves."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from tools.completions import SHELLS, completions

from bootgraft.checks.catalogue import documentation
from bootgraft.targets.controllers import CONTROLLERS

FOLDER = Path(__file__).parent.parent.parent / "completions"
WORDS = {
    "": ({"check", "repair", "undo", "reg"}, {"--json"}),
    "rep": ({"repair"}, {"check"}),
    "check --": ({"--target", "--vm", "--why", "--json"}, {"--drivers"}),
    "repair --dr": ({"--drivers", "--dry-run"}, {"--disk"}),
    "reg ": ({"query", "export", "recover"}, {"list"}),
    "reg se": ({"set"}, {"query"}),
    "reg set --all": ({"--all-control-sets", "--allow-path"}, {"--hive"}),
    "drivers show --t": ({"--target", "--timeout"}, {"--out"}),
    "repair --format v": ({"vmdk", "vhdx", "vdi"}, {"raw"}),
    "check --secure-boot ": ({"on", "off"}, set()),
    "check --target kvm:v": ({"kvm:virtio-blk", "kvm:virtio-scsi"}, {"vmware:pvscsi"}),
    "check disk.img --target vmware:ls": ({"vmware:lsilogic", "vmware:lsisas1068"}, {"vmware:pvscsi"}),
    "repair --target vmware:lsilogic --sk": ({"--skip"}, {"--target"}),
    "repair --fix hib": ({each.id for each in documentation() if each.id.startswith("hib")}, {"boot-chain-broken"}),
    "explain boot-ch": ({"boot-chain-broken"}, {"hibernated"}),
}
"""What is typed after ``bootgraft``, what must be offered then, and what not."""
BASH_ONLY = {
    "check --target=vmware:ls": ({"vmware:lsilogic", "vmware:lsisas1068"}, {"vmware:pvscsi"}),
    "repair --format=v": ({"vmdk", "vhdx", "vdi"}, {"raw"}),
}
_BASH = r"""
source "$1"
[[ $(complete -p bootgraft) == "complete -o default -F _bootgraft bootgraft" ]] || exit 9
compopt() { :; }  # which bash has only while it completes
COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
_bootgraft bootgraft "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""


def _split(line: str) -> list[str]:
    """The words of a line as bash counts them when it completes: ``:`` and ``=`` are words of their own."""
    words = f"bootgraft {line}".replace(":", " : ").replace("=", " = ").split(" ")
    return [each for at, each in enumerate(words) if each or at == len(words) - 1]


def _offered(*command: str) -> set[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert not done.stderr
    return set(done.stdout.splitlines())


@pytest.mark.parametrize("shell", SHELLS)
def test_completions_are_what_the_parser_says(shell: str) -> None:
    kept = (FOLDER / f"bootgraft.{shell}").read_text()
    assert kept == completions(shell), "run: python -m tools.completions completions"


@pytest.mark.parametrize("line", [*WORDS, *BASH_ONLY])
def test_bash_offers_what_may_follow(line: str) -> None:
    wanted, unwanted = (WORDS | BASH_ONLY)[line]
    words = _split(line)
    offered = _offered("bash", "--norc", "-c", _BASH, "bash", str(FOLDER / "bootgraft.bash"), *words)
    cut = line.rpartition(" ")[2].rpartition(":")[0].rpartition("=")[2]  # what stands before the word that bash sees
    offered = {f"{cut}:{each}" if cut else each for each in offered}
    assert wanted <= offered
    assert not unwanted & offered


@pytest.mark.parametrize(
    "line", ["check di", "check --vm ", "repair --drivers=", "check --disk scsi0=/de", "undo nbd://h"]
)
def test_bash_completes_the_names_of_files_by_itself(line: str) -> None:
    words = _split(line)
    assert _offered("bash", "--norc", "-c", _BASH, "bash", str(FOLDER / "bootgraft.bash"), *words) == {""}


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.parametrize("line", WORDS)
def test_fish_offers_what_may_follow(line: str) -> None:
    wanted, unwanted = WORDS[line]
    look = "source $argv[1]; complete --do-complete $argv[2]"
    said = _offered("fish", "--no-config", "-c", look, str(FOLDER / "bootgraft.fish"), f"bootgraft {line}")
    offered = {each.partition("\t")[0] for each in said}
    assert wanted <= offered
    assert not unwanted & offered


def test_every_target_is_offered() -> None:
    for shell in SHELLS:
        text = completions(shell).replace("\\:", ":")
        assert all(each.target in text for each in CONTROLLERS), shell


def test_what_is_installed_is_there() -> None:
    settings = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text())
    installed = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert {FOLDER.parent / each for each in installed} == set(FOLDER.iterdir())
