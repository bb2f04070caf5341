r"""What other programs put around each line of a converter's output, one layer at a time.

- Kubernetes' CRI: ``2024-01-02T03:04:05.678901234Z stderr F text``, ``P`` where the line goes on
  (https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md)
- klog: ``E0102 03:04:05.678901       1 file.go:12] text`` (https://github.com/kubernetes/klog)
- syslog and journald's short forms: ``Jan  2 03:04:05 host ident[123]: text``, the same with an ISO date, RFC 5424
- logrus and Go's slog: ``time="…" level=info msg="[nbdcopy stderr] text\n"``, on a terminal ``INFO[0029] text``
  (https://github.com/os-migrate/vmware-migration-kit/issues/120, https://github.com/vexxhost/migratekit/issues/137)
- log4j as CloudStack has it: ``2025-09-19 20:29:15,109 INFO  [a.b.C] (Script-6:[]) (logid:) (virt-v2v … progress)``
  (https://github.com/apache/cloudstack/issues/11561)
- frames of terminal programs, copied along: ``│ text   │`` (https://github.com/kubev2v/forklift/issues/479)
- dates, times and ranks of other loggers; names of containers

Layers that are JSON are in ``jsonlayers``. Every pattern starts at the start of the line and is bounded.
"""

import json
import re

from msgspec import Struct

_ISO = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?Z| ?[+-]\d\d:?\d\d)?"
_OWN = r"(?!\[\w{1,16} (?:panic|critical|error|warning|info|verbose|trivia|debug) |[a-z]{4,8} [\w.-]{1,60}\[)"
"""What follows a date in a line of VMware Converter's own, which has no wrapper."""

HELPERS = frozenset(
    {"nbdkit", "nbdcopy", "qemu-img", "qemu-nbd", "qemu-kvm", "qemu-system-x86_64", "kernel", "systemd"}
)
"""Programs that log by themselves what they do for a converter."""
RANKS = {
    **dict.fromkeys(("error", "err", "erro", "critical", "crit", "fatal", "fata", "panic", "pani", "e", "f"), "error"),
    **dict.fromkeys(("warning", "warn", "w"), "warning"),
}
"""How loggers call a failure and a warning."""


class Layer(Struct, frozen=True):
    """What is below one layer. ``text`` may be several lines.

    ``stamp`` is the time that the layer puts before it, ``rank`` what it says of its own message ("error", "warning"
    or empty), ``stream`` which output of a program it was, ``run`` which program; ``goes_on``: the next piece of the
    stream belongs to the same line.
    """

    text: str
    stamp: str = ""
    rank: str = ""
    stream: str = ""
    run: str = ""
    goes_on: bool = False


_CRI = re.compile(
    rf"(?P<stamp>{_ISO}) (?P<stream>stdout|stderr) (?P<tag>[FP])(?:[:,]\w{{1,8}}){{0,4}}(?: (?P<text>.*))?$"
)
_KLOG = re.compile(
    r"(?P<rank>[IWEF])(?P<stamp>\d{4} \d\d:\d\d:\d\d\.\d{6}) +\d{1,10} [\w./-]{1,120}:\d{1,6}\] ?(?P<text>.*)"
)
_SYSLOG = re.compile(
    rf"(?:<\d{{1,3}}>)?(?P<stamp>[A-Z][a-z][a-z] [ \d]\d \d\d:\d\d:\d\d(?:\.\d{{1,6}})?|{_ISO}|\d{{9,11}}\.\d{{6}}) "
    r"[^\s:\[\]]{1,255} (?P<ident>[^\s:\[\]]{1,128})(?:\[(?P<pid>\d{1,10})\])?: ?(?P<text>.*)"
)
_RFC5424 = re.compile(
    rf"<\d{{1,3}}>1 (?P<stamp>{_ISO}) \S{{1,255}} (?P<ident>\S{{1,48}}) (?P<pid>\S{{1,128}}) \S{{1,32}} "
    r'(?:-|\[(?:[^"\]]{1,200}"(?:[^"\\]|\\.){0,400}"){0,8}\]) ?(?:\ufeff)?(?P<text>.*)'
)
_KEYS = re.compile(
    r'(?:time="?(?P<stamp>[^"\s=]{1,64}|[^"=]{1,64}(?="))"? )?level="?(?P<rank>\w{1,10})"? (?:source=\S{1,200} )?'
    r'msg=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"?|(?P<text>\S*))'
)
_TERMINAL = re.compile(r"(?P<rank>TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)\[\d{4,9}\] ?(?P<text>.*)")
_LOG4J = re.compile(
    r"(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) {1,4}(?P<rank>TRACE|DEBUG|INFO|WARN|ERROR|FATAL) {1,4}"
    r"\[[^\]]{1,200}\] \([^()]{0,300}\) (?:\(logid:[^()]{0,80}\) ?)?"
    r"(?P<run>\(virt-v2v .{1,600}? progress\) ?)?(?P<text>.*)"
)
_STAMPED = re.compile(rf"(?:(?P<stamp>{_ISO}) |\[(?P<inner>{_ISO}|\d?\d:\d\d:\d\d(?: [AP]M)?)\] ){_OWN}(?P<text>.*)")
_RANKED = re.compile(
    r"(?:[-|] )?\[?(?P<rank>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\]?(?: ?[-:|])? (?P<text>.*)"
)
_CONTAINER = re.compile(r"\[(?P<pod>pod/[\w./-]{1,300})\] (?P<text>.*)|(?:[\w.-]{1,64} {1,40}\| )(?P<other>.*)")
_MEMBER = re.compile(r'"(?:msg|stderr|stdout|module_stderr|module_stdout)": "(?P<text>(?:[^"\\]|\\.)*)"?,?$')
_BUILD = re.compile(r"#\d{1,5} \d{1,7}\.\d{1,4} (?P<text>.*)")
_STREAM = re.compile(r"\[(?P<stream>[\w.-]{1,40} (?:stdout|stderr))\] ?(?P<text>.*)", re.S)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.S)
_PLAIN = {"n": "\n", "t": "\t", "r": "\n", "a": "", "b": "", "f": "\n", "v": "\n"}


