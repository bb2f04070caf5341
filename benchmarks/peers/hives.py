"""Libraries that read and write hive files."""

from pathlib import Path

from benchmarks.disks import Case
from benchmarks.measure import Words
from benchmarks.peers.peer import SYSTEM_PYTHON, Peer, found, python_module, said, version_beside
from benchmarks.subjects import Question

_MERGED = 'Windows Registry Editor Version 5.00\n\n[\\Select]\n"Benchmark"=dword:00000001\n'
_SET = """
import sys, hivex
h = hivex.Hivex(sys.argv[1], write=True)
select = h.node_get_child(h.root(), "Select")
h.node_set_value(select, {"key": "Benchmark", "t": 4, "value": b"\\1\\0\\0\\0"})
h.commit(None)
"""
_SLOWEST_MB = 16
"""regipy takes minutes for more."""


def peers(folder: Path) -> list[Peer]:
    """They set a value, write a hive as text, or read it."""
    merged = folder / "one-value.reg"
    merged.parent.mkdir(parents=True, exist_ok=True)
    merged.write_text(_MERGED)
    return [
        Peer(
            "hivexregedit",
            "Debian: libwin-hivex-perl",
            lambda: found("hivexregedit"),
            lambda: said("dpkg-query", "--show", "libwin-hivex-perl"),
            {
                Question.SET_VALUE: lambda case: _of_hive(case, "hivexregedit", "--merge", case.image, merged),
                Question.EXPORT: lambda case: _of_hive(case, "hivexregedit", "--export", case.image, "\\"),
            },
            changes=(Question.SET_VALUE,),
        ),
        Peer(
            "python hivex",
            "Debian: python3-hivex",
            lambda: python_module("hivex"),
            lambda: said("dpkg-query", "--show", "python3-hivex"),
            {Question.SET_VALUE: lambda case: _of_hive(case, SYSTEM_PYTHON, "-c", _SET, case.image)},
            changes=(Question.SET_VALUE,),
        ),
        Peer(
            "regipy",
            "PyPI: regipy, in an environment of its own",
            lambda: found("regipy-dump"),
            lambda: version_beside("regipy-dump", "regipy"),
            {
                Question.EXPORT: lambda case: (
                    _of_hive(case, found("regipy-dump") or "", case.image, "-o", "/dev/null")
                    if case.subject.hive_mb <= _SLOWEST_MB
                    else None
                )
            },
            is_slow=True,
        ),
    ]


def _of_hive(case: Case, *words: str | Path) -> Words | None:
    return words if case.subject.hive_mb and not case.subject.disk_gb else None
