"""The work from start to end: what the user gave, read and told."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from bootgraft.errors import LogError
from bootgraft.events import Monitor, Progress
from bootgraft.explain.bundle import Bundle
from bootgraft.explain.copies import Copies
from bootgraft.explain.logreader import LogReader
from bootgraft.explain.logreport import LogReport
from bootgraft.explain.reading import MAX_LINE, lines


class Explanation(Struct, frozen=True):
    """What the logs say, and what of the input was not read."""

    report: LogReport
    notes: tuple[str, ...]


def explain(paths: Sequence[Path], monitor: Monitor, copies: Copies | None = None) -> Explanation:
    """Read logs, folders or bundles, together; ``-`` is standard input. ``copies`` are files for nested archives.

    Raises LogError where one cannot be read, or no converter wrote any of them.
    """
    reader, files = LogReader(), 0
    notes: list[str] = []
    titles = ", ".join(Bundle(path).title for path in paths)
    for path in paths:
        bundle = Bundle(path, alone=len(paths) == 1, copies=copies or Copies())
        try:
            for file in bundle.files():
                progress = Progress(monitor, f"reading {file.name}", file.size)
                reader.read(_name(file.name, path, paths), lines(progress.counting(file.chunks)))
                files += 1
        except OSError as error:
            what = f"it cannot be read ({error.strerror or error})"
            advice = "Check the path, its permissions and the disk it is on"
            raise LogError(what, where=bundle.title, advice=advice) from error
        notes += bundle.notes
    report = reader.report()
    if not report.messages and report.unknown:
        raise LogError(
            f"no line of a converter is in it, only what is said of one: {report.unknown[0].first.text}",
            where=titles,
            advice=(
                "Give the log that has virt-v2v's own output: of the conversion pod (Kubernetes), agent.log of the KVM "
                "host (CloudStack), virt-v2v.log"
            ),
            id="log-unknown",
        )
    if not report.messages:
        seen = f"{files} files were read" if files > 1 else "it was read to its end" if files else "no log is in it"
        raise LogError(
            f"no line of VMware Converter or virt-v2v is in it ({'; '.join((seen, *notes))})",
            where=titles,
            advice="Export the job's logs in Converter (right-click the job), or give virt-v2v's output",
            id="log-unknown",
        )
    if report.cut:
        lines_are = "1 line is" if report.cut == 1 else f"{report.cut} lines are"
        notes.append(f"{lines_are} longer than {MAX_LINE >> 10} KiB; what is beyond that was not read")
    return Explanation(report, tuple(notes))


def _name(name: str, path: Path, paths: Sequence[Path]) -> str:
    """A file's name, with the folder of what was given where several were: their logs may be called the same."""
    return name if len(paths) == 1 or path.parent == Path() else str(path.parent / name)
