"""The figures as SVG: one chart for each thing that makes the work cost more or less."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.bars import Rows, bars
from benchmarks.disks import FORMATS, HIVE_FILES, HIVES, LATENCIES, PACKAGES, SIZES
from benchmarks.records import Results
from benchmarks.subjects import SMALLEST, Question, Subject

_OURS = (Question.CHECK, Question.REPAIR, Question.UNDO)


def write_plots(results: Results, folder: Path) -> list[tuple[str, str]]:
    """Write a chart for each topic that has figures; their names and titles."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, title, rows in _charts(results):
        if rows:
            (folder / f"{name}.svg").write_text(bars(f"{title}: seconds, fastest run", rows))
            written.append((f"{name}.svg", title))
    return written


def _charts(results: Results) -> Iterator[tuple[str, str, Rows]]:
    for name, title, subjects in (
        ("sizes", "bootgraft by size and format of the disk", SIZES),
        ("formats", "bootgraft by format, 2 GB", [SMALLEST, *FORMATS]),
        ("hives", "bootgraft by size of the SYSTEM hive, 2 GB raw", [SMALLEST, *HIVES]),
        ("packages", "bootgraft by number of INFs in the driver source", PACKAGES),
        ("latency", "bootgraft by latency of an NBD server", [SMALLEST, *LATENCIES]),
    ):
        yield name, title, _ours(results, subjects)
    for name, title, question, subjects in (
        ("side-by-side-inspect", "What is on it? (bootgraft: inspect, check)", Question.INSPECT, [SMALLEST]),
        ("side-by-side-repair", "The driver put in", Question.REPAIR, [SMALLEST, SIZES[2], HIVES[1]]),
        ("side-by-side-set-value", "One value set in a hive file", Question.SET_VALUE, HIVE_FILES),
        ("side-by-side-export", "A hive file written as text", Question.EXPORT, HIVE_FILES),
    ):
        yield name, title, _side_by_side(results, question, subjects)


def _ours(results: Results, subjects: Sequence[Subject]) -> Rows:
    rows: Rows = {}
    for question in _OURS:
        for subject in subjects:
            found = results.find(question, subject)
            if found is not None:
                rows.setdefault(question.value, {})[subject.name] = found.least
    return rows


def _side_by_side(results: Results, question: Question, subjects: Sequence[Subject]) -> Rows:
    rows: Rows = {}
    for record in results:
        if record.samples and record.question is question and record.subject in subjects and not record.is_before:
            label = f"{record.program} (TCG)" if record.note.startswith("TCG") else record.program
            rows.setdefault(label, {})[record.subject.name] = record.least
    return dict(sorted(rows.items(), key=lambda row: min(row[1].values())))
