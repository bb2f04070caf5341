"""From the lines of all files to the runs that they tell of."""

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime

from bootgraft.explain.converters.catalogue import GRAMMARS
from bootgraft.explain.evidence import Evidence, Tally
from bootgraft.explain.grammar import Grammar, LineReader
from bootgraft.explain.logreport import LogReport, Totals, report_of
from bootgraft.explain.message import Level, LogMessage
from bootgraft.explain.reading import Line
from bootgraft.explain.run import ConversionRun
from bootgraft.explain.wrapping.unwrapping import LogLine, Unwrapper

_MAX_RUNS = 16
_MAX_STREAMS = 16
_MAX_TEXT = 2000
_ABOUT_CONVERSION = re.compile(r"v2v|conver|migrat|nbd|vddk|import", re.I)

Readers = Sequence[tuple[Grammar, LineReader]]


class LogReader:
    """Takes file after file; memory stays the same however long they are."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, ConversionRun] = OrderedDict({"": ConversionRun()})
        self._around = Tally()
        self._order = self._files = self._messages = self._earlier = self._cut = 0
        self._last_time = ""
        self._file = ""
        self._when: datetime | None = None
        self._current = ""
        self._readers: OrderedDict[tuple[str, str], Readers] = OrderedDict()

    def read(self, file: str, source: Iterable[Line]) -> None:
        """Read one file from start to end."""
        self._file, self._when, self._current = file, None, ""
        for run in self._runs.values():
            run.forget_surroundings()
        known, unwrapper = self._messages, Unwrapper()
        for raw in source:
            self._cut += raw.cut
            for line in unwrapper.feed(raw):
                self._feed(line)
        while self._readers:
            (run_name, _), readers = self._readers.popitem(last=False)
            self._end(readers, run_name)
        self._files += self._messages > known

    def _feed(self, line: LogLine) -> None:
        """Give a line to the first grammar that it belongs to."""
        name = line.run or self._current
        readers = self._readers_of(name, line.stream)
        for grammar, reader in readers:
            messages = reader.feed(line)
            if messages is not None:
                self._end([other for other in readers if other[1] is not reader], name)
                for message in messages:
                    self._take(message, grammar, name)
                break
        else:
            if line.rank == "error" and _ABOUT_CONVERSION.search(line.text):
                self._order += 1
                self._around.add(self._evidence(line.number, Level.ERROR, line.text, line.stamp))
        run = self._runs.get(name)
        if run is not None:
            run.surround(line.text, line.number)

    def _readers_of(self, run: str, stream: str) -> Readers:
        readers = self._readers.get((run, stream))
        if readers is None:
            if len(self._readers) >= _MAX_STREAMS:
                (other, _), oldest = self._readers.popitem(last=False)
                self._end(oldest, other)
            readers = self._readers[run, stream] = [(grammar, grammar.reader()) for grammar in GRAMMARS]
        elif len(self._readers) > 1:
            self._readers.move_to_end((run, stream))
        return readers

    def _end(self, readers: Readers, run: str) -> None:
        for grammar, reader in readers:
            for message in reader.end():
                self._take(message, grammar, run)

    def _take(self, message: LogMessage, grammar: Grammar, name: str) -> None:
        self._messages += 1
        self._order += 1
        time = message.time or message.stamp
        moment = _moment(message.time) or _moment(message.stamp)
        if time:
            self._last_time = message.stamp or time
        if moment or time:
            self._when = moment
        self._current = name
        run = self._run(name)
        run.take(message, grammar, self._evidence(message.number, message.level, message.text, time, message.part))
        if grammar.starts(message):
            self._supersede(run)

    def _run(self, name: str) -> ConversionRun:
        run = self._runs.get(name)
        if run is None:
            run = self._runs[name] = ConversionRun()
            run.last_order = self._order
            while len(self._runs) > _MAX_RUNS:
                oldest = min(self._runs, key=lambda each: self._runs[each].last_order)
                self._earlier += self._runs.pop(oldest).failures
        return run

    def _supersede(self, run: ConversionRun) -> None:
        """A conversion that is started again makes the run before it an earlier one."""
        for name, other in list(self._runs.items()):
            if other is not run and run.conversion.source and other.conversion.source == run.conversion.source:
                self._earlier += other.failures + other.earlier
                del self._runs[name]

    def _evidence(self, number: int, level: Level, text: str, time: str, part: str = "") -> Evidence:
        text = " ".join(text.split())[:_MAX_TEXT]
        return Evidence(self._file, number, self._order, self._when, time, part, level, text)

    def report(self) -> LogReport:
        """What all files together tell."""
        totals = Totals(self._files, self._messages, self._earlier, self._last_time, self._cut)
        return report_of(tuple(self._runs.values()), self._around, totals)


def _moment(time: str) -> datetime | None:
    try:
        return datetime.fromisoformat(time[:19]).replace(tzinfo=None) if len(time) >= 19 else None
    except ValueError:
        return None
