"""Every command that is printed, by any output or document, works when it is pasted.

A command stands on a line of its own, or between backticks where it is only named. Words that a reader has to fill in
(IMAGE, SOURCE, T) are filled in here. Those of answers are run: none is refused, and no repair asks for what was not
said. Those of documents, which are synopses, and of recorded answers, whose files are not here, are parsed.
"""

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import CommandResult
from tests.machines.build import build
from tests.machines.windows2003 import donor, server1

from bootgraft.cli.main import _COMMANDS, _parser
from bootgraft.cli.options import Options

Command = Callable[..., CommandResult]
ROOT = Path(__file__).parents[2]
DOCUMENTS = (*sorted((ROOT / "docs").glob("*.md")), *(ROOT.glob("*.md")))
RECORDED = (
    *(ROOT / "tests" / "report" / "excerpts").glob("*.txt"),
    *(ROOT / "tests" / "endtoend" / "goldens").glob("*.txt"),
    *(ROOT / "tests" / "kit" / "goldens").glob("*.txt"),
)
_VERB = rf"(?:{'|'.join(_COMMANDS)})(?![\w.])"
_LINE = re.compile(rf"^[ ]*(?:\$ |echo +)?bootgraft ({_VERB}.*)$", re.MULTILINE)
_NAMED = re.compile(rf"`(?:[^`\n]* \| )?bootgraft ({_VERB}[^`]*)`")
_ANY = re.compile(rf"(?<![\w/-])bootgraft (?={_VERB})")
_CODE = re.compile(r"^( *)```[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
VMX = """config.version = "8"
virtualHW.version = "4"
scsi0.present = "TRUE"
scsi0.virtualDev = "lsilogic"
scsi0:0.present = "TRUE"
scsi0:0.fileName = "old.vmdk"
"""
LOG = "virt-v2v: virt-v2v 2.2.0rhel=9,release=5.el9\nvirt-v2v: error: inspection could not detect the source guest\n"
LSI = ("--target", "vmware:lsilogic")
FILLED = {
    "IMAGE": "server1.raw", "DISK": "server1.raw", "DISK.vmdk": "server1.raw", "server1.vmdk": "server1.raw",
    "/vm/server1.raw": "server1.raw", "donor.vmdk": "donor.raw", "SOURCE": "source.raw", "T": "vmware:lsilogic",
    "ID": "device-binding-missing", "SYMPTOM": "0x7b", "S": "0x7b", "KEY": "HKLM\\SYSTEM\\Select", "LOG": "v2v.log",
    "FILE": "vm.vmx", "F.reg": "files/symmpi.reg", "F.sys": "files/symmpi.sys", "DRIVER.reg": "files/symmpi.reg",
    "DRIVER.sys": "files/symmpi.sys", "DIR": "new", "VERSION": "2003", "SUBCOMMAND": "verify",
    "virtio-win.iso": "source.raw",
}  # fmt: skip
"""What takes the place of words that the reader fills in; files of others are ones of ours."""


def commands_in(text: str) -> list[str]:
    """The commands in an answer. Fails where one stands in the middle of a sentence, or has a stop behind it."""
    found = [*_LINE.findall(text), *_NAMED.findall(text)]
    assert len(found) == len(_ANY.findall(text)), f"a command inside a sentence: {text}"
    assert not [each for each in _LINE.findall(text) if each.endswith((".", ";", ":", ","))]
    return [each.replace("\n", " ") for each in found]


def filled(command: str) -> list[str]:
    """The words of a command, with what a reader fills in: optional parts given, the first of alternatives."""
    plain = command.replace("\\|", "|").translate({ord(each): None for each in "[]"})
    words = [each.removesuffix("…") if each != "…" else "IMAGE" for each in shlex.split(plain)]
    words = [re.split(r"\|(?=\w)", each)[0] if "HKLM" not in each else each for each in words]
    return [FILLED.get(each, each) for each in words]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, machine_cache: Path) -> Path:
    """A dead server, its description, a donor, a log, and the driver as files."""
    made = tmp_path_factory.mktemp("pasted place")  # what is printed must be quoted
    for name, spec in (("server1", server1()), ("donor", donor())):
        build(spec, made / name, cache=machine_cache).disk.rename(made / f"{name}.raw")
    shutil.copyfile(made / "donor.raw", made / "source.raw")
    (made / "vm.vmx").write_text(VMX)
    (made / "v2v.log").write_text(LOG)
    return made


@pytest.fixture
def run(folder: Path, bootgraft: Command) -> Command:
    """A function that runs a command in the folder; the driver's files are there from the first on."""
    if not (folder / "files").exists():
        assert bootgraft("drivers", "harvest", "donor.raw", *LSI, "--out", "files", cwd=folder).status == 0
    return lambda *words: bootgraft(*words, cwd=folder)


