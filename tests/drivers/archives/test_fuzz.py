"""A seeded sample of ``python -m benchmarks.fuzz archives``, and that a run which was broken off goes on."""

import re
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[3]
CASES = 500


def fuzz(log: Path) -> list[str]:
    """All that is printed but the seconds and bytes."""
    command = [sys.executable, "-m", "benchmarks.fuzz", "archives", "--cases", str(CASES), "--jobs", "1"]
    done = subprocess.run([*command, "--log", log], cwd=_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return re.findall(r"^\d+ cases|\{.*\}|^\d+ failures", done.stdout, re.MULTILINE)


def test_mutated_archives_are_read_or_refused(tmp_path: Path) -> None:
    log = tmp_path / "log"
    told = fuzz(log)
    assert told[0] == f"{CASES} cases"
    assert all(end in told[1] for end in ("'read'", "'refused'", "'refused in part'"))
    assert told[2:] == ["{}", "0 failures"]
    first, *_others = log.read_text().splitlines(keepends=True)
    log.write_text(first)
    assert fuzz(log) == told
    assert len(log.read_text().splitlines()) == 2
