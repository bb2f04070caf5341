"""``explain-log`` as a process: in its cage it reads logs wherever they lie, and gets at nothing else."""

import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.endtoend.processes import start
from tests.explain import logs

from bootgraft.confinement import landlock
from bootgraft.confinement.syscalls import this_architecture

ROOT = Path(__file__).parents[2]
QUIET = ("--quiet",)  # on a slow machine it tells what it does
LOG = logs.AGENT_50.encode()

CAPTIVE = """
import json, os, socket, sys, threading
from pathlib import Path
from bootgraft.cli import explain_log
from bootgraft.cli.main import main

def read(name): Path(name).read_bytes()
def write(name): Path(name).write_bytes(b"x")
def start_thread():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()

def explain(given, monitor, copies):
    given, folder = given[0], given[0].parent
    with copies.take() as copy:
        copy.write(b"x")
    trials = {
        "read it": lambda: read(given),
        "start a thread": start_thread,
        "read another": lambda: read(folder / "secret"),
        "write it": lambda: write(given),
        "make a file": lambda: write(folder / "new"),
        "remove it": given.unlink,
        "fork": os.fork,
        "run": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "connect": socket.socket,
        "signal": lambda: os.kill(os.getppid(), 0),
        "map 3 GiB": lambda: bytearray(3 << 30),
    }
    told = {}
    for name, trial in trials.items():
        try:
            trial()
            told[name] = ""
        except (OSError, MemoryError) as error:
            told[name] = type(error).__name__
    print(json.dumps(told))
    sys.exit(0)

explain_log.explain = explain
main()
"""


def run(
    *arguments: str | Path, given: bytes = b"", code: str | None = None, descriptors: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[bytes]:
    program = ("-m", "bootgraft.cli.main") if code is None else ("-c", code)
    return subprocess.run(
        [sys.executable, *program, "explain-log", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT / "src")},
        input=given,
        capture_output=True,
        pass_fds=descriptors,
        timeout=100,
        check=False,
    )


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


NOISE = random.Random(1).randbytes(1 << 20).hex().encode()  # what does not pack into what is copied to memory
INNER = zipped({"agentTask-task-6.zip": zipped({"agent.log": LOG, "noise.log": NOISE * 2})})
NESTED = zipped({"worker-diagnostics-task-4-omo.zip": INNER})
FORMS = {"agent.log": LOG, "agent.log.gz": gzip.compress(LOG), "logs.zip": zipped({"a.log": LOG}), "nested.zip": NESTED}


@pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
@pytest.mark.skipif(this_architecture() is None, reason="no filter was written for this architecture")
def test_what_its_process_can_and_cannot_do(tmp_path: Path) -> None:
    for name in ("job.log", "secret"):
        (tmp_path / name).write_bytes(LOG)
    done = run(tmp_path / "job.log", code=CAPTIVE)
    told = json.loads(done.stdout)
    assert {name for name, error in told.items() if not error} == {"read it", "start a thread"}, done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["job.log", "secret"]
    assert (tmp_path / "job.log").read_bytes() == LOG


@pytest.mark.parametrize("form", FORMS)
def test_it_reads_them_in_every_form(form: str, tmp_path: Path) -> None:
    (tmp_path / form).write_bytes(FORMS[form])
    reading, writing = os.pipe()
    with os.fdopen(reading), os.fdopen(writing, "wb") as pipe:
        if len(FORMS[form]) < 1 << 16:
            pipe.write(FORMS[form])
        pipe.close()
        found = [run(*QUIET, tmp_path / form), run(*QUIET, tmp_path), run(*QUIET, "-", given=FORMS[form])]
        if len(FORMS[form]) < 1 << 16:
            found.append(run(*QUIET, f"/dev/fd/{reading}", descriptors=(reading,)))
    for each in found:
        assert (each.returncode, each.stderr) == (0, b"")
        assert each.stdout.startswith(b"The conversion copied the disks and failed to make Windows bootable: ")


def test_a_reader_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "job.log").write_bytes(LOG)
    process = start("explain-log", *QUIET, tmp_path / "job.log")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process:
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_it_can_be_interrupted(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    process = start("explain-log", *QUIET, tmp_path / "pipe")
    with process, (tmp_path / "pipe").open("wb", buffering=0):  # it has opened it, in its cage
        process.send_signal(signal.SIGINT)
        out, error = process.communicate()
    assert (process.returncode, out, error) == (130, "", "bootgraft: interrupted.\n")


def test_its_time_is_up_there_too(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with start("explain-log", *QUIET, tmp_path / "pipe", "--timeout", "0.5") as process:
        _, error = process.communicate()
    assert process.returncode == 3
    assert "it was not done in the 0.5 seconds of --timeout" in error
    assert "Traceback" not in error


def test_where_no_temporary_file_can_be_made(tmp_path: Path) -> None:
    """Logs are read, and small archives."""
    for name in ("job.log", "logs.zip"):
        (tmp_path / name).write_bytes(LOG if name == "job.log" else FORMS["logs.zip"])
    code = f"import tempfile\ntempfile._candidate_tempdir_list = lambda: [{str(tmp_path / 'missing')!r}]\n"
    code += "from bootgraft.cli.main import main\nraise SystemExit(main())"
    assert run(tmp_path / "job.log", code=code).returncode == 0
    assert run("-", given=FORMS["logs.zip"], code=code).returncode == 0
    refused = run("-", given=NESTED, code=code)
    assert refused.returncode == 3
    assert refused.stderr.startswith(b"bootgraft: standard input: it cannot be read (")
