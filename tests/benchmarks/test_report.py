"""The pages of the benchmarks are made of the figures; who is not installed is said to be absent."""

import os
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from benchmarks.bars import bars
from benchmarks.conditions import Watch
from benchmarks.goals import GOALS
from benchmarks.measure import Memory, Sample, UnexpectedStatusError, timed, watched
from benchmarks.peers import catalogue
from benchmarks.records import Record, Results
from benchmarks.subjects import NOTHING, SMALLEST, Question
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from benchmarks import page, plots, records

CONDITIONS = Watch().conditions()


def ours(question: Question, *seconds: float, is_before: bool = False, document: str = "same") -> Record:
    return Record(
        "bootgraft",
        "1111111" if is_before else "2222222",
        question,
        NOTHING if question is Question.VERSION else SMALLEST,
        CONDITIONS,
        tuple(Sample(each, each / 2, 3_000_000, 4_000_000) for each in seconds),
        Memory(20_000_000, 30_000_000, 40_000_000),
        is_before=is_before,
        document=document,
    )


EMULATED = replace(ours(Question.INSPECT, 25.0), program="guestfish", version="guestfish 1", note="TCG: emulated")
FIGURES = (
    ours(Question.VERSION, 0.050, 0.035, 0.045),
    ours(Question.CHECK, 0.2, 0.1),
    ours(Question.CHECK, 0.4, is_before=True),
    ours(Question.REPAIR, 0.3),
    ours(Question.REPAIR, 0.3, is_before=True, document="other"),
    ours(Question.INSPECT, 0.05),
    EMULATED,
)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """The figures, stored and read again."""
    data = tmp_path / "data.jsonl"
    records.store(data, FIGURES)
    return records.load(data)


def lines_of(results: Results, begin: str) -> list[str]:
    return [line for line in page.page(results, []) if line.startswith(begin)]


def test_a_newer_figure_takes_the_place_of_the_older(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    records.store(data, FIGURES)
    newer = ours(Question.CHECK, 0.05)
    records.store(data, [newer])
    assert len(list(records.load(data))) == len(FIGURES)
    assert records.load(data).find(Question.CHECK, SMALLEST) == newer


def test_goals_are_met_missed_or_not_measured(results: Results) -> None:
    assert lines_of(results, "| `bootgraft --version`") == ["| `bootgraft --version` | 40 ms | 35 ms | met |"]
    slower = Results({**results.records, FIGURES[0].key: ours(Question.VERSION, 0.041)})
    assert lines_of(slower, "| `bootgraft --version`") == ["| `bootgraft --version` | 40 ms | 41 ms | **missed** |"]
    (full,) = lines_of(results, "| `check`, 2 TB nearly full")
    assert full.endswith("|  | not measured |")
    assert len([goal for goal in GOALS if goal.measured(results) is not None]) == 1


def test_both_trees_stand_side_by_side(results: Results) -> None:
    text = "\n".join(page.page(results, []))
    assert "## Before and after: 1111111 → 2222222" in text
    assert "| 2 GB, raw | check | 0.400 | 0.100 | 0.25 | 0.200 | 0.050 | 0.25 | 30 | 30 | identical |" in text
    assert "| 2 GB, raw | repair | 0.300 | 0.300 | 1.00 | 0.150 | 0.150 | 1.00 | 30 | 30 | **differs** |" in text


def test_peers_stand_beside_what_answers_the_same_question(results: Results) -> None:
    rows = [line for line in page.page(results, []) if line.startswith("| 2 GB, raw | ") and "| 3.0 | 4.0 |" in line]
    side_by_side = [row.split(" | ")[1] for row in rows[-3:]]
    assert side_by_side == ["bootgraft inspect", "bootgraft check", "guestfish"]
    assert rows[-1].endswith("| TCG: emulated |")


def test_who_is_not_installed_is_said_to_be_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    known = [peer for peer in catalogue.peers(tmp_path, tmp_path / "none") if peer.find() is None]
    assert {"guestfish", "virt-v2v-in-place", "dissect.target", "regipy"} <= {peer.name for peer in known}
    missing = [record for peer in known for record in catalogue.absent(peer, CONDITIONS)]
    text = "\n".join(page.page(Results({each.key: each for each in missing}), []))
    assert "| 2 GB, raw | guestfish | absent (Debian: libguestfs-tools) |" in text
    assert "| real hive of 4 MB | regipy | absent (PyPI: regipy, in an environment of its own) |" in text


def test_each_plot_is_an_svg_with_its_figures(results: Results, tmp_path: Path) -> None:
    written = plots.write_plots(results, tmp_path)
    assert {name for name, _ in written} >= {"sizes.svg", "side-by-side-inspect.svg"}
    for name, title in written:
        root = ET.parse(tmp_path / name).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        text = "".join(root.itertext())
        assert title in text
    assert "guestfish (TCG)" in (tmp_path / "side-by-side-inspect.svg").read_text()


@given(st.dictionaries(st.text("abc", min_size=1), st.floats(1e-4, 1e4), min_size=1, max_size=12))
def test_bars_of_any_length_lie_within_the_picture(row: dict[str, float]) -> None:
    root = ET.fromstring(bars("title", {"one": row, "two": row}))
    rectangles = root.findall("{*}rect")[1:]
    assert len(rectangles) == 2 * len(row) + 2
    for each in rectangles:
        assert 0 <= float(each.attrib["width"]) <= 900 - float(each.attrib["x"])
        assert float(each.attrib["y"]) + 12 <= float(root.attrib["height"])


def test_all_processes_of_a_command_are_counted() -> None:
    """A shell whose child reads and writes a megabyte."""
    copying = "dd if=/dev/zero of=/dev/null bs=1M count=1 2>/dev/null; exit 3"
    sample = timed(["sh", "-c", copying], expect=3)
    assert sample.read > 1 << 20
    assert sample.written > 1 << 20
    with pytest.raises(UnexpectedStatusError):
        timed(["false"])


def test_memory_is_that_of_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell waits for a child that ends when it was looked at three times."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    looks = iter(range(1000))

    def between_two_looks(_seconds: float) -> None:
        if next(looks) == 3:
            gate.write_bytes(b"end")

    monkeypatch.setattr(time, "sleep", between_two_looks)
    _, memory = watched(["sh", "-c", f"cat {gate}; exit 0"])
    assert memory.bound > memory.largest > 0
    assert 0 < memory.together <= memory.bound
