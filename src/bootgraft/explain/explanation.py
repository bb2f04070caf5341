"""The work from start to end: what the user gave, read and told."""

from pathlib import Path

from msgspec import Struct

from bootgraft.errors import LogError
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.explain.bundle import Bundle
from bootgraft.explain.logreport import LogReader, LogReport
from bootgraft.explain.reading import lines


class Explanation(Struct, frozen=True):
    """What the logs say, and what of the input was not read."""

    report: LogReport
    notes: tuple[str, ...]


def explain(path: Path, monitor: Monitor) -> Explanation:
    """Read a log, a folder or a bundle. Raises LogError where it cannot be read or no converter wrote it."""
    bundle, reader, files = Bundle(path), LogReader(), 0
    try:
        for file in bundle.files():
            monitor(Event(EventKind.STEP, f"reading {file.name}"))
            reader.read(file.name, lines(file.chunks))
            files += 1
    except OSError as error:
        what = f"it cannot be read ({error.strerror or error})"
        raise LogError(what, where=str(path), advice="Check the path, its permissions and the disk it is on") from error
    report = reader.report()
    if not report.messages:
        seen = f"{files} files were read" if files > 1 else "it was read to its end" if files else "no log is in it"
        raise LogError(
            f"no line of VMware Converter or virt-v2v is in it ({'; '.join((seen, *bundle.notes))})",
            where=str(path),
            advice="Export the job's logs in Converter (right-click the job), or give virt-v2v's output",
        )
    return Explanation(report, tuple(bundle.notes))
