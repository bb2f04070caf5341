"""``bootgraft explain-log`` from the outside."""

import io
import json
from pathlib import Path

import pytest
from tests.explain import logs
from tests.report.contract import faults

from bootgraft.cli.main import main


@pytest.fixture(autouse=True)
def _no_late_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timer that outlives its command would write into the next test."""
    monkeypatch.setattr("bootgraft.cli.terminal.PATIENCE", 3600.0)


KNOWN = logs.AGENT_50 + logs.WORKER_50
UNKNOWN = "[#8] [2011-10-05 09:00:00.000 02372 error 'task-6'] The frob is bar\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [(KNOWN, 0), (UNKNOWN, 1), (logs.V2V_WITHOUT_VIRTIO, 0), (logs.WORKER_50, 0), ("[   1.0] Finishing off", 0)],
)
def test_exit_statuses_and_the_contract(
    text: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "job.log"
    log.write_text(text)
    assert main(["explain-log", str(log)]) == status
    out, err = capsys.readouterr()
    assert (err, "    bootgraft " in out) == ("", True)
    assert main(["explain-log", str(log), "--json"]) == status
    document = json.loads(capsys.readouterr().out)
    assert faults(document, "explain-log") == []
    assert document["summary"] == out.split("\n")[0]
    assert main(["explain-log", str(log), "--quiet"]) == status
    assert capsys.readouterr().out == document["summary"] + "\n"


def test_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "text.log"
    log.write_text("nothing of a converter\n")
    for path in (log, tmp_path / "missing", tmp_path / "x\x1b[2J"):
        assert main(["explain-log", str(path)]) == 3
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("bootgraft: ")
        assert "\x1b" not in err
        assert main(["explain-log", str(path), "--json"]) == 3
        assert faults(json.loads(capsys.readouterr().out), "error") == []
    assert main(["explain-log"]) == 2


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(KNOWN.encode())))
    assert main(["explain-log", "-"]) == 0
    assert "    standard input:1 2011-10-05 09:01:18.894: [GetDiskTicketInfos]" in capsys.readouterr().out


def test_standard_input_without_a_log(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert main(["explain-log", "-"]) == 3
    assert capsys.readouterr().err.startswith("bootgraft: standard input: no line of VMware Converter or virt-v2v")


def test_several_logs_are_told_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("agent.log", logs.AGENT_50), ("worker.log", logs.WORKER_50)):
        (tmp_path / name).write_text(text)
    assert main(["explain-log", str(tmp_path / "agent.log"), str(tmp_path / "worker.log")]) == 0
    assert "    bootgraft check E1Win72.vmdk --target vmware:lsilogic" in capsys.readouterr().out


def test_a_hostile_log_cannot_write_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "job.log"
    log.write_text(UNKNOWN.replace("frob", "\x1b]0;owned\x07\u202e") + "plain \x1b[2J\n")
    assert main(["explain-log", str(log)]) == 1
    out = capsys.readouterr().out
    assert not any(each in out for each in "\x1b\x07\u202e")