def _cri(text: str) -> Layer | None:
    found = _CRI.match(text)
    return found and Layer(found["text"] or "", found["stamp"], stream=found["stream"], goes_on=found["tag"] == "P")


def _klog(text: str) -> Layer | None:
    found = _KLOG.match(text)
    return found and Layer(found["text"], found["stamp"], RANKS.get(found["rank"].lower(), ""))


def _syslog(text: str) -> Layer | None:
    found = _RFC5424.match(text) or _SYSLOG.match(text)
    if not found:
        return None
    run, stream = program(found["ident"], found["pid"])
    return Layer(found["text"], found["stamp"], run=run, stream=stream)


def program(ident: str, pid: str | None) -> tuple[str, str]:
    """The run and the stream that a program's lines are of: what works for others has a stream in their run."""
    name = ident.rpartition("/")[2]
    return (f"{name}[{pid}]", "") if pid and pid != "-" and name not in HELPERS else ("", name)


def _keys(text: str) -> Layer | None:
    found = _KEYS.match(text)
    if not found:
        return None
    inner = found["text"] if found["quoted"] is None else unquoted(found["quoted"])
    stream = _STREAM.match(inner)
    if stream:
        return Layer(stream["text"], found["stamp"] or "", stream=stream["stream"])
    return Layer(inner, found["stamp"] or "", RANKS.get(found["rank"].lower(), ""))


def unquoted(text: str) -> str:
    """A string as Go and JSON write it between quotes, with its line feeds."""

    def plain(found: re.Match[str]) -> str:
        number = found[1] or found[2] or found[3]
        if number:
            code = int(number, 16)
            return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "?"
        return _PLAIN.get(found[4], found[4])

    return _ESCAPE.sub(plain, text) if "\\" in text else text


def _terminal(text: str) -> Layer | None:
    found = _TERMINAL.match(text)
    return found and Layer(found["text"], rank=RANKS.get(found["rank"].lower(), ""))


def _log4j(text: str) -> Layer | None:
    found = _LOG4J.match(text)
    if not found:
        return None
    run = (found["run"] or "").strip()
    if run:  # what a script printed: the rank is not of its message
        return Layer(found["text"], found["stamp"], run=run)
    return Layer(found["text"], found["stamp"], RANKS.get(found["rank"].lower(), ""), stream="log4j")


def _stamped(text: str) -> Layer | None:
    found = _STAMPED.match(text)
    if not found:
        return None
    ranked = _RANKED.match(found["text"])
    rank = RANKS.get(ranked["rank"].lower(), "") if ranked else ""
    return Layer(ranked["text"] if ranked else found["text"], found["stamp"] or found["inner"], rank)


def _container(text: str) -> Layer | None:
    found = _CONTAINER.match(text)
    return found and Layer(found["other"] or found["text"] or "", run=found["pod"] or "")


def _build(text: str) -> Layer | None:
    found = _BUILD.match(text)
    return found and Layer(found["text"])


def _frame(text: str) -> Layer | None:
    return Layer(text.strip("\u2502\u2503").strip())


def _quoted(text: str) -> Layer | None:
    """An element of a list in JSON, or an output in an object, as Ansible prints them line by line."""
    member = _MEMBER.match(text)
    if member:
        return Layer(unquoted(member["text"]))
    try:
        value = json.loads(text.removesuffix(","))
    except ValueError:
        return None
    return Layer(value) if isinstance(value, str) else None


_CONTAINER_NAME = 108
_DIGIT = (_cri, _log4j, _syslog, _stamped)
_LETTER = (_terminal, _klog, _syslog, _container)
_BY_START = {
    **dict.fromkeys("0123456789", _DIGIT),
    **dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _LETTER),
    "t": (_keys, _container),
    "l": (_keys, _container),
    "[": (_container, _stamped),
    "<": (_syslog,),
    "#": (_build,),
    '"': (_quoted,),
    "\u2502": (_frame,),
    "\u2503": (_frame,),
}


def has_none(text: str) -> bool:
    """Whether a line begins as no layer does: cheap, and right for most lines."""
    return text[:1] not in _BY_START and " | " not in text[:_CONTAINER_NAME]


def layer(text: str) -> Layer | None:
    """What is below the outermost layer, None where there is none."""
    for each in _BY_START.get(text[:1], (_container,) if " | " in text[:_CONTAINER_NAME] else ()):
        piece = each(text)
        if piece is not None:
            return piece
    return None