def try_out(run: Command, folder: Path, command: str, *, about: str) -> CommandResult:
    """Run a command as it is pasted, only without writing to a disk; it is not refused."""
    words = filled(command)
    if words[0] in ("repair", "undo", "kit") and not {"--dry-run", "--help", "--resume"} & set(words):
        words.append("--dry-run")
    shutil.rmtree(folder / "new", ignore_errors=True)
    done = run(*words)
    assert done.status in (0, 1), f"{about}\n{words}\n{done}"
    return done


CHECKS = [
    "server1.raw", "server1.raw --target vmware:lsilogic", "server1.raw --target kvm:ide",
    "server1.raw --target hyperv:gen2", "server1.raw --target vmware:lsilogic --recommend",
    "server1.raw --target vmware:lsilogic --target hyperv:gen2",
    "server1.raw --target vmware:lsilogic --target kvm:ide", "server1.raw donor.raw --target vmware:lsilogic",
    "--vm vm.vmx --disk scsi0:0=server1.raw", "donor.raw --target vmware:lsilogic", "server1.raw --symptom 0x7b",
]  # fmt: skip


@pytest.mark.parametrize("words", CHECKS)
def test_what_check_advises(words: str, run: Command, folder: Path) -> None:
    for verb in ("check", *(["repair"] if "--target" in words or "--vm" in words else [])):
        told = run(verb, *words.split(), *(["--dry-run"] if verb == "repair" else []))
        assert told.status in (0, 1), told
        for command in commands_in(told.stdout + told.stderr):
            done = try_out(run, folder, command, about=told.stdout)
            if command.startswith("repair "):
                assert "needs" not in done.stdout.partition("\n")[0]
                assert done.status == 0, f"{command}\n{done.stdout}"  # it was said to repair


OTHERS = [
    "inspect server1.raw", "history server1.raw", "targets", "doctor", "explain", "explain device-binding-missing",
    "explain 0x7b", "drivers show DRIVERS --target kvm:virtio-blk",
    "drivers harvest donor.raw --target vmware:lsilogic --out harvested",
    "kit --target vmware:lsilogic --windows 2003 --drivers donor.raw --out kit",
    "reg verify server1.raw", "reg query server1.raw SYSTEM\\Select", "explain-log v2v.log",
]  # fmt: skip


@pytest.mark.parametrize("words", OTHERS)
def test_what_other_commands_advise(words: str, run: Command, folder: Path) -> None:
    (folder / "DRIVERS").mkdir(exist_ok=True)
    told = run(*shlex.split(words.replace("\\", "\\\\")))
    assert told.status in (0, 1), told
    written = "".join(each.read_text() for each in (folder / "kit").glob("*.txt")) if words.startswith("kit ") else ""
    for command in commands_in(told.stdout + told.stderr + written):
        try_out(run, folder, command, about=told.stdout)


def test_what_a_repair_and_its_undo_advise(run: Command, folder: Path) -> None:
    shutil.copyfile(folder / "server1.raw", folder / "a copy.raw")
    repaired = run("repair", "a copy.raw", *LSI, "--drivers", "donor.raw")
    again = run("repair", "a copy.raw", "--target", "kvm:ide")
    assert (repaired.status, again.status) == (0, 0)
    for told in (repaired, again, run("history", "a copy.raw")):
        (last, *_) = commands = commands_in(told.stdout)
        for command in commands:
            try_out(run, folder, command, about=told.stdout)
    assert run(*shlex.split(last)).status == 0
    undone = run(*shlex.split(last))
    assert "is as it was" in undone.stdout
    assert (folder / "a copy.raw").read_bytes() == (folder / "server1.raw").read_bytes()


def documented() -> list[str]:
    """The commands of all documents, each once."""
    found: dict[str, None] = {}
    for document in DOCUMENTS:
        text = document.read_text()
        for _, code in _CODE.findall(text):
            found.update(dict.fromkeys(_LINE.findall(code)))
        found.update(dict.fromkeys(each.replace("\n", " ") for each in _NAMED.findall(text)))
    return list(found)


def parse(command: str) -> None:
    """Fails where the command line is refused."""
    words = filled(command)
    if "--help" in words:
        with pytest.raises(SystemExit, match="0"):
            _parser(words).parse_args(words)
    else:
        Options.from_arguments(_parser(words).parse_args(words))


@pytest.mark.parametrize("command", documented())
def test_what_documents_say(command: str) -> None:
    parse(command)


@pytest.mark.parametrize("record", RECORDED, ids=lambda each: each.stem)
def test_what_recorded_answers_say(record: Path) -> None:
    for command in commands_in(record.read_text()):
        parse(command)
